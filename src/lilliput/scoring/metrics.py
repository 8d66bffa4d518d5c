"""Precision, recall and F1 under every averaging, and average precision (thesis section 4.1.3).

The headline is macro F1. Nothing over nothing counts 0, not 1: a class that is neither annotated
nor predicted pulls the macro average down, and ``ClassMetrics.absent`` shows which ones did.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lilliput.scoring.arrays import BoolArray, FloatArray, IntArray, check_scores
from lilliput.scoring.labelling import give_labels
from lilliput.task import Task


@dataclass(frozen=True)
class Counts:
    """What precision, recall and F1 are computed from; the three arrays share one shape."""

    true_positives: NDArray[Any]
    predicted: NDArray[Any]
    support: NDArray[Any]

    @property
    def precision(self) -> FloatArray:
        """True positives over all that was predicted."""
        return _ratio(self.true_positives, self.predicted)

    @property
    def recall(self) -> FloatArray:
        """True positives over all that is annotated."""
        return _ratio(self.true_positives, self.support)

    @property
    def f1(self) -> FloatArray:
        """Harmonic mean of the two: ``2 TP / (predicted + support)``."""
        return _ratio(2 * self.true_positives, self.predicted + self.support)


@dataclass(frozen=True)
class Averages:
    """Precision, recall and F1 under one averaging, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ClassMetrics:
    """One value per class, arrays of shape ``(K,)``.

    ``average_precision`` is NaN where the class has no positives. ``support`` and ``predicted``
    are numbers of clips.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    average_precision: FloatArray
    support: IntArray
    predicted: IntArray

    @property
    def absent(self) -> BoolArray:
        """Classes neither annotated nor predicted: their 0 is a convention, not a failure."""
        return np.asarray((self.support == 0) & (self.predicted == 0))


@dataclass(frozen=True)
class Metrics:
    """All scores of one evaluation.

    Attributes:
        macro: Unweighted mean over the classes; ``macro.f1`` is the headline.
        micro: Over all (clip, class) decisions pooled.
        samples: Mean over the clips.
        weighted: Mean over the classes, weighted by support.
        mean_average_precision: Mean over the classes that have positives; NaN if none has.
        per_class: The same, class by class.
    """

    macro: Averages
    micro: Averages
    samples: Averages
    weighted: Averages
    mean_average_precision: float
    per_class: ClassMetrics

    def to_dict(self) -> dict[str, Any]:
        """Nested lists and numbers ready for JSON; NaN becomes None."""
        per_class = {name: _jsonable(array) for name, array in vars(self.per_class).items()}
        return {
            "macro": asdict(self.macro),
            "micro": asdict(self.micro),
            "samples": asdict(self.samples),
            "weighted": asdict(self.weighted),
            "mean_average_precision": _jsonable(np.array([self.mean_average_precision]))[0],
            "per_class": {**per_class, "absent": self.per_class.absent.tolist()},
        }


def compute_metrics(
    scores: FloatArray,
    targets: BoolArray,
    thresholds: float | Sequence[float] | FloatArray,
    task: Task = "multi",
) -> Metrics:
    """Scores one evaluation under every averaging.

    Args:
        scores: Scores in [0, 1].
        targets: True where the clip carries the label.
        thresholds: One for all classes, or one per class; see ``give_labels``.
        task: How many labels a clip has.

    Shape:
        - scores, targets: ``(N, K)``

    Raises:
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    check_scores(scores, targets)
    labels = give_labels(scores, thresholds, task)
    by_class = count(labels, targets, axis=0)
    by_clip = count(labels, targets, axis=1)
    precisions = average_precision(scores, targets)
    annotated = by_class.support > 0
    return Metrics(
        macro=average(by_class, np.ones_like(by_class.support)),
        micro=average(count(labels, targets, axis=None), np.ones(())),
        samples=average(by_clip, np.ones_like(by_clip.support)),
        weighted=average(by_class, by_class.support),
        mean_average_precision=float(precisions[annotated].mean()) if annotated.any() else np.nan,
        per_class=ClassMetrics(
            precision=by_class.precision,
            recall=by_class.recall,
            f1=by_class.f1,
            average_precision=precisions,
            support=by_class.support,
            predicted=by_class.predicted,
        ),
    )


def samples_f1(scores: FloatArray, targets: BoolArray, threshold: float = 0.5) -> float:
    """Mean over the clips of each one's F1 at a common threshold, in [0, 1].

    What the code of the TinyAction challenge logs on the validation split, while its server ranks
    by macro F1; frequent classes carry it. That code compares logits with 0.5, which are scores of
    0.62; here scores are compared, as section 3.5 of the thesis says.

    Shape:
        - scores, targets: ``(N, K)``

    Raises:
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    check_scores(scores, targets)
    return float(count(give_labels(scores, threshold, "multi"), targets, axis=1).f1.mean())


def average_precision(scores: FloatArray, targets: BoolArray) -> FloatArray:
    """Area under each class's precision-recall steps; equal scores enter together.

    The sum over distinct scores of (increase in recall) x (precision there), without
    interpolation. NaN for a class without positives.

    Shape:
        - scores, targets: ``(N, K)``
        - Output: ``(K,)``

    Raises:
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    check_scores(scores, targets)
    result = np.full(scores.shape[1], np.nan)
    for index in np.flatnonzero(targets.any(axis=0)):
        order = np.argsort(scores[:, index])[::-1]
        ranked = scores[order, index]
        last_of_ties = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        hits = np.cumsum(targets[order, index])[last_of_ties]
        recall_steps = np.diff(hits, prepend=0) / hits[-1]
        result[index] = np.sum(recall_steps * hits / (last_of_ties + 1))
    return result


def count(labels: BoolArray, targets: BoolArray, axis: int | None) -> Counts:
    """Counts hits, predictions and annotations along an axis of ``(N, K)`` arrays.

    Axis 0 gives counts per class, axis 1 per clip, None the pooled ones.
    """
    return Counts(
        true_positives=np.asarray(np.sum(labels & targets, axis=axis)),
        predicted=np.asarray(np.sum(labels, axis=axis)),
        support=np.asarray(np.sum(targets, axis=axis)),
    )


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> FloatArray:
    """Quotient that is 0 where the denominator is 0."""
    return np.asarray(numerator / np.maximum(denominator, 1), dtype=np.float64)


def average(counts: Counts, weights: NDArray[Any]) -> Averages:
    """Weighted mean of the three scores; 0 where all weights are 0."""
    total = max(float(weights.sum()), 1.0)
    return Averages(
        precision=float(np.sum(counts.precision * weights) / total),
        recall=float(np.sum(counts.recall * weights) / total),
        f1=float(np.sum(counts.f1 * weights) / total),
    )


def _jsonable(array: NDArray[Any]) -> list[float | int | None]:
    return [None if np.isnan(value) else value for value in array.tolist()]
