import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    top_k_accuracy_score,
)
from sklearn.metrics import (
    confusion_matrix as their_confusion_matrix,
)

from lilliput.scoring import (
    classify,
    confusion_matrix,
    give_labels,
    measure_reliability,
    reliability_of,
)

NUM_CLASSES = 7


def _clips(seed=0, num_clips=200):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(NUM_CLASSES, 0.4), size=num_clips)
    likely = scores.argmax(axis=1)
    truth = np.where(rng.random(num_clips) < 0.4, likely, rng.integers(6, size=num_clips))
    return scores, np.eye(NUM_CLASSES, dtype=bool)[truth], truth


def test_accuracies_are_scikit_learns():
    scores, targets, truth = _clips()
    labels = give_labels(scores, 0.0, "single")
    found = classify(scores, targets, labels)
    given = scores.argmax(axis=1)
    assert found.top1 == pytest.approx(accuracy_score(truth, given))
    five = top_k_accuracy_score(truth, scores, k=5, labels=np.arange(NUM_CLASSES))
    assert found.top5 == pytest.approx(five)
    recalls = [np.mean(given[truth == label] == label) for label in np.unique(truth)]
    assert found.mean_class_accuracy == pytest.approx(np.mean(recalls))
    assert found.unknown == 0
    seen = np.isin(given, truth)
    assert balanced_accuracy_score(truth[seen], given[seen]) == pytest.approx(
        classify(scores[seen], targets[seen], labels[seen]).mean_class_accuracy
    )


def test_unknown_clips_are_wrong_and_counted():
    scores, targets, _ = _clips()
    labels = give_labels(scores, 0.6, "single")
    found = classify(scores, targets, labels)
    assert found.unknown == pytest.approx(np.mean(scores.max(axis=1) <= 0.6))
    assert found.top1 == pytest.approx((labels & targets).any(axis=1).mean())


def test_five_of_five_classes_say_nothing():
    scores, targets, _ = _clips()
    assert classify(scores[:, :5], targets[:, :5], targets[:, :5]).top5 is None


def test_confusion_is_scikit_learns_with_a_column_for_unknown():
    scores, targets, truth = _clips()
    labels = give_labels(scores, 0.5, "single")
    given = np.where(labels.any(axis=1), labels.argmax(axis=1), NUM_CLASSES)
    expected = their_confusion_matrix(truth, given, labels=np.arange(NUM_CLASSES + 1))
    np.testing.assert_array_equal(confusion_matrix(labels, targets), expected[:-1])


def test_reliability_is_a_naive_loop():
    rng = np.random.default_rng(3)
    scores = np.append(rng.random(300) ** 2, [0.0, 1.0])
    is_right = rng.random(302) < scores
    found = measure_reliability(scores, is_right)
    error = 0.0
    for index in range(10):
        inside = (scores >= index / 10) & ((scores < (index + 1) / 10) | (index == 9))
        assert found.count[index] == inside.sum()
        assert found.confidence[index] == pytest.approx(scores[inside].mean())
        assert found.accuracy[index] == pytest.approx(is_right[inside].mean())
        error += inside.mean() * abs(scores[inside].mean() - is_right[inside].mean())
    assert found.error == pytest.approx(error)


def test_reliability_is_of_the_likeliest_class_or_of_all_labels():
    scores, targets, truth = _clips(num_clips=50)
    single = reliability_of(scores, targets, "single")
    assert single.count.sum() == 50
    given = scores.argmax(axis=1)
    assert np.nansum(single.accuracy * single.count) == pytest.approx((given == truth).sum())
    multi = reliability_of(scores, targets, "multi")
    assert multi.count.sum() == 50 * NUM_CLASSES


def test_clips_without_scores_are_wrong_and_no_part_of_the_calibration():
    scores, targets, _ = _clips()
    alone = classify(scores, targets, give_labels(scores, 0.0, "single"))
    scores = np.concatenate([scores, np.zeros_like(scores)])
    targets = np.concatenate([targets, np.eye(NUM_CLASSES, dtype=bool)[np.zeros(200, int)]])
    found = classify(scores, targets, give_labels(scores, 0.0, "single"))
    assert found.top1 == pytest.approx(alone.top1 / 2)
    assert found.top5 == pytest.approx(alone.top5 / 2)
    assert found.unknown == 0.5
    assert found.calibration_error == pytest.approx(alone.calibration_error)
    for task in ("single", "multi"):
        assert reliability_of(scores[200:], targets[200:], task).error == 0
