"""Clips sorted into a folder per class, with or without split folders.

::

    root/train/Jump/a.mp4   root/val/Jump/b.mp4   root/test/c.mp4 (no labels)
    root/Jump/a.mp4         root/Run/b.mp4        (no splits: a fifth becomes val)
"""

import re
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.split import split_groups
from lilliput.errors import DataError
from lilliput.video.decode import VIDEO_SUFFIXES

_SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LAST_NUMBER = re.compile(r"[_\-. ]+[a-zA-Z]?\d+$")


def read_folder(root: Path) -> VideoDataset:
    """Reads the folders; class names are sorted, so the order repeats.

    Raises:
        DataError: No folder holds a video file, or two folders mean the same split.
    """
    sources = _split_folders(root) or {"all": root}
    names = sorted({folder.name for source in sources.values() for folder in _folders(source)})
    if not names:
        raise DataError(
            f"{root}: no data set found; expected TinyVIRAT's class_map.json and lists, "
            "one folder per class, or a .csv manifest"
        )
    labels = LabelSet.from_names(names)
    splits = {split: _read_split(source, labels) for split, source in sources.items()}
    if not any(splits.values()):
        raise DataError(f"{root}: its class folders hold no video files")
    if "all" in splits:
        train, val = split_groups(splits["all"], [clip.recording for clip in splits["all"]])
        splits = {"train": train, "val": val}
    return VideoDataset(root, "folder per class", labels, splits)


def _split_folders(root: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in _folders(root):
        split = _SPLIT_NAMES.get(folder.name.lower())
        if split in found:
            raise DataError(f"{folder}: is the {split} split, as {found[split]} is; keep one")
        if split is not None:
            found[split] = folder
    return found


def _read_split(source: Path, labels: LabelSet) -> list[Clip]:
    clips = [
        _clip(path, source, (labels.index(folder.name),))
        for folder in _folders(source)
        for path in _videos(folder)
    ]
    return clips or [_clip(path, source, None) for path in _videos(source)]


def _clip(path: Path, source: Path, labels: tuple[int, ...] | None) -> Clip:
    name = path.relative_to(source).with_suffix("").as_posix()
    return Clip(name, path, labels, _recording(path) or f"{source.name}/{name}")


def _recording(path: Path) -> str | None:
    """``Jump_11_4.mp4`` in folder Jump was cut from ``11``; ``Jump_4.mp4`` stands alone."""
    stem = path.stem.removeprefix(path.parent.name).lstrip("_-. ")
    source = _LAST_NUMBER.sub("", stem)
    return source if source != stem and any(map(str.isdigit, source)) else None


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _videos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
