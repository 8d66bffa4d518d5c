"""A CSV manifest: ``path,labels,split[,group][,id][,start_seconds,end_seconds][,box]``.

Labels are separated by ``|``.
Paths are relative to the file. A row without labels has them withheld; a lone ``|`` says that
no class applies. A row without a group is a recording of its own, one without an id is called
by its path. A ``class_map.json`` beside the manifest sets the classes and their order; else
the names in use are sorted. A row with seconds is that part of a longer video; with a box (left,
top, right and bottom edge as shares of the picture, separated by blanks) the square about it.
"""

import csv
from pathlib import Path

from lilliput.data.class_map import read_class_map, write_class_map
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError
from lilliput.video.part import WHOLE_PICTURE, Part

_REQUIRED = ("path", "labels", "split")
_PART = ("start_seconds", "end_seconds", "box")
_CLASS_MAP = "class_map.json"


def manifest_name(split_number: int | None) -> str:
    """What the manifest in a folder is called, of a data set with numbered splits or without."""
    return "manifest.csv" if split_number is None else f"manifest@{split_number}.csv"


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
    has_parts = any(clip.part for clips in dataset.splits.values() for clip in clips)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_class_map(path.parent / _CLASS_MAP, dataset.labels)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*_REQUIRED, "group", "id", *(_PART if has_parts else ())))
        for split, clips in dataset.splits.items():
            for clip in clips:
                cell = "" if clip.labels is None else "|".join(names[i] for i in clip.labels) or "|"
                place = _relative(clip.path, path.parent)
                part = _part_cells(clip.part) if has_parts else ()
                writer.writerow((place, cell, split, clip.recording, clip.clip_id, *part))


def _part_cells(part: Part | None) -> tuple[str, str, str]:
    if part is None:
        return "", "", ""
    box = " ".join(map(str, part.box)) if part.has_box else ""
    return str(part.start_seconds), str(part.end_seconds), box


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
        part=_read_part(row),
    )


def _read_part(row: dict[str, str]) -> Part | None:
    start, end, box = (row.get(name, "").strip() for name in _PART)
    if not start and not end and not box:
        return None
    try:
        left, top, right, bottom = map(float, box.split() if box else WHOLE_PICTURE)
        part = Part(float(start), float(end), (left, top, right, bottom))
    except ValueError:
        part = None
    if part is None or not part.is_valid:
        raise DataError(
            "needs start_seconds before end_seconds, and a box of four shares such as 0 0 0.5 1"
        )
    return part


def _label_names(row: dict[str, str]) -> set[str]:
    return {name.strip() for name in row["labels"].split("|") if name.strip()}
