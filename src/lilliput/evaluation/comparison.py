"""A run beside a baseline on the same clips."""

from dataclasses import asdict
from typing import Any

import numpy as np

from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import count, paired_comparison


def compare_runs(
    labels: np.ndarray,
    scored: ScoredClips,
    baseline: ScoredClips,
    thresholds: np.ndarray,
    confidence: float,
) -> dict[str, Any]:
    """Macro F1 of both (and top-1 where a clip has one label), their paired difference, each class.

    Args:
        labels: (N, K) what the run gives.
        scored: Its scores.
        baseline: Those of the other run.
        thresholds: (K,) the baseline's.
        confidence: Share of the resamples inside the interval.

    Raises:
        DataError: The baseline scored other clips or classes, or is of the other task.
    """
    for name, ours, theirs in (
        ("clips", scored.clip_ids, baseline.clip_ids),
        ("classes", scored.class_names, baseline.class_names),
        ("labels", scored.targets, baseline.targets),
    ):
        if not np.array_equal(ours, theirs):
            raise DataError(f"the baseline was scored on other {name}; evaluate both on one split")
    if scored.task != baseline.task:
        raise DataError(
            "one of this run and the baseline gives one label per clip, the other any number; "
            "compare runs of one task"
        )
    baseline_labels = baseline.label(thresholds)
    recordings = scored.recordings.tolist()
    paired = paired_comparison(
        labels, baseline_labels, scored.targets, recordings, confidence=confidence
    )
    f1 = count(labels, scored.targets, axis=0).f1
    baseline_f1 = count(baseline_labels, scored.targets, axis=0).f1
    single = scored.task == "single"
    return {
        "macro_f1": float(f1.mean()),
        "baseline_macro_f1": float(baseline_f1.mean()),
        "top1": _top1(labels, scored.targets) if single else None,
        "baseline_top1": _top1(baseline_labels, scored.targets) if single else None,
        **asdict(paired),
        "per_class": [
            {"name": name, "f1": ours, "baseline_f1": theirs, "difference": ours - theirs}
            for name, ours, theirs in zip(
                scored.class_names.tolist(), f1.tolist(), baseline_f1.tolist(), strict=True
            )
        ],
    }


def _top1(labels: np.ndarray, targets: np.ndarray) -> float:
    return float((labels & targets).any(axis=1).mean())
