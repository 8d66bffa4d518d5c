"""AVA actions.

Gu et al., AVA: A Video Dataset of Spatio-temporally Localized Atomic Visual Actions, CVPR 2018.

::

    ava_train_v2.2.csv  ava_val_v2.2.csv        video_id,second,x1,y1,x2,y2,action_id,person_id
    ava_train_excluded_timestamps_v2.2.csv      video_id,second
    ava_action_list_v2.2_for_activitynet_2019.pbtxt
    <anywhere>/<video_id>.mkv

A clip is one person around one key frame: two seconds of the square about the box, which is
enlarged, as people move. It carries all actions of the person there. Actions that the label map
leaves out (20 of the 80 are not evaluated) are left out. Videos below a folder ``videos_15min``
were cut to the annotated quarter of an hour, and begin at second 900.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, find_lists, read_table
from lilliput.errors import DataError
from lilliput.video.part import Part

_SECONDS = 2.0  # of a clip, its key frame in the middle
_MARGIN = 0.1  # of a side of the box, on either of its ends
_CUT_FOLDER, _CUT_AT = "videos_15min", 900.0
_ITEM = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r'\bname:\s*"((?:[^"\\]|\\.)*)"')
_NUMBER = re.compile(r"\b(?:label_)?id:\s*(\d+)")

Row = tuple[str, float, tuple[float, ...], int]  # video, second, box, action


def is_ava(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return bool(_find(root, "train") or _find(root, "val"))


def read_ava(root: Path) -> VideoDataset:
    """Reads both lists; lines that make no sense are set aside in ``problems``.

    Raises:
        DataError: There is no label map, or a list is empty or no CSV text.
    """
    maps = find_lists(root, "ava_action_list*.pbtxt")
    if not maps:
        raise DataError(f"{root}: has no ava_action_list*.pbtxt; add AVA's label map")
    # The one for the challenge has the classes that are evaluated.
    label_map = next((path for path in maps if "activitynet" in path.name), maps[0])
    reader = _Reader(root, *_read_label_map(label_map))
    splits = {
        split: reader.read(path, _find(root, f"{split}_excluded_timestamps"))
        for split in ("train", "val")
        if (path := _find(root, split))
    }
    return VideoDataset(root, "AVA", reader.labels, splits, tuple(reader.problems))


class _Reader:
    """Makes clips of lines.

    Args:
        root: Of the videos.
        labels: The classes.
        index_of: Of each action's number.
    """

    def __init__(self, root: Path, labels: LabelSet, index_of: dict[int, int]) -> None:
        self.labels = labels
        self.problems: list[str] = []
        self._index_of = index_of
        self._videos = VideoFiles(root)
        self._absent: set[str] = set()

    def read(self, path: Path, excluded: Path | None) -> list[Clip]:
        """The clips of one list, without the key frames of another."""
        left_out = _read_excluded(excluded)
        parsed: list[tuple[int, Row]] = []
        for line, cells in read_table(path):
            try:
                row = self._parse(cells)
            except DataError as error:
                self.problems.append(f"{path.name}: line {line}: {error}")
                continue
            if row is not None and row[:2] not in left_out:
                parsed.append((line, row))
        parsed.sort(key=lambda item: item[1][:3])
        people = [list(rows) for _, rows in groupby(parsed, lambda item: item[1][:3])]
        numbered = [(rows[0][0], (n, [row for _, row in rows])) for n, rows in enumerate(people)]
        return collect(path, numbered, self._make, self.problems)

    def _parse(self, cells: list[str]) -> Row | None:
        """A line; None where it names no person, or an action that is not evaluated."""
        if len(cells) >= 2 and not any(cells[2:]):
            return None
        try:
            video, second = cells[0], float(cells[1])
            box, action = tuple(map(float, cells[2:6])), int(cells[6])
        except (ValueError, IndexError):
            raise DataError("is not video,second,x1,y1,x2,y2,action; correct the line") from None
        if not Part(0, 1, (box[0], box[1], box[2], box[3])).is_valid or not 1 <= second < 1e6:
            raise DataError("its box or its time makes no sense; correct the line")
        if not 1 <= action <= max(self._index_of):
            raise DataError(f"unknown action {action}; the label map ends at {max(self._index_of)}")
        return (video, second, box, action) if action in self._index_of else None

    def _make(self, person: tuple[int, list[Row]]) -> Iterator[Clip]:
        number, rows = person
        video, second, box, _ = rows[0]
        if video in self._absent:
            return  # told once
        try:
            path = self._videos.get(video)
        except DataError:
            self._absent.add(video)
            raise
        middle = second - (_CUT_AT if _CUT_FOLDER in path.parts else 0)
        start = max(0.0, middle - _SECONDS / 2)
        part = Part(start, middle + _SECONDS / 2, _enlarge(box))
        indices = tuple(sorted({self._index_of[row[3]] for row in rows}))
        yield Clip(f"{video}/{second:04g}_{number}", path, indices, video, part=part)


def _find(root: Path, kind: str) -> Path | None:
    found = find_lists(root, f"ava_{kind}_v[0-9]*.csv")
    return found[-1] if found else None  # the newest version


def _read_excluded(path: Path | None) -> set[tuple[str, float]]:
    """Key frames that are not to be used; the list of a version may be empty."""
    if path is None or path.stat().st_size == 0:
        return set()
    found = set()
    for line, cells in read_table(path):
        try:
            found.add((cells[0], float(cells[1])))
        except (IndexError, ValueError):
            raise DataError(f"{path}: line {line}: is not video,second; correct it") from None
    return found


def _read_label_map(path: Path) -> tuple[LabelSet, dict[int, int]]:
    """The classes in the order of their numbers, and the place of each number."""
    found: dict[int, str] = {}
    for item in _ITEM.findall(path.read_text(encoding="utf-8-sig", errors="replace")):
        name, number = _NAME.search(item), _NUMBER.search(item)
        if name and number:
            found[int(number[1])] = name[1].replace('\\"', '"')
    if not found:
        raise DataError(f"{path}: lists no class; download it again")
    order = sorted(found)
    labels = LabelSet.from_names(found[number] for number in order)
    return labels, {number: index for index, number in enumerate(order)}


def _enlarge(box: tuple[float, ...]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    across, down = _MARGIN * (right - left), _MARGIN * (bottom - top)
    return (
        max(0.0, left - across),
        max(0.0, top - down),
        min(1.0, right + across),
        min(1.0, bottom + down),
    )
