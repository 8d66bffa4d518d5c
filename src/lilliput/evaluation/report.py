"""The numbers of a report on one run (sections 3.5, 4.1.3, 4.7).

They are plain JSON, so that tables, pictures and pages are drawn from ``report.json`` alone.
Scores are fractions in [0, 1]; what cannot be computed is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lilliput.errors import DataError
from lilliput.evaluation.breakdown import rows_per_class, rows_per_resolution
from lilliput.evaluation.certainty import coverage_curve, reliability_rows
from lilliput.evaluation.comparison import compare_runs
from lilliput.evaluation.guessers import blind_guesses
from lilliput.evaluation.history import History
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import (
    bootstrap_intervals,
    classify,
    compute_metrics,
    confusion_matrix,
    samples_f1,
    threshold_curve,
)

AVERAGING = {
    "macro": "mean over the classes, rare ones count as much as frequent ones",
    "micro": "over all decisions pooled, one per clip and class",
    "samples": "mean over the clips",
    "weighted": "mean over the classes, weighted by their number of clips",
}
CONFIDENCE = 0.95
_ACCURACIES = ("top1", "mean_class_accuracy")  # which say something of single-label clips only


@dataclass(frozen=True)
class ReportContext:
    """What a reader must know about the run beside its scores.

    Attributes:
        title: Heading of the report.
        note: A warning to show first; empty for none.
        facts: Rows such as data set, split, model and command.
        history: The epochs of its training; None where they are not at hand.
    """

    title: str
    note: str
    facts: Mapping[str, str]
    history: History | None = None


def evaluate_report(
    scored: ScoredClips,
    thresholds: Sequence[float] | np.ndarray,
    context: ReportContext,
    baseline: tuple[ScoredClips, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Computes everything a report shows.

    Args:
        scored: Scores of labelled clips. Those that could not be read count as clips that were
            given no label.
        thresholds: (K,), one for all classes, or (N, K), one per clip and class; tuned on other
            clips, or the scores flatter.
        context: Title, warning and facts.
        baseline: Scores and thresholds of a run to compare with, on the same clips.

    Returns:
        The document of ``report.json``. ``intervals`` is None where all clips come from one
        recording: there is nothing to draw from. ``classification``, ``confusion``,
        ``unknown_below`` and ``coverage_curve`` are of clips with one label, ``threshold_curve``
        and ``samples_f1_at_half`` (at a threshold of 0.5, whatever those in use) of clips with
        any number; each is None for the others.

    Raises:
        DataError: The labels are withheld, a clip has not exactly one label where the task says
            so, or the baseline scored other clips or classes.
    """
    if not scored.labelled:
        raise DataError(
            "the labels of these clips are withheld: report on a labelled split, "
            "or use `lilliput submit` for this one"
        )
    limits = np.asarray(thresholds)
    labels = scored.label(limits)
    metrics = compute_metrics(scored.scores, scored.targets, limits, scored.task)
    averages = metrics.to_dict()
    del averages["per_class"]  # given below as one row per class
    num_clips, num_classes = scored.targets.shape
    of_task = _one_label(labels, scored, limits) if scored.task == "single" else _any_label(scored)
    return {
        "title": context.title,
        "note": context.note,
        "facts": dict(context.facts),
        "task": scored.task,
        "num_clips": num_clips,
        "num_classes": num_classes,
        "num_recordings": len(np.unique(scored.recordings)),
        "unreadable": scored.unreadable.tolist(),
        "metrics": averages,
        "averaging": AVERAGING,
        "samples_f1_at_half": samples_f1(scored.scores, scored.targets)
        if scored.task == "multi"
        else None,
        "confidence": CONFIDENCE,
        "intervals": _intervals(labels, scored),
        "guessers": blind_guesses(scored.targets, scored.task),
        "per_class": rows_per_class(metrics, labels, scored, limits),
        "per_resolution": rows_per_resolution(labels, scored),
        "reliability": reliability_rows(scored),
        **of_task,
        "history": None if context.history is None else dict(context.history),
        "comparison": None
        if baseline is None
        else compare_runs(labels, scored, *baseline, confidence=CONFIDENCE),
    }


def _one_label(labels: np.ndarray, scored: ScoredClips, thresholds: np.ndarray) -> dict[str, Any]:
    others = np.flatnonzero(scored.targets.sum(axis=1) != 1)
    if others.size:
        raise DataError(
            f"clip {scored.clip_ids[others[0]]} has {scored.targets[others[0]].sum()} labels, but "
            "the model gives each clip one; evaluate it on clips with one label each"
        )
    return {
        "classification": classify(scored.scores, scored.targets, labels).to_dict(),
        "confusion": confusion_matrix(labels, scored.targets).tolist(),
        "unknown_below": float(thresholds.max()),
        "coverage_curve": coverage_curve(scored),
        "threshold_curve": None,
    }


def _any_label(scored: ScoredClips) -> dict[str, Any]:
    curve = threshold_curve(scored.scores, scored.targets)
    return {
        "classification": None,
        "confusion": None,
        "unknown_below": None,
        "coverage_curve": None,
        "threshold_curve": {name: values.tolist() for name, values in vars(curve).items()},
    }


def _intervals(labels: np.ndarray, scored: ScoredClips) -> dict[str, Any] | None:
    if len(np.unique(scored.recordings)) < 2:
        return None
    intervals = bootstrap_intervals(
        labels, scored.targets, scored.recordings.tolist(), confidence=CONFIDENCE
    )
    return {
        name: asdict(interval)
        for name, interval in intervals.items()
        if scored.task == "single" or name not in _ACCURACIES
    }
