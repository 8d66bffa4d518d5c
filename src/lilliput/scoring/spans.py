"""Detection in time: are the right actions found when they happen?

A span reaches from ``start`` up to ``end``, which no longer belongs to it; both in seconds or
both in frames. Frames ``first`` to ``last``, both included, are the span from ``first`` to
``last + 1``.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lilliput.scoring.arrays import BoolArray, FloatArray
from lilliput.scoring.matching import DetectionScores, detection_f1, detection_precision
from lilliput.scoring.metrics import average_precision


class Span(NamedTuple):
    """One action in one recording.

    Attributes:
        recording: Which recording.
        label: Index of the class.
        start: Where it begins, seconds or frames.
        end: Where it is over.
        score: Confidence; of no concern in a truth.
    """

    recording: Hashable
    label: int
    start: float
    end: float
    score: float = 1.0


@dataclass(frozen=True)
class MeanPrecision:
    """Average precision under one way of counting.

    Attributes:
        mean: Over the classes that occur; NaN if none does.
        per_class: (K,); NaN where the class does not occur.
    """

    mean: float
    per_class: FloatArray


def event_f1(
    predicted: Sequence[Span], truth: Sequence[Span], num_classes: int, *, min_iou: float = 0.5
) -> DetectionScores:
    """Precision, recall and F1 of events in time.

    A predicted span is right if it hits a true one of its recording and class: within each, spans
    choose in the order of their scores, each the true one it overlaps most of those left. A class
    that neither occurs nor is predicted counts 0 in the macro average.

    Args:
        predicted: The events that were found.
        truth: The actions that happen.
        num_classes: How many classes the macro average runs over.
        min_iou: From what intersection over union on two spans match, in (0, 1].

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    return detection_f1(predicted, truth, num_classes, temporal_iou, min_iou)


def detection_map(
    predicted: Sequence[Span], truth: Sequence[Span], num_classes: int, *, min_iou: float = 0.5
) -> MeanPrecision:
    """Mean average precision of events in time, as ActivityNet has it.

    Takes what ``event_f1`` takes. It needs every span that was scored, not only those above a
    threshold, to mean what it means in the literature.

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    return mean_precision(detection_precision(predicted, truth, num_classes, temporal_iou, min_iou))


def frame_map(scores: FloatArray, targets: BoolArray) -> MeanPrecision:
    """Mean average precision of single frames: is it going on right now?

    Args:
        scores: Of every frame of all recordings, one after the other, in [0, 1].
        targets: True where the action goes on.

    Shape:
        - scores, targets: ``(F, K)``

    Raises:
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    return mean_precision(average_precision(scores, targets))


def temporal_iou(predicted: Sequence[Span], truth: Sequence[Span]) -> FloatArray:
    """Intersection over union of every span with every other; 0 for empty spans.

    Shape:
        - Output: ``(P, T)``
    """
    found = np.array([(span.start, span.end) for span in predicted], dtype=np.float64)
    true = np.array([(span.start, span.end) for span in truth], dtype=np.float64)
    found, true = found.reshape(-1, 1, 2), true.reshape(1, -1, 2)
    shared = np.minimum(found[..., 1], true[..., 1]) - np.maximum(found[..., 0], true[..., 0])
    shared = np.maximum(shared, 0.0)
    union = (found[..., 1] - found[..., 0]) + (true[..., 1] - true[..., 0]) - shared
    overlaps: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlaps


def mean_precision(per_class: FloatArray) -> MeanPrecision:
    """Averages over the classes that occur."""
    occurs = ~np.isnan(per_class)
    return MeanPrecision(float(per_class[occurs].mean()) if occurs.any() else np.nan, per_class)
