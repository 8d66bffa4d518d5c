import numpy as np
import pytest
import torch

from lilliput.errors import DataError
from lilliput.scoring import give_labels, most_likely, tune_unknown
from lilliput.scoring.logits import score_logits


def test_several_labels_need_scores_above_their_thresholds():
    labels = give_labels(np.array([[0.5, 0.6, 0.2]]), [0.5, 0.5, 0.1], "multi")
    np.testing.assert_array_equal(labels, [[False, True, True]])


def test_one_label_is_the_most_likely_or_unknown():
    scores = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4], [0.45, 0.45, 0.1], [0, 0, 0]])
    labels = give_labels(scores, 0.42, "single")
    expected = [[1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(labels, np.array(expected, dtype=bool))
    # Without a threshold only a clip without any score, an unreadable one, is unknown.
    np.testing.assert_array_equal(give_labels(scores, 0.0, "single").sum(axis=1), [1, 1, 1, 0])


def test_thresholds_must_fit_the_classes():
    with pytest.raises(DataError, match="one per class"):
        give_labels(np.zeros((1, 3)), [0.1, 0.2], "single")


def test_scores_are_a_sigmoid_or_a_softmax():
    logits = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.bfloat16)
    exact = logits.double().numpy()
    np.testing.assert_allclose(score_logits(logits, "multi"), 1 / (1 + np.exp(-exact)), rtol=1e-6)
    softmax = np.exp(exact) / np.exp(exact).sum()
    np.testing.assert_allclose(score_logits(logits, "single"), softmax, rtol=1e-6)


@pytest.mark.parametrize("objective", ["macro_f1", "micro_f1", "weighted_f1"])
def test_unknown_is_tuned_exactly(objective):
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    scores = rng.dirichlet([1, 1, 1], size=40).astype(np.float32)
    truth = np.where(rng.random(40) < 0.5, scores.argmax(axis=1), rng.integers(3, size=40))
    targets = np.eye(3, dtype=bool)[truth]

    def reached(threshold):
        labels = give_labels(scores, threshold, "single")
        average = objective.removesuffix("_f1")
        return f1_score(targets.astype(int), labels.astype(int), average=average, zero_division=0)

    candidates = [0.0, *scores[most_likely(scores)]]
    best = max(reached(threshold) for threshold in candidates)
    assert reached(tune_unknown(scores, targets, objective)) == pytest.approx(best)


@pytest.mark.parametrize("task", ["single", "multi"])
def test_clips_may_have_thresholds_of_their_own(task):
    """As each fold of a cross-validation has: the same as clip by clip."""
    rng = np.random.default_rng(0)
    scores, thresholds = rng.random((7, 3)), rng.random((7, 3))
    rows = zip(scores, thresholds, strict=True)
    expected = np.concatenate([give_labels(row[None], limits, task) for row, limits in rows])
    np.testing.assert_array_equal(give_labels(scores, thresholds, task), expected)
    with pytest.raises(DataError, match="one per class"):
        give_labels(scores, thresholds[:5], task)
