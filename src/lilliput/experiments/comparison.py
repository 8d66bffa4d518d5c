"""A table's numbers: ours over the seeds, the thesis', and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lilliput.experiments.saved import SavedReport
from lilliput.experiments.tables import Row, Table
from lilliput.scoring import compute_metrics, paired_comparison

SCORES = ("f1", "precision", "recall")  # what the thesis prints
CONFIDENCE = 0.95


@dataclass(frozen=True)
class TableContext:
    """What a reader must know beside the numbers.

    Attributes:
        data: In words: the data set and its clips.
        split: The split that the scores are of.
        scale: Such as ``small``.
        seeds: Of the trainings.
        changes: Every setting that is not the thesis', one line each.
        notes: Warnings.
    """

    data: str
    split: str
    scale: str
    seeds: Sequence[int]
    changes: Sequence[str]
    notes: Sequence[str]


def compare_table(
    table: Table, runs: Mapping[str, Sequence[SavedReport]], context: TableContext
) -> dict[str, Any]:
    """The document of ``table-N.json``; scores and differences are fractions, rows count from 1.

    Args:
        table: The thesis' table.
        runs: By recipe, what its trainings (one per seed) predict on the same clips.
        context: Copied into the document.
    """
    return {
        "table": table.number,
        "title": table.title,
        "columns": table.columns,
        "remark": table.remark,
        **asdict(context),
        "rows": [_row(row, runs[row.recipe]) for row in table.rows],
        "confidence": CONFIDENCE,
        "comparisons": [_comparison(pair, table, runs) for pair in _pairs(table)],
    }


def macro_scores(run: SavedReport) -> dict[str, float]:
    """Macro F1, precision and recall; and mAP, which no threshold bears on."""
    scored = run.scored
    metrics = compute_metrics(scored.scores, scored.targets, run.thresholds, scored.task)
    macro = {name: getattr(metrics.macro, name) for name in SCORES}
    return {**macro, "map": metrics.mean_average_precision}


def _row(row: Row, runs: Sequence[SavedReport]) -> dict[str, Any]:
    by_run = [macro_scores(run) for run in runs]
    ours = {name: _over_seeds([scores[name] for scores in by_run]) for name in by_run[0]}
    thesis = {name: round(score / 100, 4) for name, score in zip(SCORES, row.scores, strict=True)}
    return {
        "labels": row.labels,
        "recipe": row.recipe,
        "thesis": thesis,
        "ours": ours,
        "difference": {name: ours[name]["mean"] - thesis[name] for name in SCORES},
    }


def _over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation; one seed has none."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "deviation": deviation, "runs": list(values)}


def _pairs(table: Table) -> list[tuple[int, int]]:
    """Every row with the baseline, and with the row before it, whose next step it is."""
    numbers = range(1, len(table.rows))
    return [*((number, 0) for number in numbers), *((number, number - 1) for number in numbers[1:])]


def _comparison(
    pair: tuple[int, int], table: Table, runs: Mapping[str, Sequence[SavedReport]]
) -> dict[str, Any]:
    ours, against = (table.rows[number] for number in pair)
    names = {
        "row": pair[0] + 1,
        "against": pair[1] + 1,
        "thesis": round((ours.scores[0] - against.scores[0]) / 100, 4),
    }
    scored = runs[ours.recipe][0].scored
    if len(np.unique(scored.recordings)) < 2:  # nothing to draw from
        return {**names, "difference": None, "p_value": None, "distinguishable": None}
    side_a, side_b = (
        [run.scored.label(run.thresholds) for run in runs[row.recipe]] for row in (ours, against)
    )
    paired = paired_comparison(
        side_a, side_b, scored.targets, scored.recordings.tolist(), confidence=CONFIDENCE
    )
    return {**names, **asdict(paired)}
