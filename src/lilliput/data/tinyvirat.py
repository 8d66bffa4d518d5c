"""TinyVIRAT and TinyVIRAT-v2 as published (thesis section 4.1.2).

::

    class_map.json                     {"Opening": 0, …}
    tiny_train_v2.json  tiny_val_v2.json  tiny_test_v2_public.json     (v1: tiny_train.json …)
    videos/<split>/<path>

Each list entry is ``{"id", "video_id", "path", "dim", "label"}``; the public test list has
no labels. A set that ``lilliput data tinyvirat`` has cut has a ``cut.json``, too; the counts of the
published one are not asked of it.
"""

import re
from pathlib import Path
from typing import Any

from lilliput.data.class_map import read_class_map, read_json
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError

CUT_REPORT = "cut.json"
_LIST_NAME = re.compile(r"^tiny_(train|val|test)(_v2)?(_public)?\.json$")
_SPLIT_ORDER = ("train", "val", "test")


def is_tinyvirat(root: Path) -> bool:
    """Whether ``root`` has this layout."""
    return (root / "class_map.json").is_file() and bool(_find_lists(root))


def read_tinyvirat(root: Path) -> VideoDataset:
    """Reads the lists; entries that make no sense are set aside in ``problems``.

    Raises:
        DataError: A list or the class map is no valid JSON of the published form.
    """
    labels = read_class_map(root / "class_map.json")
    lists = _find_lists(root)
    problems: list[str] = []
    splits = {
        split: _read_list(lists[split], root / "videos" / split, labels, problems)
        for split in _SPLIT_ORDER
        if split in lists
    }
    second = any("_v2" in path.name for path in lists.values())
    layout = "TinyVIRAT-v2" if second else "TinyVIRAT"
    if (root / CUT_REPORT).is_file():
        layout = "TinyVIRAT-like"
    return VideoDataset(root, layout, labels, splits, tuple(problems))


def _find_lists(root: Path) -> dict[str, Path]:
    paths = sorted(root.glob("tiny_*.json"))
    matches = [(match, path) for path in paths if (match := _LIST_NAME.match(path.name))]
    newest = max((match[2] or "" for match, _ in matches), default="")  # versions never mix
    found: dict[str, Path] = {}
    for match, path in matches:
        # Where both a labelled and a public list exist, the labelled one says more.
        if (match[2] or "") == newest and (match[1] not in found or not match[3]):
            found[match[1]] = path
    return found


def _read_list(path: Path, videos: Path, labels: LabelSet, problems: list[str]) -> list[Clip]:
    entries = read_json(path)
    if not isinstance(entries, list):
        raise DataError(f"{path}: must be a list of clips")
    clips: list[Clip] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        try:
            clip = _read_entry(entry, videos, labels)
            if clip.clip_id in seen:
                raise DataError(f"id {clip.clip_id} occurs twice")
        except DataError as error:
            problems.append(f"{path.name}: entry {number}: {error}")
            continue
        seen.add(clip.clip_id)
        clips.append(clip)
    return clips


def _read_entry(entry: Any, videos: Path, labels: LabelSet) -> Clip:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise DataError("has no 'path'")
    if ".." in Path(entry["path"]).parts or Path(entry["path"]).is_absolute():
        raise DataError(f"path '{entry['path']}' leads out of the data set")
    names = entry.get("label")
    if names is not None and not _is_list_of_names(names):
        raise DataError("'label' must be a list of class names")
    return Clip(
        clip_id=str(entry.get("id", Path(entry["path"]).stem)),
        path=videos / entry["path"],
        labels=None if names is None else tuple(sorted({labels.index(name) for name in names})),
        recording=str(entry.get("video_id", Path(entry["path"]).parent.name or entry["path"])),
    )


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
