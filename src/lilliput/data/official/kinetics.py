"""Kinetics-400, -600 and -700 (Kay et al., The Kinetics Human Action Video Dataset, 2017).

::

    train.csv  validate.csv  test.csv      label,youtube_id,time_start,time_end,split
    <anywhere>/<youtube_id>_000084_000094.mp4

The lists may have any name, and further columns; where they have no split column, their names say
which split they are. Videos vanish from YouTube: those that are not there stay listed, so that
`data check` counts them and training skips them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, read_table
from lilliput.errors import DataError

_COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
_SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
_YOUTUBE_ID = re.compile(r"^[\w-]{3,}$")


def is_kinetics(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return bool(_lists(root))


def read_kinetics(root: Path) -> VideoDataset:
    """Reads all lists; lines that make no sense are set aside in ``problems``.

    Raises:
        DataError: A list is empty or no CSV text, none has a label, or of a whole list not one
            video is there.
    """
    tables = {path: read_table(path, columns=_COLUMNS) for path in _lists(root)}
    rows = {path: [(n, [*row, _split(row, path)]) for n, row in t] for path, t in tables.items()}
    everything = [row for table in rows.values() for _, row in table]
    learned = {row[0] for row in everything if row[-1] == "train" and row[0]}
    names = sorted(learned or {row[0] for row in everything if row[0]})
    if not names:
        raise DataError(f"{next(iter(tables))}: no line has a label; add the training list")
    labels = LabelSet.from_names(names)
    videos = VideoFiles(root)
    problems: list[str] = []
    splits: dict[str, list[Clip]] = {}
    split_of: dict[str, str] = {}

    def make(row: list[str]) -> Iterator[Clip]:
        label, youtube_id, start, end, _, split = row
        clip_id = f"{_checked(youtube_id)}_{_seconds(start):06d}_{_seconds(end):06d}"
        if not split:
            raise DataError("has no split; fill in the column, or name the file train.csv")
        indices = (labels.index(label),) if label else None
        found = videos.find(clip_id, label) or videos.find(youtube_id, label)
        split_of[clip_id] = split
        yield Clip(clip_id, found or root / split / f"{clip_id}.mp4", indices, youtube_id)

    for path, table in rows.items():
        clips = collect(path, table, make, problems)
        if clips and not any(clip.path.is_file() for clip in clips):
            raise DataError(
                f"{path}: line {table[0][0]}: no {clips[0].path.name} below {root}, and none of "
                "the other videos of this list; add them, or remove the list"
            )
        for clip in clips:
            splits.setdefault(split_of[clip.clip_id], []).append(clip)
    ordered = {
        name: splits[name] for name in dict.fromkeys((*_SPLITS.values(), *splits)) if name in splits
    }
    return VideoDataset(root, "Kinetics", labels, ordered, tuple(problems))


def _lists(root: Path) -> list[Path]:
    found = [path for path in sorted(root.glob("*.csv")) if _is_list(path)]
    return found or [path for path in sorted(root.glob("*/*.csv")) if _is_list(path)]


def _is_list(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = {name.strip() for name in file.readline(1000).split(",")}
    return {"youtube_id", "time_start", "time_end"} <= header


def _split(row: list[str], path: Path) -> str:
    """The split of a row, by its column or else by the name of its list; empty if none says it."""
    told = row[-1].lower()
    words = re.split(r"[^a-z]+", path.stem.lower())
    return _SPLITS.get(told, told) or next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _checked(youtube_id: str) -> str:
    if not _YOUTUBE_ID.match(youtube_id):
        raise DataError(f"'{youtube_id}' is no YouTube id; correct the line")
    return youtube_id


def _seconds(cell: str) -> int:
    try:
        return int(float(cell))
    except (ValueError, OverflowError):
        raise DataError(f"'{cell}' is no time in seconds; correct the line") from None
