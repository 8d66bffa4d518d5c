"""Mean average precision of action detection, in time and in space (thesis section 2.2).

Temporal mAP ranks events, frame mAP the boxes of single frames, video mAP tubelets. All of them
take the area under the precision-recall steps, where each precision is the highest at that recall
or a greater one (all points, no 11-point sampling), as ActivityNet, AVA and PASCAL VOC since 2010
do; see ``matching.py``. Within a recording (of frame mAP: within a frame) detections choose in the
order of their scores, each the true one that it overlaps most of those left.

They need everything that was scored: of what a threshold has kept, the recall that is missing
counts 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lilliput.errors import DataError
from lilliput.scoring.arrays import BoolArray, FloatArray
from lilliput.scoring.matching import assign, interpolated_area
from lilliput.scoring.spans import MeanPrecision, Span, detection_map, mean_precision
from lilliput.scoring.tubelets import Tubelet, box_iou, tubelet_map

TEMPORAL_IOUS = (0.3, 0.4, 0.5, 0.6, 0.7)  # THUMOS'
VIDEO_IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # 0.5:0.95, COCO's


@dataclass(frozen=True)
class FrameDetections:
    """What was found in one frame, and what is there.

    Attributes:
        boxes: (P, 4) left, top, right, bottom.
        scores: (P, K) of each box, for each class.
        true_boxes: (T, 4).
        true_labels: (T,) indices of classes; a box of two actions is there twice.
    """

    boxes: FloatArray
    scores: FloatArray
    true_boxes: FloatArray
    true_labels: np.ndarray


def temporal_map(
    predicted: Sequence[Span],
    truth: Sequence[Span],
    num_classes: int,
    ious: Sequence[float] = TEMPORAL_IOUS,
) -> dict[float, MeanPrecision]:
    """Mean average precision of events at several temporal overlaps.

    Raises:
        DataError: A label is no class, or an overlap is not in (0, 1].
    """
    return {iou: detection_map(predicted, truth, num_classes, min_iou=iou) for iou in ious}


def video_map(
    predicted: Sequence[Tubelet],
    truth: Sequence[Tubelet],
    num_classes: int,
    ious: Sequence[float] = (0.2, *VIDEO_IOUS),
) -> dict[float, MeanPrecision]:
    """Mean average precision of tubelets at several overlaps.

    Raises:
        DataError: A label is no class, or an overlap is not in (0, 1].
    """
    return {iou: tubelet_map(predicted, truth, num_classes, min_iou=iou) for iou in ious}


def mean_over(scores: Mapping[float, MeanPrecision], ious: Sequence[float]) -> float:
    """The mean of the means at these overlaps."""
    return float(np.mean([scores[iou].mean for iou in ious]))


def frame_box_map(
    frames: Iterable[FrameDetections], num_classes: int, *, min_iou: float = 0.5
) -> MeanPrecision:
    """Mean average precision of boxes in single frames ("frame mAP").

    AVA scores one frame a second; here every frame that is given counts.

    Args:
        frames: All frames of all recordings.
        num_classes: How many there are.
        min_iou: From what intersection over union on two boxes match, in (0, 1].

    Raises:
        DataError: A label is no class, or ``min_iou`` is not in (0, 1].
    """
    if not 0 < min_iou <= 1:
        raise DataError(f"min_iou is {min_iou}: give an overlap above 0 and up to 1")
    scores: list[FloatArray] = [np.zeros((0, num_classes))]
    hits: list[BoolArray] = [np.zeros((0, num_classes), dtype=np.bool_)]
    num_true = np.zeros(num_classes, dtype=np.int64)
    for frame in frames:
        if (
            len(frame.true_labels)
            and not 0 <= min(frame.true_labels) <= max(frame.true_labels) < num_classes
        ):
            raise DataError(f"a true label is no class: there are {num_classes}")
        num_true += np.bincount(frame.true_labels, minlength=num_classes)
        overlaps = pairwise_iou(frame.boxes, frame.true_boxes)
        hit = np.zeros(frame.scores.shape, dtype=np.bool_)
        if len(frame.boxes):
            for label in np.unique(frame.true_labels):
                mine = overlaps[:, frame.true_labels == label]
                hit[:, label] = assign(frame.scores[:, label], mine, min_iou) >= 0
        scores.append(frame.scores)
        hits.append(hit)
    pooled, right = np.concatenate(scores), np.concatenate(hits)
    result = np.full(num_classes, np.nan)
    for label in np.flatnonzero(num_true):
        result[label] = interpolated_area(pooled[:, label], right[:, label], int(num_true[label]))
    return mean_precision(result)


def pairwise_iou(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of every box with every other.

    Shape:
        - boxes: ``(P, 4)``
        - others: ``(T, 4)``
        - Output: ``(P, T)``
    """
    rows, columns = np.repeat(boxes, len(others), axis=0), np.tile(others, (len(boxes), 1))
    return box_iou(rows, columns).reshape(len(boxes), len(others))
