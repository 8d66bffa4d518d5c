"""The TinyAction challenge's submission: ``answer.txt`` in a zip, one line per test clip.

A line is the clip id and K binary labels in class-map order: ``00000 0 1 0 …``; lines are in
id order and every id is present.
"""

import zipfile
from pathlib import Path

import numpy as np

from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips

_NAME = "answer.txt"


def write_submission(scored: ScoredClips, thresholds: np.ndarray, path: Path) -> None:
    """Writes the zip and reads it back for validation. Unreadable clips get no label.

    Raises:
        DataError: An id has blanks or other than ASCII characters, which the format cannot hold.
    """
    for clip_id in map(str, scored.clip_ids):
        if not clip_id.isascii() or clip_id.split() != [clip_id]:
            raise DataError(
                f"clip id '{clip_id}' cannot stand in a submission; rename it without blanks and "
                "with ASCII characters only"
            )
    labels = scored.label(thresholds)
    order = np.argsort(scored.clip_ids)
    lines = [
        " ".join([str(scored.clip_ids[row]), *("1" if label else "0" for label in labels[row])])
        for row in order
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date, so that equal answers make equal files.
        entry = zipfile.ZipInfo(_NAME, date_time=(1980, 1, 1, 0, 0, 0))
        archive.writestr(entry, "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
    validate_submission(partial, scored.clip_ids, len(scored.class_names))
    partial.replace(path)


def validate_submission(path: Path, clip_ids: np.ndarray, num_classes: int) -> np.ndarray:
    """Checks a submission and returns its labels, (N, K) bool, in id order.

    Args:
        path: The zip.
        clip_ids: The ids of the test split.
        num_classes: Labels that each line must carry.

    Raises:
        DataError: It is no zip with ``answer.txt``, an id is missing, unknown, doubled or out of
            order, or a line does not hold K labels of 0 or 1.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(_NAME).decode("ascii")
    except (zipfile.BadZipFile, KeyError, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a zip that holds {_NAME} ({error})") from None
    rows = [line.split() for line in text.splitlines()]
    for number, row in enumerate(rows, start=1):
        if len(row) != num_classes + 1 or not set(row[1:]) <= {"0", "1"}:
            raise DataError(f"{path}: line {number} must be an id and {num_classes} times 0 or 1")
    found, wanted = [row[0] for row in rows], sorted(str(clip_id) for clip_id in clip_ids)
    if found != wanted:
        missing = sorted(set(wanted) - set(found))
        detail = f"{missing[0]} is missing" if missing else "ids are doubled, unknown or unsorted"
        raise DataError(f"{path}: must hold each of the {len(wanted)} ids once, in order: {detail}")
    return np.array([[label == "1" for label in row[1:]] for row in rows])
