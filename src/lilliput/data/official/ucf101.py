"""UCF-101 (Soomro et al., UCF101: A Dataset of 101 Human Actions Classes, 2012).

::

    ucfTrainTestlist/classInd.txt         1 ApplyEyeMakeup
    ucfTrainTestlist/trainlist01.txt      ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1
    ucfTrainTestlist/testlist01.txt       ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi
    UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi

Three official splits; clips of one group (``g01``) come from one video, and lie on one side.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, find_lists, read_lines
from lilliput.errors import DataError

_CLASSES = "classInd.txt"
_GROUP = re.compile(r"_c\d+$")


def is_ucf101(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return bool(find_lists(root, _CLASSES))


def read_ucf101(root: Path, split_number: int = 1) -> VideoDataset:
    """Reads one official split; lines that make no sense are set aside in ``problems``.

    Raises:
        DataError: A list is missing, empty or no text, or the classes are not numbered 1, 2, 3, …
    """
    class_list = find_lists(root, _CLASSES)[0]
    labels = _read_classes(class_list)
    videos = VideoFiles(root)
    problems: list[str] = []

    def make(line: str) -> Iterator[Clip]:
        place, *number = line.rsplit(maxsplit=1) if re.search(r"\s\d+$", line) else (line,)
        path = PurePosixPath(place)
        name = path.parent.name
        if not name:
            raise DataError(f"'{line}' is not class/video.avi; correct the line")
        label = labels.index(name)
        if number and int(number[0]) != label + 1:
            raise DataError(f"'{name}' is class {label + 1} in {_CLASSES}, not {number[0]}")
        file = videos.get(path.stem, name)
        yield Clip(f"{name}/{path.stem}", file, (label,), _GROUP.sub("", path.stem))

    splits = {}
    for split in ("train", "test"):
        path = class_list.with_name(f"{split}list{split_number:02d}.txt")
        if not path.is_file():
            raise DataError(f"{path}: no such list; the official splits are @1, @2 and @3")
        splits[split] = collect(path, read_lines(path), make, problems)
    return VideoDataset(root, f"UCF-101 split {split_number}", labels, splits, tuple(problems))


def _read_classes(path: Path) -> LabelSet:
    names: list[str] = []
    for line, text in read_lines(path):
        number, _, name = text.partition(" ")
        if number != str(len(names) + 1) or not name.strip():
            raise DataError(
                f"{path}: line {line}: '{text}' is not '{len(names) + 1} ClassName'; classes "
                "count from 1"
            )
        names.append(name.strip())
    return LabelSet.from_names(names)
