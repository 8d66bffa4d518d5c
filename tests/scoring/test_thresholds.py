import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score

from lilliput.errors import ConfigError, DataError
from lilliput.scoring import (
    apply_thresholds,
    compute_metrics,
    threshold_curve,
    tune_global,
    tune_per_class,
)

repeatable = settings(derandomize=True, deadline=None, max_examples=60)

OBJECTIVES = ["macro_f1", "micro_f1", "samples_f1", "weighted_f1"]


@st.composite
def annotated_scores(draw):
    shape = draw(st.tuples(st.integers(1, 10), st.integers(2, 4)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    twentieths = st.integers(0, 20).map(lambda value: dtype(value / 20))
    anything = st.floats(0, 1, width=32).map(dtype)
    elements = draw(st.sampled_from([twentieths, anything]))
    scores = draw(hnp.arrays(dtype, shape, elements=elements))
    targets = draw(hnp.arrays(np.bool_, shape).filter(np.any))
    return scores, targets


def _score(scores, targets, thresholds, objective):
    labels = (scores > np.asarray(thresholds, np.float64)).astype(int)
    average = objective.removesuffix("_f1")
    return f1_score(targets.astype(int), labels, average=average, zero_division=0)


def _candidates(scores):
    """Every distinct score, and 0 to have all of them above it."""
    return np.unique(np.append(scores.ravel(), 0).astype(np.float64))


@pytest.mark.parametrize("objective", OBJECTIVES)
@repeatable
@given(annotated_scores())
def test_global_threshold_is_as_good_as_the_best_of_all_distinct_scores(objective, data):
    scores, targets = data
    found = _score(scores, targets, tune_global(scores, targets, objective), objective)
    best = max(_score(scores, targets, t, objective) for t in _candidates(scores))
    assert found == pytest.approx(best, abs=1e-9)


@repeatable
@given(annotated_scores(), st.integers(1, 4))
def test_per_class_thresholds_are_each_the_best_or_the_global_one(data, min_support):
    scores, targets = data
    thresholds = tune_per_class(scores, targets, min_support=min_support)
    shared = tune_global(scores, targets)
    for index, threshold in enumerate(thresholds):
        column, truth = scores[:, index], targets[:, index]
        if truth.sum() < min_support:
            assert threshold == shared
            continue
        f1s = [
            f1_score(truth, column > candidate, zero_division=0)
            for candidate in _candidates(column)
        ]
        found = f1_score(truth, column > threshold, zero_division=0)
        assert found == pytest.approx(max(f1s), abs=1e-9)


@repeatable
@given(annotated_scores())
def test_per_class_thresholds_never_lose_to_the_global_one(data):
    scores, targets = data
    own = _score(scores, targets, tune_per_class(scores, targets, min_support=1), "macro_f1")
    assert own >= _score(scores, targets, tune_global(scores, targets), "macro_f1") - 1e-9


@repeatable
@given(annotated_scores())
def test_a_float32_threshold_labels_float32_scores_alike(data):
    scores, targets = data
    scores = scores.astype(np.float32)
    threshold = tune_global(scores, targets)
    in_double = apply_thresholds(scores, threshold)
    np.testing.assert_array_equal(scores > np.float32(threshold), in_double)


def test_threshold_lies_midway_in_the_gap():
    scores = np.array([[0.2], [0.3], [0.7], [0.9]])
    targets = np.array([[False], [False], [True], [True]])
    assert tune_global(scores, targets) == pytest.approx(0.5)


def test_neighbouring_float32_scores_are_still_separated():
    low = np.float32(0.3)
    for _ in range(50):  # the middle rounds to the upper one for every other pair
        high = np.nextafter(low, np.float32(1))
        scores = np.array([[low], [high]], dtype=np.float32)
        threshold = tune_global(scores, np.array([[False], [True]]))
        np.testing.assert_array_equal(apply_thresholds(scores, threshold), [[False], [True]])
        assert np.float32(threshold) < high
        low = high


@pytest.mark.parametrize(("lowest", "expected"), [(0.3, 0.15), (0.05, 0.85)])
def test_among_equally_good_thresholds_the_widest_gap_wins(lowest, expected):
    # Below 0.9, 1 of 1 is right and 1 of 3 found: F1 = 2 / 4. Below all, F1 = 6 / (9 + 3).
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, lowest])[:, None]
    targets = np.zeros((9, 1), bool)
    targets[[0, 7, 8]] = True
    assert tune_global(scores, targets) == pytest.approx(expected)


def test_objectives_disagree_where_they_should():
    rng = np.random.default_rng(3)
    targets = rng.random((300, 4)) < [0.5, 0.2, 0.05, 0.02]
    scores = np.clip(rng.normal(0.3, 0.15, targets.shape) + targets * [0.1, 0.2, 0.3, 0.4], 0, 1)
    found = {objective: tune_global(scores, targets, objective) for objective in OBJECTIVES}
    assert len(set(found.values())) == 4
    for objective, threshold in found.items():
        for other in found.values():
            assert _score(scores, targets, threshold, objective) >= _score(
                scores, targets, other, objective
            )


def test_classes_below_the_minimum_support_take_the_threshold_for_the_same_objective():
    rng = np.random.default_rng(3)
    targets = rng.random((300, 4)) < [0.5, 0.2, 0.05, 0.02]
    scores = np.clip(rng.normal(0.3, 0.15, targets.shape) + targets * [0.1, 0.2, 0.3, 0.4], 0, 1)
    tuned = tune_per_class(scores, targets, objective="weighted_f1")
    assert targets[:, 3].sum() < 10 <= targets[:, 2].sum()
    assert tuned[3] == tune_global(scores, targets, "weighted_f1")
    assert tuned[3] not in tuned[:3]


def test_saturated_scores_are_tuned_without_a_gap():
    scores = np.array([[0.0], [1.0]])
    assert tune_global(scores, np.array([[False], [True]])) == pytest.approx(0.5)
    assert 0 <= tune_global(np.zeros((2, 1)), np.ones((2, 1), bool)) <= 1
    assert 0 <= tune_global(np.ones((2, 1)), np.ones((2, 1), bool)) < 1


@repeatable
@given(annotated_scores())
def test_threshold_curve_agrees_with_the_metrics_at_each_point(data):
    scores, targets = data
    curve = threshold_curve(scores, targets, num_points=5)
    np.testing.assert_allclose(curve.thresholds, [0, 0.25, 0.5, 0.75, 1])
    for index, threshold in enumerate(curve.thresholds):
        macro = compute_metrics(scores, targets, threshold).macro
        at_point = (curve.precision[index], curve.recall[index], curve.f1[index])
        assert at_point == pytest.approx((macro.precision, macro.recall, macro.f1))


@pytest.mark.parametrize("objective", ["micro_f1", "samples_f1"])
def test_objectives_that_couple_the_classes_are_refused_per_class(objective):
    with pytest.raises(ConfigError, match="class by class"):
        tune_per_class(np.full((2, 2), 0.5), np.ones((2, 2), bool), objective=objective)


def test_unusable_settings_and_data_are_refused():
    scores, targets = np.full((2, 2), 0.5), np.ones((2, 2), bool)
    with pytest.raises(ConfigError, match="macro_f1"):
        tune_global(scores, targets, "f1")
    with pytest.raises(ConfigError, match="min_support"):
        tune_per_class(scores, targets, min_support=0)
    with pytest.raises(ConfigError, match="num_points"):
        threshold_curve(scores, targets, num_points=1)
    with pytest.raises(DataError, match="no positive"):
        tune_global(scores, ~targets)
    with pytest.raises(DataError, match="no positive"):
        tune_per_class(scores, ~targets)
    with pytest.raises(DataError, match="sigmoid"):
        tune_global(scores + 1, targets)
