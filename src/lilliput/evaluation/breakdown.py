"""Scores of a run by class, and by the size of its videos."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lilliput.data.describe import RESOLUTION_GROUPS, resolution_group
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import Metrics, confusion_matrix, count
from lilliput.task import Task

UNKNOWN = "unknown"  # what a clip that is given no class is called


def rows_per_class(
    metrics: Metrics,
    labels: np.ndarray,
    scored: ScoredClips,
    thresholds: Sequence[float] | np.ndarray,
) -> list[dict[str, Any]]:
    """One row per class; where a clip has one label, also what the class is confused with."""
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
    if scored.task == "single":
        columns |= _confusions(labels, scored)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def rows_per_resolution(labels: np.ndarray, scored: ScoredClips) -> list[dict[str, Any]]:
    """One row per group of figure 4.5, and one for clips whose size could not be read."""
    groups = np.array([resolution_group(int(side)) for side in scored.sides])
    groups[scored.sides == 0] = -1
    names = dict(enumerate(RESOLUTION_GROUPS))
    if (groups == -1).any():
        names[-1] = "unknown"
    return [
        {
            "group": name,
            **_group_scores(labels[groups == index], scored.targets[groups == index], scored.task),
        }
        for index, name in names.items()
    ]


def rows_per_side(labels: np.ndarray, scored: ScoredClips) -> list[dict[str, Any]]:
    """One row per short side that occurs, smallest first; clips of unknown size are left out."""
    rows = []
    for side in np.unique(scored.sides[scored.sides > 0]):
        clips = scored.sides == side
        scores = _group_scores(labels[clips], scored.targets[clips], scored.task)
        rows.append({"side": int(side), **scores})
    return rows


def _confusions(labels: np.ndarray, scored: ScoredClips) -> dict[str, list[Any]]:
    """The wrong class that each class is most often given; None where all its clips are right."""
    wrong = confusion_matrix(labels, scored.targets)
    np.fill_diagonal(wrong, 0)
    names = [*scored.class_names.tolist(), UNKNOWN]
    most = wrong.argmax(axis=1)
    clips = wrong.max(axis=1)
    return {
        "confused_with": [
            names[other] if number else None for other, number in zip(most, clips, strict=True)
        ],
        "confused_clips": clips.tolist(),
    }


def _group_scores(labels: np.ndarray, targets: np.ndarray, task: Task) -> dict[str, Any]:
    """Macro F1 is the mean over the classes annotated in the group: the others say nothing."""
    by_class = count(labels, targets, axis=0)
    annotated = by_class.support > 0
    scorable = bool(annotated.any())
    scores = {
        "clips": len(targets),
        "classes": int(annotated.sum()),
        "macro_f1": float(by_class.f1[annotated].mean()) if scorable else None,
        "micro_f1": float(count(labels, targets, axis=None).f1) if scorable else None,
    }
    if task == "single":
        scores["top1"] = float((labels & targets).any(axis=1).mean()) if scorable else None
    return scores
