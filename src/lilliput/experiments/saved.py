"""What a report folder keeps of a run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips, load_scores
from lilliput.reading import parse_json

SCORES_FILE = "scores.npz"
REPORT_FILE = "report.json"


@dataclass(frozen=True)
class SavedReport:
    """What a report folder keeps of a run: its scores, the thresholds used, and its warning."""

    scored: ScoredClips
    thresholds: np.ndarray
    note: str


def read_report_folder(folder: Path) -> SavedReport:
    """Reads back what ``lilliput evaluate`` wrote.

    Raises:
        DataError: It is not a folder that ``lilliput evaluate`` wrote.
    """
    scored = load_scores(folder / SCORES_FILE)
    try:
        report = parse_json((folder / REPORT_FILE).read_text(encoding="utf-8"))
        thresholds = np.array([row["threshold"] for row in report["per_class"]])
        return SavedReport(scored, thresholds, report["note"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / REPORT_FILE}: not a report of `lilliput evaluate` ({error})"
        ) from None
