"""Our logistic regression is scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from lilliput.evaluation.logistic import STRENGTHS, choose_strength, fit_logistic


def _data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of unlike scales, one of them constant; labels that they tell, but not surely."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3, 1, (90, 6)) * [1, 10, 0.1, 1, 5, 0]
    logits = (features[:, :3] / [1, 10, 0.1] - 3) * 2 + rng.normal(0, 1, (90, 3))
    several = logits > 0.5
    several[:3] = np.eye(3, dtype=bool)
    return features, np.eye(3, dtype=bool)[logits.argmax(axis=1)], several


@pytest.mark.parametrize("strength", [0.01, 1.0, 10.0])
def test_one_label_per_clip(strength: float) -> None:
    features, targets, _ = _data()
    ours = fit_logistic(features, targets, "single", strength)
    theirs = LogisticRegression(C=strength, tol=1e-9, max_iter=5000)
    scaled = StandardScaler().fit_transform(features)
    theirs.fit(scaled, targets.argmax(axis=1))
    np.testing.assert_allclose(ours.weight.T, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(
        ours.bias - ours.bias.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4
    )
    np.testing.assert_allclose(ours.score(features), theirs.predict_proba(scaled), atol=1e-5)


@pytest.mark.parametrize("strength", [0.01, 1.0, 10.0])
def test_several_labels(strength: float) -> None:
    features, _, targets = _data()
    ours = fit_logistic(features, targets, "multi", strength)
    theirs = OneVsRestClassifier(LogisticRegression(C=strength, tol=1e-9, max_iter=5000))
    scaled = StandardScaler().fit_transform(features)
    theirs.fit(scaled, targets.astype(int))
    coefficients = np.concatenate([one.coef_ for one in theirs.estimators_])
    np.testing.assert_allclose(ours.weight.T, coefficients, atol=1e-4)
    np.testing.assert_allclose(ours.score(features), theirs.predict_proba(scaled), atol=1e-5)


def test_without_features_scores_are_priors() -> None:
    _, single, several = _data()
    for task, targets in (("single", single), ("multi", several)):
        model = fit_logistic(np.zeros((90, 0)), targets, task, 1.0)  # type: ignore[arg-type]
        scores = model.score(np.zeros((5, 0)))
        np.testing.assert_allclose(scores, np.tile(targets.mean(axis=0), (5, 1)), atol=1e-6)


def _bounded_log_loss(scores: np.ndarray, classes: np.ndarray) -> float:
    return float(-np.log(np.maximum(scores[np.arange(len(classes)), classes], 1e-3)).mean())


def test_the_strength_is_the_best_of_a_search_by_hand() -> None:
    """Noise beside a weak signal, where the weakest penalty overfits."""
    rng = np.random.default_rng(0)
    classes = np.tile([0, 1, 2], 20)
    features = np.concatenate(
        [np.eye(3)[classes] + rng.normal(0, 1, (60, 3)), rng.normal(0, 1, (60, 40))], axis=1
    )
    targets = np.eye(3, dtype=bool)[classes]
    folds = [np.arange(start, 60, 4) for start in range(4)]
    losses = []
    for strength in STRENGTHS:
        scores = np.zeros((60, 3))
        for fold in folds:
            rest = np.setdiff1d(np.arange(60), fold)
            scaler = StandardScaler().fit(features[rest])
            model = LogisticRegression(C=strength, tol=1e-9, max_iter=5000)
            model.fit(scaler.transform(features[rest]), classes[rest])
            scores[fold] = model.predict_proba(scaler.transform(features[fold]))
        losses.append(_bounded_log_loss(scores, classes))
    best, found = choose_strength(features, targets, "single", folds)
    assert best == STRENGTHS[int(np.argmin(losses))]
    assert best not in (STRENGTHS[0], STRENGTHS[-1])
    assert _bounded_log_loss(found, classes) == pytest.approx(min(losses), abs=1e-4)


def test_a_class_that_a_fold_lacks_does_not_break_the_search() -> None:
    features, targets, _ = _data()
    rare = targets.argmax(axis=1) == 2
    folds = [np.flatnonzero(rare), *np.array_split(np.flatnonzero(~rare), 3)]
    strength, scores = choose_strength(features, targets, "single", folds)
    assert strength in STRENGTHS
    assert np.isfinite(scores).all()
