"""Scores into labels: any number to a clip above thresholds, or the one most likely class."""

from collections.abc import Sequence

import numpy as np

from lilliput.errors import DataError
from lilliput.scoring.arrays import BoolArray, FloatArray
from lilliput.task import Task


def give_labels(
    scores: FloatArray, thresholds: float | Sequence[float] | FloatArray, task: Task
) -> BoolArray:
    """The labels that scores stand for.

    A clip of a multi-label task is given every class whose score exceeds its threshold. A clip of
    a single-label task is given its most likely class, the first of equals; it stays unknown,
    without a label, where the score of that class does not exceed the class' threshold.

    Args:
        scores: Scores in [0, 1].
        thresholds: One for all classes, one per class, or one per clip and class.
        task: How many labels a clip has.

    Shape:
        - scores: ``(N, K)``
        - Output: ``(N, K)``

    Raises:
        DataError: The number of thresholds is neither one nor the number of classes.
    """
    above = apply_thresholds(scores, thresholds)
    return above if task == "multi" else above & most_likely(scores)


def most_likely(scores: FloatArray) -> BoolArray:
    """(N, K): true at the highest score of each row, the first of equals."""
    likely = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(likely, scores.argmax(axis=-1)[..., None], True, axis=-1)
    return likely


def apply_thresholds(
    scores: FloatArray, thresholds: float | Sequence[float] | FloatArray
) -> BoolArray:
    """Where scores exceed their thresholds (thesis section 3.5).

    Args:
        scores: Scores in [0, 1].
        thresholds: One for all classes, one per class, or one per clip and class, as where each
            fold of a cross-validation has its own.

    Shape:
        - scores: ``(N, K)``
        - Output: ``(N, K)``

    Raises:
        DataError: The number of thresholds is neither one nor the number of classes.
    """
    limits = np.asarray(thresholds, dtype=np.float64)
    num_classes = scores.shape[-1]
    if limits.shape not in ((), (num_classes,), scores.shape):
        raise DataError(
            f"thresholds have shape {limits.shape}: give one number, or one per class"
            f" ({num_classes})"
        )
    # A bare number would be rounded to the scores' precision first, and could then tie with one.
    return np.greater(scores, np.broadcast_to(limits, limits.shape or (num_classes,)))
