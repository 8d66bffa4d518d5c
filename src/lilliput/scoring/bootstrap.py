"""How far a score can be trusted: bootstrap over recordings.

Clips cut from one recording share its scene, people and light, so they are not independent.
Whole recordings are drawn with replacement instead of clips (the cluster bootstrap: Davison and
Hinkley, Bootstrap Methods and their Application, 1997, section 3.8); drawing clips would give
intervals that are too narrow.

A resample may miss every positive of a rare class. Counting that class 0 there would push the
whole interval below the score itself, so it is left out of that resample's macro averages.
Classes without positives in the full data count 0 throughout, as they do in the headline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lilliput.errors import ConfigError, DataError
from lilliput.scoring.arrays import BoolArray, FloatArray
from lilliput.scoring.metrics import Counts


@dataclass(frozen=True)
class Interval:
    """A score on all clips, and the percentile interval of its resamples."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedComparison:
    """Macro F1 of side A minus that of side B on the same clips.

    Attributes:
        difference: With its interval; positive where A is better.
        p_value: Two-sided, for the hypothesis of no difference.
        distinguishable: Whether the interval leaves 0 out. "Not distinguishable" is a finding
            too: these recordings cannot tell the two sides apart.
    """

    difference: Interval
    p_value: float
    distinguishable: bool


def bootstrap_intervals(
    labels: BoolArray,
    targets: BoolArray,
    groups: Sequence[str],
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Confidence intervals of macro and micro precision, recall and F1, and of accuracies.

    Args:
        labels: What the run predicts, from ``give_labels``.
        targets: True where the clip carries the label.
        groups: The recording of each clip, length N.
        num_samples: Resamples; 1000 are enough for a 95 % interval.
        confidence: Share of the resamples inside the interval, between 0 and 1.
        seed: Of the resampling.

    Shape:
        - labels, targets: ``(N, K)``

    Returns:
        Intervals by name: ``macro_f1``, ``micro_recall`` and so on; ``top1`` and
        ``mean_class_accuracy``, which say something of single-label clips only.

    Raises:
        ConfigError: ``num_samples`` or ``confidence`` is out of range.
        DataError: The arrays do not fit, or come from fewer than two recordings.
    """
    _check_settings(num_samples, confidence)
    _check_labels(labels, targets, groups)
    counts = _count_by_group([labels], targets, groups)[:, 0]
    annotated = np.any(targets, axis=0)
    estimates = _averages(counts.sum(axis=0), annotated)
    resamples = _averages(_resample(counts, num_samples, seed), annotated)
    return {
        name: _interval(float(estimates[name]), values, confidence)
        for name, values in resamples.items()
    }


def paired_comparison(
    labels_a: BoolArray | Sequence[BoolArray],
    labels_b: BoolArray | Sequence[BoolArray],
    targets: BoolArray,
    groups: Sequence[str],
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedComparison:
    """Compares the macro F1 of two runs on the same clips, or of two methods with several each.

    All runs are scored on the same resamples, so what is easy or hard for all cancels out. The
    runs of one side (seeds of one method) count with the mean of their macro F1; how much seeds
    vary is not part of the interval.

    Args:
        labels_a: What side A predicts, from ``give_labels``: one run, or several.
        labels_b: What side B predicts.
        targets: True where the clip carries the label.
        groups: The recording of each clip, length N.
        num_samples: Resamples.
        confidence: Share of the resamples inside the interval, between 0 and 1.
        seed: Of the resampling.

    Shape:
        - labels_a, labels_b: ``(N, K)`` each run
        - targets: ``(N, K)``

    Raises:
        ConfigError: ``num_samples`` or ``confidence`` is out of range.
        DataError: The arrays do not fit, a side is empty, or there are fewer than two recordings.
    """
    _check_settings(num_samples, confidence)
    runs_a, runs_b = _as_runs(labels_a), _as_runs(labels_b)
    for labels in (*runs_a, *runs_b):
        _check_labels(labels, targets, groups)
    counts = _count_by_group([*runs_a, *runs_b], targets, groups)
    annotated = np.any(targets, axis=0)

    def difference(sums: NDArray[np.float64]) -> FloatArray:
        scores = _averages(sums, annotated)["macro_f1"]
        side_a, side_b = np.split(scores, [len(runs_a)], axis=-1)
        return np.asarray(side_a.mean(axis=-1) - side_b.mean(axis=-1))

    differences = difference(_resample(counts, num_samples, seed))
    interval = _interval(float(difference(counts.sum(axis=0))), differences, confidence)
    fewer = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return PairedComparison(
        difference=interval,
        # Counting the data themselves as one more resample keeps the p-value above 0.
        p_value=float(min(1.0, 2 * (fewer + 1) / (num_samples + 1))),
        distinguishable=interval.low > 0 or interval.high < 0,
    )


def _count_by_group(
    runs: Sequence[BoolArray], targets: BoolArray, groups: Sequence[str]
) -> NDArray[np.float64]:
    """Sums true positives, predictions and support per recording: ``(G, runs, 3, K)``."""
    names, group_of_clip = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        raise DataError("groups name one recording only: a bootstrap needs at least two")
    counts = np.zeros((len(names), len(runs), 3, targets.shape[1]))
    for run, labels in enumerate(runs):
        for kind, hits in enumerate((labels & targets, labels, targets)):
            np.add.at(counts[:, run, kind], group_of_clip, hits)
    return counts


def _resample(counts: NDArray[np.float64], num_samples: int, seed: int) -> NDArray[np.float64]:
    """Sums the counts of as many recordings as there are, drawn with replacement.

    Shape:
        - counts: ``(G, ...)``
        - Output: ``(num_samples, ...)``
    """
    rng = np.random.default_rng(seed)
    num_groups = len(counts)
    flat = counts.reshape(num_groups, -1)
    draws = (rng.integers(num_groups, size=num_groups) for _ in range(num_samples))
    sums = np.stack([np.bincount(draw, minlength=num_groups) @ flat for draw in draws])
    return sums.reshape(num_samples, *counts.shape[1:])


def _averages(sums: NDArray[np.float64], annotated: BoolArray) -> dict[str, FloatArray]:
    """Macro and micro scores.

    Shape:
        - sums: ``(..., 3, K)``, true positives, predictions and support
        - annotated: ``(K,)``, whether a class has positives in the full data
        - Output: ``(...)`` each
    """
    by_class = Counts(*np.moveaxis(sums, -2, 0))
    pooled = Counts(*np.moveaxis(sums.sum(axis=-1), -1, 0))
    kept = (by_class.support > 0) | ~annotated
    num_kept = np.maximum(kept.sum(axis=-1), 1)
    found = by_class.support > 0
    num_found = np.maximum(found.sum(axis=-1), 1)
    return {
        "macro_precision": (by_class.precision * kept).sum(axis=-1) / num_kept,
        "macro_recall": (by_class.recall * kept).sum(axis=-1) / num_kept,
        "macro_f1": (by_class.f1 * kept).sum(axis=-1) / num_kept,
        "micro_precision": pooled.precision,
        "micro_recall": pooled.recall,
        "micro_f1": pooled.f1,
        # Of single-label clips: the share that is right, and its mean over the classes.
        "top1": pooled.recall,
        "mean_class_accuracy": (by_class.recall * found).sum(axis=-1) / num_found,
    }


def _interval(estimate: float, resamples: NDArray[Any], confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(resamples, [tail, 1 - tail])
    return Interval(estimate=estimate, low=float(low), high=float(high))


def _as_runs(labels: BoolArray | Sequence[BoolArray]) -> list[BoolArray]:
    runs = [labels] if isinstance(labels, np.ndarray) else list(labels)
    if not runs:
        raise DataError("a side of the comparison has no runs: give the labels of one or more")
    return runs


def _check_settings(num_samples: int, confidence: float) -> None:
    if num_samples < 1:
        raise ConfigError(f"num_samples is {num_samples}: it must be at least 1")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}: it must lie between 0 and 1, such as 0.95")


def _check_labels(labels: BoolArray, targets: BoolArray, groups: Sequence[str]) -> None:
    if labels.ndim != 2 or labels.shape != targets.shape or labels.size == 0:
        raise DataError(
            f"labels {labels.shape} and targets {targets.shape}: both must be (clips, classes)"
            " and hold something"
        )
    if labels.dtype != np.bool_ or targets.dtype != np.bool_:
        raise DataError(
            f"labels are {labels.dtype} and targets {targets.dtype}: both must be boolean;"
            " labels come from give_labels"
        )
    if len(groups) != len(labels):
        raise DataError(f"groups name {len(groups)} recordings for {len(labels)} clips: one each")
