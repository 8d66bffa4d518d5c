"""A CSV manifest: ``path,labels,split[,group][,id][,start_seconds,end_seconds][,box]``.

Labels are separated by ``|``; cells by commas, semicolons or tabs, as the header has them.
Paths are relative to the file. A row without labels has them withheld; a lone ``|`` says that
no class applies. A row without a group is a recording of its own, one without an id is called
by its path. A ``class_map.json`` beside the manifest sets the classes and their order; else
the names in use are sorted. A row with seconds is that part of a longer video; with a box (left,
top, right and bottom edge as shares of the picture, separated by blanks) the square about it.
"""

import csv
from pathlib import Path
from typing import Any

from lilliput.data.class_map import read_class_map, write_class_map
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError
from lilliput.video.part import WHOLE_PICTURE, Part

_REQUIRED = ("path", "labels", "split")
_PART = ("start_seconds", "end_seconds", "box")
_CLASS_MAP = "class_map.json"
_SURPLUS = "\0"  # no column's name


def manifest_name(split_number: int | None) -> str:
    """What the manifest in a folder is called, of a data set with numbered splits or without."""
    return "manifest.csv" if split_number is None else f"manifest@{split_number}.csv"


def read_manifest(path: Path) -> VideoDataset:
    """Reads the rows; those that make no sense are set aside in ``problems``.

    Raises:
        DataError: The file lacks a column, is no UTF-8 text, or names no class at all.
    """
    rows, problems = _read_rows(path)
    labels = _read_labels(path, list(rows.values()))
    splits: dict[str, list[Clip]] = {}
    seen: set[tuple[str, str]] = set()
    for line, row in rows.items():
        try:
            split, clip = row["split"].strip(), _read_row(row, path.parent, labels)
            if (split, clip.clip_id) in seen:
                raise DataError(f"{clip.clip_id} occurs twice in split '{split}'")
        except DataError as error:
            problems[line] = str(error)
            continue
        seen.add((split, clip.clip_id))
        splits.setdefault(split, []).append(clip)
    told = (f"{path.name}: line {line}: {problem}" for line, problem in sorted(problems.items()))
    return VideoDataset(path, "CSV manifest", labels, splits, tuple(told))


def write_manifest(path: Path, dataset: VideoDataset) -> None:
    """Writes a data set without copying its videos; ``read_manifest`` returns the same clips.

    Paths below the manifest's folder are written relative to it, others absolute.

    Raises:
        DataError: A class name contains the separator, or a file's name is no UTF-8.
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
                try:
                    writer.writerow((place, cell, split, clip.recording, clip.clip_id, *part))
                except UnicodeEncodeError:
                    raise DataError(
                        f"{clip.path}: its name is no UTF-8, which a manifest is; rename it"
                    ) from None


def _part_cells(part: Part | None) -> tuple[str, str, str]:
    if part is None:
        return "", "", ""
    box = " ".join(map(str, part.box)) if part.has_box else ""
    return str(part.start_seconds), str(part.end_seconds), box


def _relative(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _read_rows(path: Path) -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    """The rows by their line in the file, and those with too many or too few cells."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            separator = max(",;\t", key=header.count)
            reader = csv.DictReader(file, delimiter=separator, restkey=_SURPLUS)
            missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path}: lacks the column '{missing[0]}'; needs path,labels,split[,group][,id]"
                )
            rows, problems = {}, {}
            for row in reader:
                if _SURPLUS in row or any(row[name] is None for name in _REQUIRED):
                    problems[reader.line_num] = (
                        f"has {_num_cells(row)} cells, the header {len(reader.fieldnames or ())}; "
                        "put a cell that holds a separator in double quotes"
                    )
                else:
                    rows[reader.line_num] = {name: cell or "" for name, cell in row.items()}
            return rows, problems
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None


def _num_cells(row: dict[str, Any]) -> int:
    surplus = row.get(_SURPLUS, [])
    return sum(cell is not None for name, cell in row.items() if name != _SURPLUS) + len(surplus)


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
