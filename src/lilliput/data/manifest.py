"""A CSV manifest: ``path,labels,split[,group][,id]``, labels separated by ``|``.

Paths are relative to the file. A row without labels has them withheld; a lone ``|`` says that
no class applies. A row without a group is a recording of its own, one without an id is called
by its path. A ``class_map.json`` beside the manifest sets the classes and their order; else
the names in use are sorted.
"""

import csv
from pathlib import Path

from lilliput.data.class_map import read_class_map, write_class_map
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError

_REQUIRED = ("path", "labels", "split")
_CLASS_MAP = "class_map.json"


def read_manifest(path: Path) -> VideoDataset:
    """Reads the rows; those that make no sense are set aside in ``problems``.

    Raises:
        DataError: The file lacks a column, is no UTF-8 text, or names no class at all.
    """
    rows = _read_rows(path)
    labels = _read_labels(path, list(rows.values()))
    splits: dict[str, list[Clip]] = {}
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    for line, row in rows.items():
        try:
            split, clip = row["split"].strip(), _read_row(row, path.parent, labels)
            if (split, clip.clip_id) in seen:
                raise DataError(f"{clip.clip_id} occurs twice in split '{split}'")
        except DataError as error:
            problems.append(f"{path.name}: line {line}: {error}")
            continue
        seen.add((split, clip.clip_id))
        splits.setdefault(split, []).append(clip)
    return VideoDataset(path, "CSV manifest", labels, splits, tuple(problems))


def write_manifest(path: Path, dataset: VideoDataset) -> None:
    """Writes a data set without copying its videos; ``read_manifest`` returns the same clips.

    Paths below the manifest's folder are written relative to it, others absolute.

    Raises:
        DataError: A class name contains the separator.
    """
    names = dataset.labels.class_names
    if bad := [name for name in names if "|" in name or name != name.strip()]:
        raise DataError(
            f"class '{bad[0]}' cannot stand in a manifest; rename it without | or blanks"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_class_map(path.parent / _CLASS_MAP, dataset.labels)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*_REQUIRED, "group", "id"))
        for split, clips in dataset.splits.items():
            for clip in clips:
                cell = "" if clip.labels is None else "|".join(names[i] for i in clip.labels) or "|"
                place = _relative(clip.path, path.parent)
                writer.writerow((place, cell, split, clip.recording, clip.clip_id))


def _relative(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _read_rows(path: Path) -> dict[int, dict[str, str]]:
    """The rows by their line in the file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path}: lacks the column '{missing[0]}'; needs path,labels,split[,group][,id]"
                )
            rows = {}
            for row in reader:
                rows[reader.line_num] = row
            return rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None


def _read_labels(path: Path, rows: list[dict[str, str]]) -> LabelSet:
    class_map = path.parent / _CLASS_MAP
    if class_map.is_file():
        return read_class_map(class_map)
    names = sorted({name for row in rows for name in _label_names(row)})
    if not names:
        raise DataError(f"{path}: no row has a label; separate several by '|'")
    return LabelSet.from_names(names)


def _read_row(row: dict[str, str], root: Path, labels: LabelSet) -> Clip:
    place = row["path"].strip()
    if not place or not row["split"].strip():
        raise DataError("path and split must not be empty")
    indices = tuple(sorted(labels.index(name) for name in _label_names(row)))
    return Clip(
        clip_id=row.get("id", "").strip() or place,
        path=root / place,
        labels=indices if row["labels"].strip() else None,
        recording=row.get("group", "").strip() or place,
    )


def _label_names(row: dict[str, str]) -> set[str]:
    return {name.strip() for name in row["labels"].split("|") if name.strip()}
