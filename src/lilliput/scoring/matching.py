"""Detections against the truth: which ones hit, and what follows from that.

Spans (``spans.py``) and tubelets (``tubelets.py``) differ only in how two of them overlap.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from lilliput.errors import DataError
from lilliput.scoring.arrays import BoolArray, FloatArray
from lilliput.scoring.metrics import Averages, Counts, average


class Detected(Protocol):
    """Something that was found, or that is there, in a recording."""

    @property
    def recording(self) -> Hashable:
        """Only what lies in the same recording can match."""

    @property
    def label(self) -> int:
        """Index of its class; only equal ones can match."""

    @property
    def score(self) -> float:
        """Confidence; of no concern in a truth."""


D = TypeVar("D", bound=Detected)
Overlap = Callable[[Sequence[D], Sequence[D]], FloatArray]


@dataclass(frozen=True)
class DetectionScores:
    """Precision, recall and F1 of detections at one overlap.

    Attributes:
        macro: Unweighted mean over the classes; one that neither occurs nor is detected counts 0.
        micro: Over all detections pooled.
        per_class: Hits, detections and true ones of each class, (K,); with their ratios.
    """

    macro: Averages
    micro: Averages
    per_class: Counts

    def to_dict(self) -> dict[str, Any]:
        """Nested lists and numbers ready for JSON."""
        names = ("precision", "recall", "f1", "true_positives", "predicted", "support")
        return {
            "macro": asdict(self.macro),
            "micro": asdict(self.micro),
            "per_class": {name: getattr(self.per_class, name).tolist() for name in names},
        }


def find_hits(
    predicted: Sequence[D], truth: Sequence[D], overlap: Overlap[D], min_iou: float
) -> BoolArray:
    """Which detections hit something true.

    Within each recording and class, detections choose in the order of their scores (equal ones in
    the order given): each takes the true one that it overlaps most, of those that are left and
    that it overlaps by at least ``min_iou``. Nothing true is taken twice.

    Args:
        predicted: What was found.
        truth: What is there.
        overlap: Gives the overlaps of P with T as ``(P, T)``, each in [0, 1].
        min_iou: From what overlap on two of them match, in (0, 1].

    Shape:
        - Output: ``(P,)``, in the order of ``predicted``

    Raises:
        DataError: ``min_iou`` is not in (0, 1].
    """
    if not 0 < min_iou <= 1:
        raise DataError(f"min_iou is {min_iou}: give an overlap above 0 and up to 1")
    true_of = defaultdict(list)
    for item in truth:
        true_of[item.recording, item.label].append(item)
    found_of = defaultdict(list)
    for index, item in enumerate(predicted):
        found_of[item.recording, item.label].append(index)
    hits = np.zeros(len(predicted), dtype=np.bool_)
    for key, indices in found_of.items():
        if key in true_of:
            found = [predicted[index] for index in indices]
            scores = np.array([item.score for item in found])
            hits[indices] = assign(scores, overlap(found, true_of[key]), min_iou) >= 0
    return hits


def assign(scores: FloatArray, overlaps: FloatArray, min_iou: float) -> np.ndarray:
    """Lets detections choose, in the order of their scores; see ``find_hits``.

    Shape:
        - scores: ``(P,)``
        - overlaps: ``(P, T)``
        - Output: ``(P,)``, the index of the true one, or -1
    """
    chosen = np.full(len(scores), -1)
    left = np.array(overlaps, dtype=np.float64)
    for index in np.argsort(-scores, kind="stable"):
        best = int(left[index].argmax())
        if left[index, best] >= min_iou:
            chosen[index] = best
            left[:, best] = -1.0
    return chosen


def detection_f1(
    predicted: Sequence[D],
    truth: Sequence[D],
    num_classes: int,
    overlap: Overlap[D],
    min_iou: float,
) -> DetectionScores:
    """Precision, recall and F1 where a detection is right if it hits; see ``find_hits``.

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    found, true = _labels(predicted, num_classes), _labels(truth, num_classes)
    hits = find_hits(predicted, truth, overlap, min_iou)
    counts = Counts(
        true_positives=np.bincount(found[hits], minlength=num_classes),
        predicted=np.bincount(found, minlength=num_classes),
        support=np.bincount(true, minlength=num_classes),
    )
    pooled = Counts(*(np.asarray(values.sum()) for values in vars(counts).values()))
    return DetectionScores(
        macro=average(counts, np.ones(num_classes)),
        micro=average(pooled, np.ones(())),
        per_class=counts,
    )


def detection_precision(
    predicted: Sequence[D],
    truth: Sequence[D],
    num_classes: int,
    overlap: Overlap[D],
    min_iou: float,
) -> FloatArray:
    """Average precision of each class's detections, ranked over all recordings.

    The area under the precision-recall steps, where each precision is the highest at that recall
    or a greater one, as ActivityNet has it (Caba Heilbron et al., CVPR 2015). Equal scores enter
    together. NaN for a class that does not occur.

    Shape:
        - Output: ``(K,)``

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    found, true = _labels(predicted, num_classes), _labels(truth, num_classes)
    hits = find_hits(predicted, truth, overlap, min_iou)
    scores = np.array([item.score for item in predicted], dtype=np.float64)
    result = np.full(num_classes, np.nan)
    for label in np.unique(true):
        mine = found == label
        num_true = int(np.sum(true == label))
        result[label] = interpolated_area(scores[mine], hits[mine], num_true)
    return result


def interpolated_area(scores: FloatArray, hits: BoolArray, num_true: int) -> float:
    """Average precision of detections that hit or miss; see ``detection_precision``.

    Args:
        scores: Of each detection, (P,).
        hits: Which of them hit something true, (P,).
        num_true: How much there is to hit.
    """
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    num_hits = np.cumsum(hits[order])[last_of_ties]
    precision = num_hits / (last_of_ties + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(num_hits, prepend=0) / num_true * envelope))


def _labels(items: Sequence[D], num_classes: int) -> np.ndarray:
    labels = np.array([item.label for item in items], dtype=np.int64)
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise DataError(
            f"labels reach from {labels.min()} to {labels.max()}: there are {num_classes} classes"
        )
    return labels
