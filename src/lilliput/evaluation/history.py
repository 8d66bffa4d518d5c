"""The epochs of a training, for the report of its run."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lilliput.errors import DataError

History = Mapping[str, Sequence[float | None]]  # by column, one value per epoch


def read_history(path: Path) -> dict[str, list[float | None]]:
    """Reads ``history.csv`` of a run folder; what was not measured is None.

    Raises:
        DataError: It is missing or damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        history = {name: [_number(row[name]) for row in rows] for name in rows[0]}
    except (OSError, IndexError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: no readable history of a training ({error})") from None
    if "epoch" not in history:
        raise DataError(f"{path}: no readable history of a training (it has no epochs)")
    return history


def _number(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None
