"""A table's numbers: ours over the seeds, the thesis', and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lilliput.experiments.rows import Row, Scores, Table
from lilliput.experiments.saved import SavedReport
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
    rows = [_row(row, runs[row.recipe]) for row in table.rows]
    return {
        "table": table.number,
        "name": table.name,
        "title": table.title,
        "columns": table.columns,
        "remark": table.remark,
        **asdict(context),
        "printed": table.printed,
        "rows": rows,
        "improvement": _improvement(table, rows),
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
    thesis = _fractions(row.scores)
    return {
        "labels": row.labels,
        "recipe": row.recipe,
        "thesis": thesis,
        "ours": ours,
        "difference": {
            name: None if printed is None else ours[name]["mean"] - printed
            for name, printed in thesis.items()
        },
    }


def _fractions(printed: Scores | None) -> dict[str, float | None]:
    """Percentages of the thesis by name; none where it prints none."""
    if printed is None:
        return dict.fromkeys(SCORES)
    return {name: round(score / 100, 4) for name, score in zip(SCORES, printed, strict=True)}


def _improvement(table: Table, rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What the last row gains over the first, as table 4.12 ends; by seed, so with a deviation."""
    if table.improvement is None:
        return None
    first, last = rows[0]["ours"], rows[-1]["ours"]
    ours = {
        name: _over_seeds(
            [a - b for a, b in zip(last[name]["runs"], first[name]["runs"], strict=True)]
        )
        for name in last
    }
    return {"thesis": _fractions(table.improvement), "ours": ours}


def _over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation; one seed has none."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "deviation": deviation, "runs": list(values)}


def _pairs(table: Table) -> list[tuple[int, int]]:
    """Every row with the baseline; then each with the one before it, or the last with each."""
    numbers = range(1, len(table.rows))
    last = len(table.rows) - 1
    others = [(number, number - 1) if table.steps else (last, number - 1) for number in numbers[1:]]
    return [*((number, 0) for number in numbers), *others]


def _comparison(
    pair: tuple[int, int], table: Table, runs: Mapping[str, Sequence[SavedReport]]
) -> dict[str, Any]:
    ours, against = (table.rows[number] for number in pair)
    printed = None
    if ours.scores and against.scores:
        printed = round((ours.scores[0] - against.scores[0]) / 100, 4)
    names = {"row": pair[0] + 1, "against": pair[1] + 1, "thesis": printed}
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
