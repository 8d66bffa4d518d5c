"""Clips sorted into a folder per class, with or without split folders.

::

    root/train/Jump/a.mp4   root/val/Jump/b.mp4   root/test/c.mp4 (no labels)
    root/Jump/a.mp4         root/Run/b.mp4        (no splits: a fifth becomes val)

A folder with other files alone is no class, nor is what archives, disks and file managers leave
behind; an empty folder is one whose clips are missing.
"""

import re
from collections import Counter
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.split import split_groups
from lilliput.errors import DataError
from lilliput.video.decode import VIDEO_SUFFIXES

_SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LEFT_BEHIND = {"__macosx", "@eadir", "#recycle", "$recycle.bin", "lost+found", "thumbs"}
_LAST_NUMBER = re.compile(r"[_\-. ]+[a-zA-Z]?\d+$")


def read_folder(root: Path) -> VideoDataset:
    """Reads the folders; class names are sorted, so the order repeats.

    Raises:
        DataError: No folder holds a video file, or two folders mean the same split.
    """
    sources = _split_folders(root) or {"all": root}
    folders = [folder for source in sources.values() for folder in _folders(source)]
    names = sorted({folder.name for folder in folders if not _is_for_others(folder)})
    if not folders:
        raise DataError(
            f"{root}: no data set found; expected TinyVIRAT's class_map.json and lists, "
            "one folder per class, or a .csv manifest"
        )
    if not any(map(_videos, folders)) and not any(map(_videos, sources.values())):
        raise DataError(f"{root}: its class folders hold no video files")
    labels = LabelSet.from_names(names)
    splits = {split: _read_split(source, labels) for split, source in sources.items()}
    if "all" in splits:
        train, val = split_groups(splits["all"], [clip.recording for clip in splits["all"]])
        splits = {"train": train, "val": val}
    return VideoDataset(root, "folder per class", labels, splits)


def find_other_folders(root: Path) -> list[Path]:
    """The folders that are no class, as they hold files but no video."""
    sources = _split_folders(root) or {"all": root}
    folders = [folder for source in sources.values() for folder in _folders(source)]
    return [folder for folder in folders if _is_for_others(folder)]


def _is_for_others(folder: Path) -> bool:
    return not _videos(folder) and any(path.is_file() for path in folder.rglob("*"))


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
    labelled: dict[Path, tuple[int, ...] | None] = {
        path: (labels.index(folder.name),)
        for folder in _folders(source)
        for path in _videos(folder)
    }
    found = labelled or dict.fromkeys(_videos(source))
    counts = Counter(path.with_suffix("") for path in found)
    return [
        _clip(path, source, indices, keep_suffix=counts[path.with_suffix("")] > 1)
        for path, indices in found.items()
    ]


def _clip(path: Path, source: Path, labels: tuple[int, ...] | None, *, keep_suffix: bool) -> Clip:
    """``a.mp4`` and ``a.avi`` beside each other keep their suffixes in their ids."""
    place = path.relative_to(source)
    name = (place if keep_suffix else place.with_suffix("")).as_posix()
    return Clip(name, path, labels, _recording(path) or f"{source.name}/{name}")


def _recording(path: Path) -> str | None:
    """``Jump_11_4.mp4`` in folder Jump was cut from ``11``; ``Jump_4.mp4`` stands alone."""
    stem = path.stem.removeprefix(path.parent.name).lstrip("_-. ")
    source = _LAST_NUMBER.sub("", stem)
    return source if source != stem and any(map(str.isdigit, source)) else None


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and not _is_left_behind(p))


def _videos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES
        and not any(map(_is_left_behind, (path, *path.relative_to(folder).parents)))
    )


def _is_left_behind(path: Path) -> bool:
    """What archives, disks and file managers leave, such as ``__MACOSX`` and ``._a.mp4``."""
    return path.name.startswith(".") or path.name.lower() in _LEFT_BEHIND
