"""HMDB-51 (Kuehne et al., HMDB: A Large Video Database for Human Motion Recognition, ICCV 2011).

::

    testTrainMulti_7030_splits/brush_hair_test_split1.txt
        April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1      0 is not used, 1 train, 2 test
    brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.avi

A list per class and split; three official splits. Classes are sorted by name. What stands before
the class in a clip's name is the video that it was cut from.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, find_lists, read_lines
from lilliput.errors import DataError

_LISTS = "*_test_split[0-9]*.txt"
_LIST_NAME = re.compile(r"^(.+)_test_split(\d+)\.txt$")
_SIDES = {"0": None, "1": "train", "2": "test"}


def is_hmdb51(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return bool(find_lists(root, _LISTS))


def read_hmdb51(root: Path, split_number: int = 1) -> VideoDataset:
    """Reads one official split; lines that make no sense are set aside in ``problems``.

    Raises:
        DataError: There is no such split, or a list is empty or no text.
    """
    found = [(_LIST_NAME.match(path.name), path) for path in find_lists(root, _LISTS)]
    lists = {match[1]: path for match, path in found if match and int(match[2]) == split_number}
    if not lists:
        raise DataError(
            f"{root}: has no *_test_split{split_number}.txt; the official splits are @1, @2 and @3"
        )
    labels = LabelSet.from_names(sorted(lists))
    videos = VideoFiles(root)
    problems: list[str] = []
    side_of: dict[str, str] = {}
    clips: list[Clip] = []
    for name, path in sorted(lists.items()):

        def make(line: str, name: str = name) -> Iterator[Clip]:
            file_name, _, side = line.rpartition(" ")
            if side not in _SIDES or not file_name.strip():
                raise DataError(f"'{line}' is not 'video.avi N' with N = 0, 1 or 2; correct it")
            if _SIDES[side] is not None:
                stem = Path(file_name.strip()).stem
                clip_id = f"{name}/{stem}"
                side_of[clip_id] = str(_SIDES[side])
                source = stem.rpartition(f"_{name}_")[0] or clip_id
                yield Clip(clip_id, videos.get(stem, name), (labels.index(name),), source)

        clips += collect(path, read_lines(path), make, problems)
    splits = {
        split: [clip for clip in clips if side_of[clip.clip_id] == split]
        for split in ("train", "test")
    }
    return VideoDataset(root, f"HMDB-51 split {split_number}", labels, splits, tuple(problems))
