"""What single-label data is judged by: accuracy, confusion, and whether probabilities are true."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lilliput.scoring.arrays import BoolArray, FloatArray, IntArray, check_scores

_TOP = 5
_BINS = 10


@dataclass(frozen=True)
class Classification:
    """Scores of an evaluation in which every clip has one label; fractions in [0, 1].

    Attributes:
        top1: Clips whose given class is right; one that stays unknown is not.
        top5: Clips whose class is among the five most likely; None where there are no more
            than five classes.
        mean_class_accuracy: Mean over the annotated classes of the share of their clips that
            are right (balanced accuracy).
        unknown: Clips that are given no class.
        calibration_error: Expected difference between the probability of the most likely class
            and how often it is right.
    """

    top1: float
    top5: float | None
    mean_class_accuracy: float
    unknown: float
    calibration_error: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Reliability:
    """How often predictions of a probability are right, arrays of shape ``(B,)``.

    Attributes:
        confidence: Mean probability in each of the bins of equal width; NaN in an empty one.
        accuracy: Share that is right; NaN in an empty one.
        count: Predictions.
    """

    confidence: FloatArray
    accuracy: FloatArray
    count: IntArray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap, weighted by count; 0 of no predictions.

        Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
        """
        filled = self.count > 0
        if not filled.any():
            return 0.0
        gaps = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float(np.average(gaps, weights=self.count[filled]))


def classify(scores: FloatArray, targets: BoolArray, labels: BoolArray) -> Classification:
    """Scores an evaluation of single-label clips.

    A clip whose scores are all 0 could not be read: it is wrong, and no part of the calibration.

    Args:
        scores: Probabilities.
        targets: One per clip.
        labels: At most one per clip, from ``give_labels``.

    Shape:
        - scores, targets, labels: ``(N, K)``

    Raises:
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    check_scores(scores, targets)
    num_classes = scores.shape[1]
    hits = (labels & targets).sum(axis=0)
    support = targets.sum(axis=0)
    annotated = support > 0
    return Classification(
        top1=float(hits.sum() / len(scores)),
        top5=_top(scores, targets, _TOP) if num_classes > _TOP else None,
        mean_class_accuracy=float((hits[annotated] / support[annotated]).mean()),
        unknown=float((~labels.any(axis=1)).mean()),
        calibration_error=measure_reliability(*_most_likely(scores, targets)).error,
    )


def confusion_matrix(labels: BoolArray, targets: BoolArray) -> NDArray[np.int64]:
    """Clips of each class (rows) by the class that they are given; the last column is unknown.

    Shape:
        - labels, targets: ``(N, K)``
        - Output: ``(K, K + 1)``
    """
    given = np.column_stack([labels, ~labels.any(axis=1)]).astype(np.int64)
    return targets.T.astype(np.int64) @ given


def measure_reliability(
    scores: FloatArray, is_right: BoolArray, num_bins: int = _BINS
) -> Reliability:
    """Compares probabilities with how often what they belong to is right.

    Args:
        scores: Probabilities of predictions.
        is_right: Which predictions are right.
        num_bins: Bins of equal width.

    Shape:
        - scores, is_right: ``(M,)``
    """
    bins = np.minimum((scores * num_bins).astype(np.int64), num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(bins, scores, num_bins) / count
        accuracy = np.bincount(bins, is_right, num_bins) / count
    return Reliability(confidence, accuracy, count)


def reliability_of(scores: FloatArray, targets: BoolArray, task: str) -> Reliability:
    """The reliability of a model: of its most likely classes, or of all its labels.

    Clips whose scores are all 0 could not be read, and are left out.

    Shape:
        - scores, targets: ``(N, K)``
    """
    if task == "single":
        return measure_reliability(*_most_likely(scores, targets))
    readable = scores.any(axis=1)
    return measure_reliability(scores[readable].ravel(), targets[readable].ravel())


def _most_likely(scores: FloatArray, targets: BoolArray) -> tuple[FloatArray, BoolArray]:
    rows = np.flatnonzero(scores.any(axis=1))
    best = scores[rows].argmax(axis=1)
    return scores[rows, best], targets[rows, best]


def _top(scores: FloatArray, targets: BoolArray, count: int) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    found = np.take_along_axis(targets & (scores > 0), best, axis=1)
    return float(found.any(axis=1).mean())
