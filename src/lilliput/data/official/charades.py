"""Charades (Sigurdsson et al., Hollywood in Homes, ECCV 2016).

::

    Charades_v1_train.csv  Charades_v1_test.csv    id,…,actions,length
        46GP8,…,c092 11.90 21.20;c147 0.00 12.60,…       class, first and last second
    Charades_v1_classes.txt                        c092 Holding some clothes
    <anywhere>/46GP8.mp4

A clip is one annotated interval of a video, such as 11.90 to 21.20 s, with every action that goes
on in a good part of it: a quarter of the clip, or half of the action, as with
``lilliput data cut --label inside``. An interval that ends before it begins marks no frame, and is
left out; so are videos without an action.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, find_lists, read_lines, read_table
from lilliput.errors import DataError
from lilliput.video.part import Part

_CLASSES = "Charades_v1_classes.txt"
_SHARE_OF_CLIP, _SHARE_OF_ACTION = 0.25, 0.5

Interval = tuple[float, float, int]  # first and last second, class


def is_charades(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return bool(find_lists(root, _CLASSES))


def read_charades(root: Path) -> VideoDataset:
    """Reads both lists; lines that make no sense are set aside in ``problems``.

    Raises:
        DataError: A list is missing, empty or no text.
    """
    labels, index_of = _read_classes(find_lists(root, _CLASSES)[0])
    videos = VideoFiles(root)
    problems: list[str] = []
    splits = {}
    for split in ("train", "test"):
        for path in find_lists(root, f"Charades_v1_{split}.csv")[:1]:
            rows = read_table(path, columns=("id", "actions"))
            make = partial(_make, videos=videos, index_of=index_of)
            splits[split] = collect(path, rows, make, problems)
    if not splits:
        raise DataError(f"{root}: has no Charades_v1_train.csv; add the lists")
    return VideoDataset(root, "Charades", labels, splits, tuple(problems))


def labels_of(clip: tuple[float, float], intervals: list[Interval]) -> tuple[int, ...]:
    """The classes that go on in a good part of a clip from one second to another."""
    found = set()
    for start, end, label in intervals:
        inside = min(end, clip[1]) - max(start, clip[0])
        share = max(
            inside / (clip[1] - clip[0]) / _SHARE_OF_CLIP, inside / (end - start) / _SHARE_OF_ACTION
        )
        if share >= 1:
            found.add(label)
    return tuple(sorted(found))


def _make(row: list[str], *, videos: VideoFiles, index_of: dict[str, int]) -> Iterator[Clip]:
    video, actions = row
    if not video:
        raise DataError("has no id; correct the line")
    intervals = [i for cell in actions.split(";") if cell.strip() for i in _read(cell, index_of)]
    for start, end in sorted({(start, end) for start, end, _ in intervals}):
        yield Clip(
            clip_id=f"{video}/{start:.2f}-{end:.2f}",
            path=videos.get(video),
            labels=labels_of((start, end), intervals),
            recording=video,
            part=Part(start, end),
        )


def _read(cell: str, index_of: dict[str, int]) -> Iterator[Interval]:
    """One ``c092 11.90 21.20``; nothing where it ends before it begins."""
    try:
        code, first, last = cell.split()
        start, end = float(first), float(last)
    except ValueError:
        raise DataError(f"'{cell.strip()}' is not 'c092 11.90 21.20'; correct it") from None
    if code not in index_of:
        raise DataError(f"unknown class '{code}'; it is not in {_CLASSES}")
    if 0 <= start < end < float("inf"):
        yield start, end, index_of[code]


def _read_classes(path: Path) -> tuple[LabelSet, dict[str, int]]:
    codes, names = [], []
    for line, text in read_lines(path):
        code, _, name = text.partition(" ")
        if not name.strip() or code in codes:
            raise DataError(f"{path}: line {line}: '{text}' is not 'c000 Name of the class'")
        codes.append(code)
        names.append(name.strip())
    return LabelSet.from_names(names), {code: index for index, code in enumerate(codes)}
