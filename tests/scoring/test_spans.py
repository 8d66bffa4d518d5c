"""Detection in time, against hand-computed values, brute force and scikit-learn."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from lilliput.errors import DataError
from lilliput.scoring.matching import assign
from lilliput.scoring.spans import Span, detection_map, event_f1, frame_map, temporal_iou

repeatable = settings(derandomize=True, deadline=None)
NUM_CLASSES = 3


@st.composite
def spans(draw, most=6, classes=NUM_CLASSES):
    found = []
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, 12))
        end = start + draw(st.integers(1, 8))
        recording, label = draw(st.sampled_from("ab")), draw(st.integers(0, classes - 1))
        found.append(Span(recording, label, start, end, draw(st.integers(0, 10)) / 10))
    return found


def frames_iou(one, other):
    """Temporal IoU by counting frames."""
    first, second = set(range(one.start, one.end)), set(range(other.start, other.end))
    return len(first & second) / len(first | second)


def best_choice(found, true, min_iou):
    """How many hits, by comparing every possible assignment of detections to true spans."""
    order = sorted(range(len(found)), key=lambda i: -found[i].score)
    choices = [*range(len(true)), *[None] * len(found)]
    best = None
    for chosen in set(permutations(choices, len(found))):
        # In the order of scores each detection wants the largest overlap, then the first.
        key = []
        for index, target in zip(order, chosen, strict=True):
            overlap = 0.0 if target is None else frames_iou(found[index], true[target])
            if target is not None and overlap < min_iou:
                break
            key.append((overlap, 0 if target is None else -target))
        else:
            best = max(best, key) if best is not None else key
    return sum(overlap > 0 for overlap, _ in best)


@repeatable
@given(spans(), spans())
def test_temporal_iou_counts_frames(found, true):
    expected = [[frames_iou(a, b) for b in true] for a in found]
    np.testing.assert_allclose(
        temporal_iou(found, true), np.reshape(expected, (len(found), len(true)))
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spans(most=4, classes=1), spans(most=4, classes=1), st.sampled_from([0.2, 0.5, 0.75]))
def test_hits_are_those_of_the_best_of_all_assignments(found, true, min_iou):
    found = [span._replace(recording="a") for span in found]
    true = [span._replace(recording="a") for span in true]
    scores = event_f1(found, true, 1, min_iou=min_iou)
    assert scores.per_class.true_positives[0] == best_choice(found, true, min_iou)


def test_event_f1_by_hand():
    true = [Span("a", 0, 0, 10), Span("a", 0, 20, 30), Span("b", 1, 0, 10)]
    found = [
        Span("a", 0, 0, 8, 0.9),  # 8 of 10: a hit
        Span("a", 0, 1, 10, 0.8),  # 9 of 10, but its span is taken
        Span("a", 0, 24, 34, 0.7),  # 6 of 14: too little
        Span("a", 1, 0, 10, 0.6),  # another recording
        Span("b", 1, 0, 10, 0.5),
    ]
    scores = event_f1(found, true, NUM_CLASSES, min_iou=0.5)
    assert scores.per_class.true_positives.tolist() == [1, 1, 0]
    assert scores.per_class.precision.tolist() == pytest.approx([1 / 3, 1 / 2, 0])
    assert scores.per_class.recall.tolist() == pytest.approx([1 / 2, 1, 0])
    assert scores.per_class.f1.tolist() == pytest.approx([2 / 5, 2 / 3, 0])
    assert scores.macro.f1 == pytest.approx((2 / 5 + 2 / 3) / 3)  # the absent class counts 0
    assert scores.micro.precision == pytest.approx(2 / 5)
    assert scores.micro.recall == pytest.approx(2 / 3)
    assert scores.micro.f1 == pytest.approx(4 / 8)
    assert scores.to_dict()["per_class"]["support"] == [2, 1, 0]


def test_the_surer_detection_chooses_first_and_takes_what_it_overlaps_most():
    scores = np.array([0.5, 0.9])
    overlaps = np.array([[0.8, 0.6], [0.7, 0.4]])
    assert assign(scores, overlaps, 0.3).tolist() == [1, 0]
    assert assign(scores, overlaps, 0.65).tolist() == [-1, 0]


@repeatable
@given(spans(), st.randoms(use_true_random=False))
def test_a_perfect_prediction_scores_one(true, random):
    found = list(true)
    random.shuffle(found)
    present = sorted({span.label for span in true})
    scores = event_f1(found, true, NUM_CLASSES, min_iou=1.0)
    assert scores.per_class.f1[present].tolist() == [1.0] * len(present)
    assert scores.micro.f1 == (1.0 if true else 0.0)
    precision = detection_map(found, true, NUM_CLASSES, min_iou=1.0)
    assert precision.per_class[present].tolist() == pytest.approx([1.0] * len(present))
    absent = np.setdiff1d(range(NUM_CLASSES), present)
    assert np.isnan(precision.per_class[absent]).all()


@repeatable
@given(spans(), spans(), st.permutations(range(NUM_CLASSES)))
def test_the_order_of_classes_does_not_matter(found, true, order):
    def renamed(items):
        return [span._replace(label=order[span.label]) for span in items]

    one = event_f1(found, true, NUM_CLASSES)
    other = event_f1(renamed(found), renamed(true), NUM_CLASSES)
    assert one.micro == other.micro
    assert one.macro.f1 == pytest.approx(other.macro.f1)
    np.testing.assert_array_equal(one.per_class.f1, other.per_class.f1[list(order)])


@repeatable
@given(spans(), spans(), st.lists(st.floats(0.05, 1), min_size=2, max_size=2))
def test_asking_for_more_overlap_never_gives_more_hits(found, true, limits):
    low, high = (event_f1(found, true, NUM_CLASSES, min_iou=limit) for limit in sorted(limits))
    assert (low.per_class.true_positives >= high.per_class.true_positives).all()


def test_detection_map_by_hand():
    true = [Span("a", 0, 0, 10), Span("b", 0, 0, 10), Span("b", 0, 20, 30)]
    found = [
        Span("a", 0, 0, 10, 0.9),  # hit: 1/1
        Span("a", 0, 50, 60, 0.8),  # miss: 1/2
        Span("b", 0, 50, 60, 0.7),  # miss: 1/3
        Span("b", 0, 0, 10, 0.6),  # hit: 2/4
        Span("b", 0, 20, 30, 0.5),  # hit: 3/5, which also holds at the recall before
        Span("b", 2, 20, 30, 0.5),
    ]
    result = detection_map(found, true, NUM_CLASSES)
    assert result.per_class[0] == pytest.approx((1 + 3 / 5 + 3 / 5) / 3)
    assert np.isnan(result.per_class[1:]).all()
    assert result.mean == result.per_class[0]


def test_what_is_never_found_has_precision_zero_and_nothing_has_none():
    assert detection_map([], [Span("a", 0, 0, 1)], 1).mean == 0
    assert np.isnan(detection_map([Span("a", 0, 0, 1)], [], 1).mean)


@repeatable
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=20))
def test_detections_that_are_right_or_wrong_rank_as_in_scikit_learn(detections):
    """Raised to the best precision of any higher recall, as scikit-learn's has no envelope."""
    if not any(right for _, right in detections):
        return
    true = [Span(i, 0, 0, 10) for i, (_, right) in enumerate(detections) if right]
    found = [Span(i, 0, 0, 10, score / 20) for i, (score, _) in enumerate(detections)]
    result = detection_map(found, true, 1).mean
    scores, right = np.array(detections).T
    precision = {}
    for limit in np.unique(scores):
        taken = right[scores >= limit]
        precision[taken.sum()] = max(precision.get(taken.sum(), 0), taken.mean())
    steps, area = sorted(precision), 0.0
    for before, now in zip([0, *steps], steps, strict=False):
        area += (now - before) / right.sum() * max(precision[n] for n in steps if n >= now)
    assert result == pytest.approx(area)
    assert result >= average_precision_score(right, scores) - 1e-9


def test_frame_map_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 11, (200, 4)) / 10
    targets = rng.random((200, 4)) < [0.5, 0.1, 0.02, 0.0]
    result = frame_map(scores, targets)
    expected = [average_precision_score(targets[:, k], scores[:, k]) for k in range(3)]
    assert result.per_class[:3].tolist() == pytest.approx(expected)
    assert np.isnan(result.per_class[3])
    assert result.mean == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("min_iou", [0, -0.1, 1.1, float("nan")])
def test_an_impossible_overlap_is_refused(min_iou):
    with pytest.raises(DataError, match="min_iou"):
        event_f1([], [], 1, min_iou=min_iou)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_without_a_class_is_refused(label):
    with pytest.raises(DataError, match="3 classes"):
        event_f1([Span("a", label, 0, 1)], [], NUM_CLASSES)
