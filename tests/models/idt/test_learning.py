"""The SVM and its logits, against scikit-learn."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra lilliput[idt] is not installed")
from scipy.special import expit, log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC

from lilliput.models.idt.learning import (
    _fit_all,
    _fit_platt,
    _fit_temperature,
    _rotate,
    fit_svm,
)


@pytest.fixture(scope="module")
def clips() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 vectors of 200 numbers, two labels that overlap, 12 recordings."""
    rng = np.random.default_rng(0)
    targets = rng.random((60, 2)) < 0.4
    vectors = rng.normal(size=(60, 200)) * 0.3
    vectors[:, 0] += targets[:, 0]
    vectors[:, 1] += targets[:, 1]
    return vectors, targets, np.repeat(np.arange(12), 5)


def test_rotated_vectors_give_the_same_svm(clips: tuple[np.ndarray, ...]) -> None:
    vectors, targets, _ = clips
    rotated, back = _rotate(vectors)
    assert rotated.shape == (60, 60)
    np.testing.assert_allclose(rotated @ back, vectors, atol=1e-8)
    weights, offsets = _fit_all(rotated, targets, 1.0, 0)
    for index in (0, 1):
        svm = LinearSVC(C=1.0, random_state=0, tol=1e-7, max_iter=100_000)
        expected = svm.fit(vectors, targets[:, index]).decision_function(vectors)
        found = vectors @ (weights @ back)[index] + offsets[index]
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_few_numbers_are_not_rotated() -> None:
    vectors = np.random.default_rng(0).normal(size=(9, 3))
    rotated, back = _rotate(vectors)
    np.testing.assert_array_equal(rotated, vectors)
    np.testing.assert_array_equal(back, np.eye(3))


def test_logits_of_several_labels_are_calibrated(clips: tuple[np.ndarray, ...]) -> None:
    vectors, targets, groups = clips
    weights, offsets = fit_svm(vectors, targets, groups, "multi", cost=1.0)
    rng = np.random.default_rng(1)
    truth = rng.random((400, 2)) < 0.4
    fresh = rng.normal(size=(400, 200)) * 0.3
    fresh[:, :2] += truth
    scores = expit(fresh @ weights.T + offsets)
    for index in (0, 1):
        base = np.full(400, targets[:, index].mean())
        assert log_loss(truth[:, index], scores[:, index]) < log_loss(truth[:, index], base)


def test_one_label_keeps_the_svms_choice(clips: tuple[np.ndarray, ...]) -> None:
    vectors, targets, groups = clips
    single = np.stack([targets[:, 0], ~targets[:, 0]], axis=1)
    weights, offsets = fit_svm(vectors, single, groups, "single", cost=1.0)
    rotated, _ = _rotate(vectors)
    plain, shift = _fit_all(rotated, single, 1.0, 0)
    decisions = rotated @ plain.T + shift
    logits = vectors @ weights.T + offsets
    np.testing.assert_array_equal(logits.argmax(axis=1), decisions.argmax(axis=1))
    slope = logits / decisions
    np.testing.assert_allclose(slope, slope[0, 0], rtol=1e-5)


def test_temperature_is_the_best_of_a_grid() -> None:
    rng = np.random.default_rng(0)
    targets = np.eye(3, dtype=bool)[rng.integers(3, size=80)]
    decisions = targets + rng.normal(size=(80, 3))
    grid = np.geomspace(0.05, 20, 500)
    losses = [-log_softmax(slope * decisions, axis=1)[targets].mean() for slope in grid]
    assert _fit_temperature(decisions, targets) == pytest.approx(grid[np.argmin(losses)], rel=0.02)


def test_platt_is_a_logistic_regression_that_never_turns_the_order() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(80) < 0.3
    decisions = positive + rng.normal(size=80)
    model = LogisticRegression(C=1e6).fit(decisions[:, None], positive)
    slope, offset = _fit_platt(decisions, positive)
    assert slope == pytest.approx(model.coef_[0, 0], rel=0.01)
    assert offset == pytest.approx(model.intercept_[0], rel=0.01)
    slope, offset = _fit_platt(-decisions, positive)
    assert slope == 1e-3
    assert expit(offset) == pytest.approx(positive.mean())


def test_a_class_without_a_clip_is_never_said(clips: tuple[np.ndarray, ...]) -> None:
    vectors, targets, groups = clips
    targets = np.concatenate([targets, np.zeros((60, 1), bool), np.ones((60, 1), bool)], axis=1)
    weights, offsets = fit_svm(vectors, targets, groups, "multi", cost=1.0)
    logits = vectors @ weights.T + offsets
    assert (logits[:, 2] == -1).all()
    assert (logits[:, 3] == 1).all()


def test_one_recording_is_not_calibrated(clips: tuple[np.ndarray, ...]) -> None:
    vectors, targets, _ = clips
    weights, offsets = fit_svm(vectors, targets, np.zeros(60), "multi", cost=1.0)
    rotated, back = _rotate(vectors)
    plain, shift = _fit_all(rotated, targets, 1.0, 0)
    np.testing.assert_allclose(weights, plain @ back)
    np.testing.assert_allclose(offsets, shift)
