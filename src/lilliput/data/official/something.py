"""Something-Something v1 and v2.

Goyal et al., The "something something" Video Database for Learning and Evaluating Visual Common
Sense, ICCV 2017.

::

    labels.json                            {"Holding something": "0", …}
    train.json  validation.json            [{"id": "78687", "template": "Holding [something]"}, …]
    test.json                              [{"id": "1420"}, …]      no labels
    <anywhere>/78687.webm

with or without a beginning such as ``something-something-v2-``. The first release has CSV lists
(``78687;Holding something``) and a class per line in ``…labels.csv``; its clips are folders of
pictures, of which videos must be made.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lilliput.data.class_map import read_json
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.official.lists import VideoFiles, collect, find_lists, read_lines, read_table
from lilliput.errors import DataError

_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_BRACKETS = re.compile(r"[\[\]]")


def is_something(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return _class_list(root) is not None


def read_something(root: Path) -> VideoDataset:
    """Reads all lists; entries that make no sense are set aside in ``problems``.

    Raises:
        DataError: A list is empty or not of the published form.
    """
    class_list = _class_list(root)
    assert class_list is not None
    labels = _read_classes(class_list)
    videos = VideoFiles(root)
    problems: list[str] = []

    def make(entry: Any) -> Iterator[Clip]:
        if not isinstance(entry, dict) or not str(entry.get("id", "")):
            raise DataError("has no 'id'; correct the entry")
        clip_id, template = str(entry["id"]), entry.get("template", entry.get("label"))
        indices = None if template is None else (labels.index(_BRACKETS.sub("", str(template))),)
        yield Clip(clip_id, videos.get(clip_id), indices, clip_id)

    splits = {}
    for name, split in _SPLITS.items():
        path = class_list.with_name(class_list.name.replace("labels", name))
        if path.is_file():
            entries, unit = _read_entries(path)
            splits[split] = collect(path, entries, make, problems, unit=unit)
    version = "-v1" if "-v1-" in class_list.name or class_list.suffix == ".csv" else "-v2"
    return VideoDataset(root, f"Something-Something{version}", labels, splits, tuple(problems))


def _class_list(root: Path) -> Path | None:
    """``…labels.json`` or ``….csv`` with a training or validation list beside it."""
    for pattern in ("*labels.json", "*labels.csv"):
        for path in find_lists(root, pattern):
            lists = (path.with_name(path.name.replace("labels", name)) for name in _SPLITS)
            if any(beside.is_file() for beside in lists):
                return path
    return None


def _read_classes(path: Path) -> LabelSet:
    if path.suffix == ".csv":
        return LabelSet.from_names(line for _, line in read_lines(path))
    mapping = read_json(path)
    try:
        order = {str(name): int(number) for name, number in mapping.items()}
    except (AttributeError, TypeError, ValueError):
        order = {}
    if not order or sorted(order.values()) != list(range(len(order))):
        raise DataError(f"{path}: must map class names to 0, 1, 2, …, each number once")
    return LabelSet.from_names(sorted(order, key=order.__getitem__))


def _read_entries(path: Path) -> tuple[list[tuple[int, Any]], str]:
    """The entries with their numbers, and what these count."""
    if path.suffix == ".csv":
        rows = read_table(path, delimiter=";")
        return [(n, dict(zip(("id", "template"), row, strict=False))) for n, row in rows], "line"
    entries = read_json(path)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{path}: must be a list of clips, and holds none; download it again")
    return list(enumerate(entries, 1)), "entry"
