"""Detection in space and time, against hand-computed values and counted pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.errors import DataError
from lilliput.scoring.spans import Span, event_f1
from lilliput.scoring.tubelets import (
    Tubelet,
    actor_f1,
    box_iou,
    tubelet_f1,
    tubelet_iou,
    tubelet_map,
)

repeatable = settings(derandomize=True, deadline=None)
SQUARE = (0, 0, 10, 10)


def still(start, stop, box=SQUARE, label=0, score=1.0):
    """A tubelet that stays where it is, up to the frame ``stop``."""
    boxes = np.repeat([box], stop - start, axis=0).astype(float)
    return Tubelet("a", label, start, boxes, score)


@st.composite
def tubelets(draw):
    start, length = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    boxes = []
    for _ in range(length):
        left, top = draw(st.integers(0, 8)), draw(st.integers(0, 8))
        boxes.append((left, top, left + draw(st.integers(1, 6)), top + draw(st.integers(1, 6))))
    return Tubelet("a", 0, start, np.array(boxes, float))


def painted(tubelet):
    """The tubelet as pixels, ``(frames, rows, columns)``."""
    video = np.zeros((12, 16, 16), bool)
    for frame, box in enumerate(tubelet.boxes.astype(int), start=tubelet.start_frame):
        video[frame, box[1] : box[3], box[0] : box[2]] = True
    return video


@repeatable
@given(tubelets(), tubelets())
def test_overlap_is_that_of_counted_pixels(one, other):
    first, second = painted(one), painted(other)
    shared = (first & second).sum(axis=(1, 2))
    union = (first | second).sum(axis=(1, 2))
    expected = np.mean([s / u for s, u in zip(shared, union, strict=True) if u])
    assert tubelet_iou([one], [other])[0, 0] == pytest.approx(expected)
    assert tubelet_iou([other], [one])[0, 0] == pytest.approx(expected)
    assert tubelet_iou([one], [one])[0, 0] == 1


def test_overlap_by_hand():
    # Half of each box in common (50 of 150), during 10 of 15 frames.
    one, other = still(0, 10), still(0, 15, box=(5, 0, 15, 10))
    assert tubelet_iou([one], [other]) == pytest.approx(1 / 3 * 10 / 15)
    assert tubelet_iou([one], [still(10, 20)]) == 0


def test_empty_boxes_overlap_nothing():
    empty = np.zeros((1, 4))
    assert box_iou(empty, empty).tolist() == [0]


def test_known_boxes_are_joined_by_straight_lines():
    tubelet = Tubelet.through("a", 1, [4, 8, 9], [(0, 0, 8, 8), (4, 0, 12, 8), (4, 8, 12, 16)], 0.3)
    assert (tubelet.start_frame, tubelet.label, tubelet.score) == (4, 1, 0.3)
    assert tubelet.boxes[:, 0].tolist() == [0, 1, 2, 3, 4, 4]
    assert tubelet.boxes[:, 1].tolist() == [0, 0, 0, 0, 0, 8]
    with pytest.raises(DataError, match="ascend"):
        Tubelet.through("a", 1, [4, 4], [SQUARE, SQUARE])
    with pytest.raises(DataError, match="needs"):
        Tubelet.through("a", 1, [4], [SQUARE, SQUARE])
    with pytest.raises(DataError, match="needs"):
        Tubelet.through("a", 1, [], np.zeros((0, 4)))


def test_recognition_errors_are_told_from_detection_errors():
    true = [still(0, 10, label=0), still(20, 30, label=1)]
    found = [
        still(0, 10, label=1, score=0.9),  # the right place and time, the wrong action
        still(20, 30, box=(100, 0, 110, 10), label=1, score=0.8),  # the right time alone
    ]
    assert tubelet_f1(found, true, 2).micro.f1 == 0
    assert actor_f1(found, true).micro.f1 == pytest.approx(1 / 2)
    assert actor_f1(true, true).macro.f1 == 1
    assert tubelet_map(found, true, 2).mean == 0
    assert tubelet_map(true, true, 2).mean == 1


@pytest.mark.parametrize(("min_iou", "hits"), [(0.2, 1), (0.5, 0)])
def test_the_threshold_decides(min_iou, hits):
    scores = tubelet_f1([still(0, 15, box=(5, 0, 15, 10))], [still(0, 10)], 1, min_iou=min_iou)
    assert scores.per_class.true_positives.tolist() == [hits]


@repeatable
@given(st.lists(tubelets(), max_size=5), st.lists(tubelets(), max_size=5))
def test_with_equal_boxes_only_time_counts(found, true):
    def flat(items):
        return [still(t.start_frame, t.start_frame + len(t.boxes)) for t in items]

    def spans(items):
        return [Span("a", 0, t.start_frame, t.start_frame + len(t.boxes)) for t in items]

    in_space = tubelet_f1(flat(found), flat(true), 1)
    in_time = event_f1(spans(found), spans(true), 1)
    assert in_space.micro == in_time.micro
