"""``class_map.json``: class names and their order, ``{"Opening": 0, …}``."""

import json
from pathlib import Path
from typing import Any

from lilliput.data.labels import LabelSet
from lilliput.errors import DataError
from lilliput.reading import parse_json


def read_class_map(path: Path) -> LabelSet:
    """Reads the names in the order of their indices.

    Raises:
        DataError: No valid JSON, or the indices are not 0, 1, 2, … each once.
    """
    mapping = read_json(path)
    if (
        not isinstance(mapping, dict)
        or not all(type(index) is int for index in mapping.values())
        or sorted(mapping.values()) != list(range(len(mapping)))
    ):
        raise DataError(f"{path}: must map class names to 0, 1, 2, …, each index once")
    return LabelSet.from_names(sorted(mapping, key=lambda name: int(mapping[name])))


def write_class_map(path: Path, labels: LabelSet) -> None:
    """Writes the names so that ``read_class_map`` returns them in the same order."""
    mapping = {name: index for index, name in enumerate(labels.class_names)}
    path.write_text(json.dumps(mapping, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Parses a JSON file.

    Raises:
        DataError: It is no valid JSON.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # no UTF-8, or no JSON
        raise DataError(f"{path}: not valid JSON ({error})") from None
