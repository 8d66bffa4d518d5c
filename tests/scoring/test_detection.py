"""Detection metrics against brute force and values by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from lilliput.errors import DataError
from lilliput.scoring.detection import (
    TEMPORAL_IOUS,
    VIDEO_IOUS,
    FrameDetections,
    frame_box_map,
    mean_over,
    pairwise_iou,
    temporal_map,
    video_map,
)
from lilliput.scoring.spans import Span
from lilliput.scoring.tubelets import Tubelet

repeatable = settings(derandomize=True, deadline=None, max_examples=80)
A, B, FAR = (0, 0, 10, 10), (0, 0, 10, 5), (50, 50, 60, 60)


def frame(boxes, scores, true_boxes, true_labels) -> FrameDetections:
    return FrameDetections(
        np.array(boxes, float).reshape(-1, 4),
        np.array(scores, float).reshape(len(boxes), -1) if boxes else np.zeros((0, 2)),
        np.array(true_boxes, float).reshape(-1, 4),
        np.array(true_labels, dtype=np.int64),
    )


def test_the_usual_overlaps() -> None:
    assert TEMPORAL_IOUS == (0.3, 0.4, 0.5, 0.6, 0.7)
    assert VIDEO_IOUS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_temporal_map_by_hand() -> None:
    true = [Span("r", 0, 0, 10), Span("r", 0, 20, 30), Span("r", 1, 0, 10)]
    found = [
        Span("r", 0, 0, 10, 0.9),  # 1.0
        Span("r", 0, 50, 60, 0.8),  # nothing
        Span("r", 0, 20, 25, 0.7),  # 0.5
        Span("r", 1, 4, 10, 0.6),  # 0.6
    ]
    scores = temporal_map(found, true, 3)
    half = (1 + 2 / 3) / 2  # precision 1 at recall 1/2, 2/3 at recall 1
    assert [scores[iou].per_class[0] for iou in TEMPORAL_IOUS] == pytest.approx(
        [half, half, half, 0.5, 0.5]
    )
    assert [scores[iou].per_class[1] for iou in TEMPORAL_IOUS] == [1, 1, 1, 1, 0]
    assert np.isnan(scores[0.5].per_class[2])
    means = [(half + 1) / 2] * 3 + [0.75, 0.25]
    assert mean_over(scores, TEMPORAL_IOUS) == pytest.approx(np.mean(means))


def test_video_map_by_hand() -> None:
    def tube(box, score=1.0):
        return Tubelet("r", 0, 0, np.repeat([box], 4, axis=0).astype(float), score)

    scores = video_map([tube(B, 0.5)], [tube(A)], 1)  # an overlap of 0.5
    assert (scores[0.2].mean, scores[0.5].mean, scores[0.55].mean) == (1, 1, 0)
    assert mean_over(scores, VIDEO_IOUS) == pytest.approx(0.1)


def test_frame_map_by_hand() -> None:
    frames = [
        frame([A, FAR], [[0.9, 0.2], [0.8, 0.3]], [A], [0]),
        frame([B], [[0.7, 0.1]], [A, A], [0, 1]),  # an overlap of 0.5; two actions of one box
        frame([], [], [A], [0]),  # nothing is found
        frame([FAR], [[0.1, 0.0]], [], []),
    ]
    found = frame_box_map(frames, 2)
    # Class 0: hit 0.9, miss 0.8, hit 0.7, miss 0.1; of three. Class 1: the third of three.
    assert found.per_class == pytest.approx([1 / 3 * 1 + 1 / 3 * 2 / 3, 1 / 3])
    assert frame_box_map(frames, 2, min_iou=0.6).per_class == pytest.approx([1 / 3, 0])


def test_a_second_box_of_one_actor_is_wrong() -> None:
    twice = [frame([A, A], [[0.9, 0], [0.8, 0]], [A], [0]), frame([A], [[0.7, 0]], [A], [0])]
    assert frame_box_map(twice, 2).per_class[0] == pytest.approx((1 + 2 / 3) / 2)


boxes = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 5), st.integers(1, 5)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@st.composite
def frames_of(draw):
    frames = []
    for _ in range(draw(st.integers(0, 4))):
        found = draw(st.lists(boxes, max_size=3))
        scores = [[draw(st.integers(0, 4)) / 4 for _ in range(2)] for _ in found]
        true = draw(st.lists(st.tuples(boxes, st.integers(0, 1)), max_size=3))
        frames.append(frame(found, scores, [b for b, _ in true], [k for _, k in true]))
    return frames


def brute_force(frames, label: int, min_iou: float) -> float:
    """Average precision in plain loops; NaN without anything true."""
    ranked, num_true = [], 0
    for each in frames:
        left = [tuple(box) for box in each.true_boxes[each.true_labels == label]]
        num_true += len(left)
        order = sorted(range(len(each.boxes)), key=lambda i: -each.scores[i, label])
        for index in order:
            best, place = -1.0, -1
            for at, true in enumerate(left):
                one = torch.tensor([each.boxes[index].tolist()])
                overlap = box_iou(one, torch.tensor([list(map(float, true))]).to(one)).item()
                if overlap > best:
                    best, place = overlap, at
            if best >= min_iou - 1e-6:
                left.pop(place)
            ranked.append((each.scores[index, label], best >= min_iou - 1e-6))
    if not num_true:
        return float("nan")
    points = []
    for bound in sorted({score for score, _ in ranked}, reverse=True):
        taken = [hit for score, hit in ranked if score >= bound]
        points.append((sum(taken) / num_true, sum(taken) / len(taken)))
    area, before = 0.0, 0.0
    for at, (recall, _) in enumerate(points):
        area += (recall - before) * max(precision for _, precision in points[at:])
        before = recall
    return area


@repeatable
@given(frames_of(), st.sampled_from([0.2, 0.45, 0.7]))
def test_frame_map_is_that_of_plain_loops(frames, min_iou) -> None:
    result = frame_box_map(frames, 2, min_iou=min_iou).per_class
    expected = [brute_force(frames, label, min_iou) for label in range(2)]
    assert result == pytest.approx(expected, nan_ok=True)


@repeatable
@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
def test_overlaps_are_torchvisions(one, other) -> None:
    a, b = (np.array(side, float).reshape(-1, 4) for side in (one, other))
    expected = box_iou(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(pairwise_iou(a, b), expected)


def test_mistakes() -> None:
    with pytest.raises(DataError, match="min_iou is 0"):
        frame_box_map([], 2, min_iou=0)
    with pytest.raises(DataError, match="no class"):
        frame_box_map([frame([], [], [A], [2])], 2)
    assert np.isnan(frame_box_map([], 2).mean)
