import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support

from lilliput.errors import DataError
from lilliput.scoring import apply_thresholds, average_precision, compute_metrics, samples_f1

repeatable = settings(derandomize=True, deadline=None)

# Tenths make ties, empty classes and clips without labels common.
TENTHS = st.integers(0, 10).map(lambda tenth: np.float32(tenth / 10))


@st.composite
def evaluations(draw):
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 5)))
    scores = draw(hnp.arrays(np.float32, shape, elements=TENTHS))
    targets = draw(hnp.arrays(np.bool_, shape))
    thresholds = draw(hnp.arrays(np.float64, shape[1], elements=st.floats(0, 1)))
    return scores, targets, thresholds


@repeatable
@given(evaluations())
def test_every_averaging_agrees_with_scikit_learn(evaluation):
    scores, targets, thresholds = evaluation
    labels = (scores > thresholds).astype(int)
    # scikit-learn takes a single column for a binary problem; a second, empty one averages apart.
    if scores.shape[1] == 1:
        scores = np.hstack([scores, np.zeros_like(scores)])
        targets = np.hstack([targets, np.zeros_like(targets)])
        labels = np.hstack([labels, np.zeros_like(labels)])
        thresholds = np.append(thresholds, 0.5)

    metrics = compute_metrics(scores, targets, thresholds)

    for name in ("macro", "micro", "samples", "weighted"):
        expected = precision_recall_fscore_support(
            targets.astype(int), labels, average=name, zero_division=0
        )
        ours = getattr(metrics, name)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(expected[:3])
    precision, recall, f1, support = precision_recall_fscore_support(
        targets.astype(int), labels, average=None, zero_division=0
    )
    np.testing.assert_allclose(metrics.per_class.precision, precision)
    np.testing.assert_allclose(metrics.per_class.recall, recall)
    np.testing.assert_allclose(metrics.per_class.f1, f1)
    np.testing.assert_array_equal(metrics.per_class.support, support)


@repeatable
@given(evaluations())
def test_average_precision_agrees_with_scikit_learn(evaluation):
    scores, targets, thresholds = evaluation
    ours = average_precision(scores, targets)
    for index, column in enumerate(targets.T):
        if column.any():
            expected = average_precision_score(column, scores[:, index])
            assert ours[index] == pytest.approx(expected)
        else:
            assert math.isnan(ours[index])
    mean = compute_metrics(scores, targets, thresholds).mean_average_precision
    assert mean == pytest.approx(np.nanmean(ours) if targets.any() else math.nan, nan_ok=True)


def test_a_hand_computed_case():
    scores = np.array([[0.9, 0.6, 0.1], [0.4, 0.7, 0.2], [0.8, 0.2, 0.3]])
    targets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
    metrics = compute_metrics(scores, targets, 0.5)
    # Both annotated classes have one hit, one false alarm, one miss; the third is absent.
    np.testing.assert_allclose(metrics.per_class.f1, [0.5, 0.5, 0])
    assert metrics.macro.f1 == pytest.approx(1 / 3)
    assert metrics.micro.f1 == pytest.approx(0.5)
    assert metrics.weighted.f1 == pytest.approx(0.5)
    assert metrics.samples.f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    np.testing.assert_array_equal(metrics.per_class.absent, [False, False, True])


def test_a_falsely_predicted_class_is_not_absent():
    metrics = compute_metrics(np.array([[0.9, 0.9]]), np.array([[True, False]]), 0.5)
    np.testing.assert_array_equal(metrics.per_class.absent, [False, False])


def test_a_score_equal_to_the_threshold_is_negative():
    scores = np.array([[0.5, 0.5]])
    np.testing.assert_array_equal(apply_thresholds(scores, 0.5), [[False, False]])
    np.testing.assert_array_equal(apply_thresholds(scores, [0.5, 0.4]), [[False, True]])


def test_thresholds_keep_their_precision_against_float32_scores():
    score = np.float32(0.1)  # a little above 0.1
    assert apply_thresholds(np.full((1, 1), score), 0.1).item() is True


def test_to_dict_is_json_without_nan_and_names_the_averagings():
    metrics = compute_metrics(np.array([[0.9, 0.1]]), np.array([[True, False]]), 0.5)
    loaded = json.loads(json.dumps(metrics.to_dict(), allow_nan=False))
    assert loaded["macro"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert {"micro", "samples", "weighted"} < set(loaded)
    assert loaded["mean_average_precision"] == 1.0
    assert loaded["per_class"]["average_precision"] == [1.0, None]
    assert loaded["per_class"]["absent"] == [False, True]


def test_to_dict_without_any_positive():
    metrics = compute_metrics(np.array([[0.9]]), np.array([[False]]), 0.5)
    assert metrics.to_dict()["mean_average_precision"] is None


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2), bool), "must be"),
        (np.zeros(3), np.zeros(3, bool), "must be"),
        (np.zeros((0, 3)), np.zeros((0, 3), bool), "empty"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "astype"),
        (np.full((2, 3), np.nan), np.zeros((2, 3), bool), "finite"),
        (np.full((2, 3), np.inf), np.zeros((2, 3), bool), "finite"),
        (np.full((2, 3), -4.0), np.zeros((2, 3), bool), "sigmoid"),
    ],
)
def test_unusable_arrays_are_refused_in_one_line(scores, targets, message):
    with pytest.raises(DataError, match=message) as raised:
        compute_metrics(scores, targets, 0.5)
    assert "\n" not in str(raised.value)


def test_one_nan_among_good_scores_is_found():
    scores = np.full((4, 3), 0.5)
    scores[2, 1] = np.nan
    with pytest.raises(DataError, match="NaN"):
        average_precision(scores, np.ones((4, 3), bool))


def test_a_wrong_number_of_thresholds_is_refused():
    with pytest.raises(DataError, match="one per class"):
        compute_metrics(np.zeros((2, 3)), np.zeros((2, 3), bool), [0.5, 0.5])


@pytest.mark.parametrize("threshold", [0.5, 1 / (1 + math.exp(-0.5))])
def test_samples_f1_is_that_of_scikit_learn_at_a_common_threshold(threshold):
    """The second threshold, on scores, is that of 0.5 on logits."""
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(50, 6)), rng.random((50, 6)) < 0.3
    scores = 1 / (1 + np.exp(-logits))
    labels = logits > (0 if threshold == 0.5 else 0.5)
    expected = f1_score(targets, labels, average="samples", zero_division=0)
    assert samples_f1(scores, targets, threshold) == pytest.approx(expected)
