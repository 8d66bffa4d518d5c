"""Annotated actions of whole recordings: ``recording,start_frame,end_frame,action``.

Frames count from 0, and the last one still belongs to the action. A recording is the file
``<recording>.<suffix>`` in a folder of recordings.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lilliput.errors import DataError
from lilliput.video.decode import VIDEO_SUFFIXES

COLUMNS = ("recording", "start_frame", "end_frame", "action")


@dataclass(frozen=True)
class ActionSpan:
    """One action in one recording, from its first frame to its last."""

    start_frame: int
    end_frame: int
    action: str


def read_spans(path: Path) -> dict[str, list[ActionSpan]]:
    """Reads the annotated actions of each recording, in the order of the file.

    Raises:
        DataError: The file is no such table, or a row makes no sense.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise DataError(
                    f"{path}: lacks the column '{min(missing)}'; needs {','.join(COLUMNS)}"
                )
            spans: dict[str, list[ActionSpan]] = {}
            for row in reader:
                spans.setdefault(row["recording"], []).append(_read_row(path, reader, row))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None
    return spans


def write_spans(path: Path, spans: Mapping[str, Sequence[ActionSpan]]) -> None:
    """Writes such a table; ``read_spans`` returns the same."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for recording, found in spans.items():
            writer.writerows((recording, s.start_frame, s.end_frame, s.action) for s in found)


def find_recordings(folder: Path, names: Iterable[str] | None = None) -> Mapping[str, Path]:
    """The file of each named recording; of every one without names.

    Raises:
        DataError: One of them is not there, or none is.
    """
    files = {
        path.stem: path
        for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if path.suffix.lower() in VIDEO_SUFFIXES
    }
    if not files:
        raise DataError(f"{folder}: holds no video; give a folder of recordings")
    names = list(files if names is None else names)
    for name in names:
        if name not in files:
            raise DataError(f"{folder}: holds no video of recording '{name}'; check the folder")
    return {name: files[name] for name in names}


def _read_row(path: Path, reader: "csv.DictReader[str]", row: Mapping[str, str]) -> ActionSpan:
    try:
        start, end = int(row["start_frame"]), int(row["end_frame"])
    except (TypeError, ValueError):
        start, end = 0, -1
    if not 0 <= start <= end or not row["action"]:
        raise DataError(
            f"{path}: line {reader.line_num}: needs a start_frame from 0, an end_frame not before "
            "it, and an action"
        )
    return ActionSpan(start, end, row["action"])
