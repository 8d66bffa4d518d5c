"""The numbers of a report on one run (sections 3.5, 4.1.3, 4.7).

They are plain JSON, so that tables, pictures and pages are drawn from ``report.json`` alone.
Scores are fractions in [0, 1]; what cannot be computed is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lilliput.data.describe import RESOLUTION_GROUPS, resolution_group
from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import (
    Metrics,
    apply_thresholds,
    bootstrap_intervals,
    compute_metrics,
    count,
    paired_comparison,
    threshold_curve,
)

AVERAGING = {
    "macro": "mean over the classes, rare ones count as much as frequent ones",
    "micro": "over all decisions pooled, one per clip and class",
    "samples": "mean over the clips",
    "weighted": "mean over the classes, weighted by their number of clips",
}
CONFIDENCE = 0.95


@dataclass(frozen=True)
class ReportContext:
    """What a reader must know about the run beside its scores.

    Attributes:
        title: Heading of the report.
        note: A warning to show first; empty for none.
        facts: Rows such as data set, split, model and command.
    """

    title: str
    note: str
    facts: Mapping[str, str]


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
        thresholds: (K,) or one for all classes; tuned on other clips, or the scores flatter.
        context: Title, warning and facts.
        baseline: Scores and thresholds of a run to compare with, on the same clips.

    Returns:
        The document of ``report.json``. ``intervals`` is None where all clips come from one
        recording: there is nothing to draw from.

    Raises:
        DataError: The labels are withheld, or the baseline scored other clips or classes.
    """
    if not scored.labelled:
        raise DataError(
            "the labels of these clips are withheld: report on a labelled split, "
            "or use `lilliput submit` for this one"
        )
    labels = apply_thresholds(scored.scores, thresholds)
    metrics = compute_metrics(scored.scores, scored.targets, np.asarray(thresholds))
    averages = metrics.to_dict()
    del averages["per_class"]  # given below as one row per class
    num_clips, num_classes = scored.targets.shape
    return {
        "title": context.title,
        "note": context.note,
        "facts": dict(context.facts),
        "num_clips": num_clips,
        "num_classes": num_classes,
        "num_recordings": len(np.unique(scored.recordings)),
        "unreadable": scored.unreadable.tolist(),
        "metrics": averages,
        "averaging": AVERAGING,
        "confidence": CONFIDENCE,
        "intervals": _intervals(labels, scored),
        "guessers": _guessers(scored.targets),
        "per_class": _per_class(metrics, labels, scored, thresholds),
        "per_resolution": _per_resolution(labels, scored),
        "threshold_curve": {
            name: values.tolist()
            for name, values in vars(threshold_curve(scored.scores, scored.targets)).items()
        },
        "comparison": None if baseline is None else _comparison(labels, scored, *baseline),
    }


def _intervals(labels: np.ndarray, scored: ScoredClips) -> dict[str, Any] | None:
    if len(np.unique(scored.recordings)) < 2:
        return None
    intervals = bootstrap_intervals(
        labels, scored.targets, scored.recordings.tolist(), confidence=CONFIDENCE
    )
    return {name: asdict(interval) for name, interval in intervals.items()}


def _guessers(targets: np.ndarray) -> list[dict[str, Any]]:
    """What is reached without looking at the clips, knowing only how frequent each class is.

    A class of prior p that is given to the share q of the clips, whichever they are, has an F1
    of 2pq / (p + q). That grows with q, so no blind guesser beats "every label" in macro F1.
    """
    num_clips, num_classes = targets.shape
    support = targets.sum(axis=0)
    prior = support / num_clips
    ranking = np.argsort(-support, kind="stable")
    given = num_clips * np.arange(1, num_classes + 1)
    micro_f1 = 2 * np.cumsum(support[ranking]) / (given + support.sum())
    frequent = np.isin(np.arange(num_classes), ranking[: np.argmax(micro_f1) + 1])
    common = {"mean_average_precision": float(prior[prior > 0].mean()) if prior.any() else None}
    return [
        {
            "name": "every label",
            "meaning": "gives every label to every clip: the best macro F1 of a blind guess",
            **_constant_guess(np.ones(num_classes, dtype=bool), targets),
            **common,
        },
        {
            "name": "frequent labels",
            "meaning": f"gives every clip the {frequent.sum()} most frequent of the labels: the "
            "best micro F1 of a blind guess",
            **_constant_guess(frequent, targets),
            **common,
        },
        {
            "name": "random by prior",
            "meaning": "gives each label at random, as often as it occurs (expected counts)",
            "macro_f1": float(prior.mean()),
            "micro_f1": float(np.square(prior).sum() / prior.sum()) if prior.any() else 0.0,
            **common,
        },
    ]


def _constant_guess(given: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    labels = np.broadcast_to(given, targets.shape)
    return {
        "macro_f1": float(count(labels, targets, axis=0).f1.mean()),
        "micro_f1": float(count(labels, targets, axis=None).f1),
    }


def _per_class(
    metrics: Metrics,
    labels: np.ndarray,
    scored: ScoredClips,
    thresholds: Sequence[float] | np.ndarray,
) -> list[dict[str, Any]]:
    columns = metrics.to_dict()["per_class"]
    hits = count(labels, scored.targets, axis=0)
    columns |= {
        "name": scored.class_names.tolist(),
        "true_positives": hits.true_positives.tolist(),
        "false_positives": (hits.predicted - hits.true_positives).tolist(),
        "false_negatives": (hits.support - hits.true_positives).tolist(),
        # Where clips have their own, as in a cross-validation, the one in the middle.
        "threshold": np.median(np.broadcast_to(thresholds, labels.shape), axis=0).tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _per_resolution(labels: np.ndarray, scored: ScoredClips) -> list[dict[str, Any]]:
    """One row per group of figure 4.5, and one for clips whose size could not be read."""
    groups = np.array([resolution_group(int(side)) for side in scored.sides])
    groups[scored.sides == 0] = -1
    rows = [
        {"group": name, **_group_scores(labels[groups == index], scored.targets[groups == index])}
        for index, name in enumerate(RESOLUTION_GROUPS)
    ]
    unknown = groups == -1
    if unknown.any():
        scores = _group_scores(labels[unknown], scored.targets[unknown])
        rows.append({"group": "unknown", **scores})
    return rows


def _group_scores(labels: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    """Macro F1 is the mean over the classes annotated in the group: the others say nothing."""
    by_class = count(labels, targets, axis=0)
    annotated = by_class.support > 0
    scorable = bool(annotated.any())
    return {
        "clips": len(targets),
        "classes": int(annotated.sum()),
        "macro_f1": float(by_class.f1[annotated].mean()) if scorable else None,
        "micro_f1": float(count(labels, targets, axis=None).f1) if scorable else None,
    }


def _comparison(
    labels: np.ndarray, scored: ScoredClips, baseline: ScoredClips, thresholds: np.ndarray
) -> dict[str, Any]:
    for name, ours, theirs in (
        ("clips", scored.clip_ids, baseline.clip_ids),
        ("classes", scored.class_names, baseline.class_names),
        ("labels", scored.targets, baseline.targets),
    ):
        if not np.array_equal(ours, theirs):
            raise DataError(f"the baseline was scored on other {name}; evaluate both on one split")
    baseline_labels = apply_thresholds(baseline.scores, thresholds)
    paired = paired_comparison(
        labels,
        baseline_labels,
        scored.targets,
        scored.recordings.tolist(),
        confidence=CONFIDENCE,
    )
    f1 = count(labels, scored.targets, axis=0).f1
    baseline_f1 = count(baseline_labels, scored.targets, axis=0).f1
    return {
        "macro_f1": float(f1.mean()),
        "baseline_macro_f1": float(baseline_f1.mean()),
        **asdict(paired),
        "per_class": [
            {"name": name, "f1": ours, "baseline_f1": theirs, "difference": ours - theirs}
            for name, ours, theirs in zip(
                scored.class_names.tolist(), f1.tolist(), baseline_f1.tolist(), strict=True
            )
        ],
    }
