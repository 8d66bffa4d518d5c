"""Detection in space and time: are the right actions found when and where they happen?

A tubelet is a stretch of time with a box in every frame. Two of them overlap by the mean of
their boxes' intersection over union, over all frames that either has; a frame that only one has
counts 0. That is the measure of spatio-temporal detection on J-HMDB and UCF101-24 (Weinzaepfel et
al., "Learning to track for spatio-temporal action localization", ICCV 2015; "video mAP").
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from lilliput.errors import DataError
from lilliput.scoring.arrays import FloatArray
from lilliput.scoring.matching import DetectionScores, detection_f1, detection_precision
from lilliput.scoring.spans import MeanPrecision, mean_precision


@dataclass(frozen=True)
class Tubelet:
    """One action of one actor in one recording, or an actor's whole stay.

    Attributes:
        recording: Which recording.
        label: Index of the class.
        start_frame: Its first frame.
        boxes: Left, top, right, bottom in every frame from there on, (T, 4).
        score: Confidence; of no concern in a truth.
    """

    recording: Hashable
    label: int
    start_frame: int
    boxes: FloatArray
    score: float = 1.0

    @classmethod
    def through(
        cls,
        recording: Hashable,
        label: int,
        frames: Sequence[int],
        boxes: ArrayLike,
        score: float = 1.0,
    ) -> "Tubelet":
        """The tubelet through boxes that are known in some frames; straight lines in between.

        Args:
            recording: Which recording.
            label: Index of the class.
            frames: Where boxes are known, in ascending order.
            boxes: Left, top, right, bottom of each, (N, 4).
            score: Confidence.

        Raises:
            DataError: There is no box, frames do not ascend, or there are more or fewer boxes.
        """
        known, sides = np.asarray(frames), np.asarray(boxes, dtype=np.float64)
        if known.ndim != 1 or not len(known) or sides.shape != (len(known), 4):
            raise DataError(
                f"frames {known.shape} and boxes {sides.shape}: a tubelet needs (N,) and (N, 4)"
            )
        if (np.diff(known) <= 0).any():
            raise DataError("the frames of a tubelet do not ascend: sort its boxes by frame")
        every = np.arange(known[0], known[-1] + 1)
        dense = np.stack([np.interp(every, known, side) for side in sides.T], axis=1)
        return cls(recording, label, int(known[0]), dense, score)


def tubelet_f1(
    predicted: Sequence[Tubelet],
    truth: Sequence[Tubelet],
    num_classes: int,
    *,
    min_iou: float = 0.5,
) -> DetectionScores:
    """Precision, recall and F1 of actions in space and time; see ``spans.event_f1``.

    Args:
        predicted: The events that were found.
        truth: The actions that happen.
        num_classes: How many classes the macro average runs over.
        min_iou: From what overlap on two tubelets match, in (0, 1]; 0.2 and 0.5 are usual.

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    return detection_f1(predicted, truth, num_classes, tubelet_iou, min_iou)


def actor_f1(
    predicted: Sequence[Tubelet], truth: Sequence[Tubelet], *, min_iou: float = 0.5
) -> DetectionScores:
    """Precision, recall and F1 of finding somebody at all, whatever they do.

    Tells errors of detection and tracking from those of recognition. Give one tubelet for each
    track and for each actor; their labels are ignored.

    Raises:
        DataError: ``min_iou`` is not in (0, 1].
    """
    found, true = ([replace(tubelet, label=0) for tubelet in side] for side in (predicted, truth))
    return tubelet_f1(found, true, 1, min_iou=min_iou)


def tubelet_map(
    predicted: Sequence[Tubelet],
    truth: Sequence[Tubelet],
    num_classes: int,
    *,
    min_iou: float = 0.5,
) -> MeanPrecision:
    """Mean average precision of actions in space and time ("video mAP").

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    return mean_precision(detection_precision(predicted, truth, num_classes, tubelet_iou, min_iou))


def tubelet_iou(predicted: Sequence[Tubelet], truth: Sequence[Tubelet]) -> FloatArray:
    """Overlap of every tubelet with every other.

    Shape:
        - Output: ``(P, T)``
    """
    overlaps = np.zeros((len(predicted), len(truth)))
    for row, one in enumerate(predicted):
        for column, other in enumerate(truth):
            overlaps[row, column] = _overlap(one, other)
    return overlaps


def box_iou(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of boxes with their counterparts; 0 for two empty ones.

    Shape:
        - one, other: ``(N, 4)``, left, top, right, bottom
        - Output: ``(N,)``
    """
    low = np.maximum(one[:, :2], other[:, :2])
    high = np.minimum(one[:, 2:], other[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = sum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)) - shared
    overlaps: FloatArray = np.divide(shared, union, out=np.zeros(len(one)), where=union > 0)
    return overlaps


def _overlap(one: Tubelet, other: Tubelet) -> float:
    start = max(one.start_frame, other.start_frame)
    stop = min(tubelet.start_frame + len(tubelet.boxes) for tubelet in (one, other))
    if start >= stop:
        return 0.0
    a, b = (t.boxes[start - t.start_frame : stop - t.start_frame] for t in (one, other))
    num_frames = len(one.boxes) + len(other.boxes) - (stop - start)
    return float(box_iou(a, b).sum() / num_frames)
