import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    precision_recall_fscore_support,
)

from lilliput.errors import ConfigError, DataError
from lilliput.scoring import bootstrap_intervals, compute_metrics, paired_comparison


def _run(seed, num_clips=120, num_groups=15, noise=0.2):
    """Targets, recordings, and labels that are wrong with the probability ``noise``."""
    rng = np.random.default_rng(seed)
    groups = [f"recording_{index}" for index in rng.integers(num_groups, size=num_clips)]
    targets = rng.random((num_clips, 4)) < [0.5, 0.3, 0.02, 0]
    labels = targets ^ (rng.random(targets.shape) < noise)
    return labels, targets, groups


def _scikit_learn(labels, targets, average):
    scores = precision_recall_fscore_support(
        targets.astype(int), labels.astype(int), average=average, zero_division=0
    )
    return dict(zip(("precision", "recall", "f1"), scores[:3], strict=True))


def _naive_resamples(labels, targets, groups, num_samples, seed):
    """Draws recordings, gathers their clips and scores them, one resample after the other."""
    names = sorted(set(groups))
    clips_of = [np.flatnonzero(np.array(groups) == name) for name in names]
    rng = np.random.default_rng(seed)
    for _ in range(num_samples):
        clips = np.concatenate([clips_of[i] for i in rng.integers(len(names), size=len(names))])
        drawn = targets[clips]
        kept = drawn.any(axis=0) | ~targets.any(axis=0)
        macro = _scikit_learn(labels[clips][:, kept], drawn[:, kept], "macro")
        micro = _scikit_learn(labels[clips], drawn, "micro")
        found = drawn.any(axis=0)
        yield (
            {f"macro_{k}": v for k, v in macro.items()}
            | {f"micro_{k}": v for k, v in micro.items()}
            | {"top1": micro["recall"]}
            | {
                "mean_class_accuracy": _scikit_learn(
                    labels[clips][:, found], drawn[:, found], "macro"
                )["recall"]
            }
        )


def test_intervals_agree_with_a_naive_loop():
    labels, targets, groups = _run(seed=0)
    naive = list(_naive_resamples(labels, targets, groups, num_samples=60, seed=5))
    ours = bootstrap_intervals(labels, targets, groups, num_samples=60, confidence=0.8, seed=5)
    assert set(ours) == set(naive[0])
    for name, interval in ours.items():
        values = [resample[name] for resample in naive]
        expected = np.quantile(values, [0.1, 0.9])
        assert (interval.low, interval.high) == pytest.approx(tuple(expected))


def test_the_naive_loop_meets_resamples_without_the_rare_class():
    _, targets, groups = _run(seed=0)
    holders = {group for group, rare in zip(groups, targets[:, 2], strict=True) if rare}
    assert 1 <= len(holders) <= 3  # few enough for many of the 60 resamples to miss them all


def test_estimates_are_the_metrics_on_all_clips():
    labels, targets, groups = _run(seed=1)
    metrics = compute_metrics(labels.astype(float), targets, 0.5)
    intervals = bootstrap_intervals(labels, targets, groups, num_samples=50)
    for name, interval in intervals.items():
        if name in ("top1", "mean_class_accuracy"):  # see below
            continue
        averaging, score = name.split("_")
        assert interval.estimate == pytest.approx(getattr(getattr(metrics, averaging), score))
        assert interval.low <= interval.high


def test_accuracies_of_single_labels_are_scikit_learns():
    rng = np.random.default_rng(2)
    truth, given = rng.integers(3, size=60), rng.integers(3, size=60)
    labels, targets = np.eye(4, dtype=bool)[given], np.eye(4, dtype=bool)[truth]
    groups = [str(index % 10) for index in range(60)]
    intervals = bootstrap_intervals(labels, targets, groups, num_samples=50)
    assert intervals["top1"].estimate == pytest.approx(accuracy_score(truth, given))
    expected = balanced_accuracy_score(truth, given)  # leaves out the class that is not there
    assert intervals["mean_class_accuracy"].estimate == pytest.approx(expected)


def test_a_rare_class_does_not_push_the_interval_below_the_score():
    num_clips = 40
    targets = np.ones((num_clips, 2), bool)
    targets[1:, 1] = False  # one positive only
    groups = [str(index) for index in range(num_clips)]
    interval = bootstrap_intervals(targets, targets, groups)["macro_f1"]
    assert (interval.low, interval.estimate, interval.high) == (1, 1, 1)


def test_clips_of_one_recording_are_drawn_together():
    # Each recording is all right or all wrong, so the recordings alone set the uncertainty.
    right = np.arange(10) % 2 == 0
    labels = np.repeat(right, 100)[:, None]
    targets = np.ones((1000, 1), bool)
    by_recording = [str(index // 100) for index in range(1000)]
    by_clip = [str(index) for index in range(1000)]
    wide = bootstrap_intervals(labels, targets, by_recording)["micro_recall"]
    narrow = bootstrap_intervals(labels, targets, by_clip)["micro_recall"]
    # Standard deviation of a mean of n coin tosses: 0.5 / sqrt(n); 95 % within 1.96 of them.
    assert (wide.high - wide.low) / 2 == pytest.approx(1.96 * 0.5 / 10**0.5, rel=0.15)
    assert (narrow.high - narrow.low) / 2 == pytest.approx(1.96 * 0.5 / 1000**0.5, rel=0.15)


def test_the_seed_decides():
    labels, targets, groups = _run(seed=2)
    first = bootstrap_intervals(labels, targets, groups, num_samples=50, seed=7)
    assert first == bootstrap_intervals(labels, targets, groups, num_samples=50, seed=7)
    assert first != bootstrap_intervals(labels, targets, groups, num_samples=50, seed=8)


def test_comparison_agrees_with_a_naive_loop_over_the_same_resamples():
    labels_a, targets, groups = _run(seed=0, noise=0.2)
    labels_b = targets ^ (np.random.default_rng(9).random(targets.shape) < 0.25)
    scores_a = _naive_resamples(labels_a, targets, groups, num_samples=80, seed=3)
    scores_b = _naive_resamples(labels_b, targets, groups, num_samples=80, seed=3)
    differences = np.array(
        [a["macro_f1"] - b["macro_f1"] for a, b in zip(scores_a, scores_b, strict=True)]
    )
    ours = paired_comparison(labels_a, labels_b, targets, groups, num_samples=80, seed=3)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (ours.difference.low, ours.difference.high) == pytest.approx((low, high))
    fewer = min((differences <= 0).sum(), (differences >= 0).sum())
    assert ours.p_value == pytest.approx(min(1, 2 * (fewer + 1) / 81))
    assert ours.difference.estimate == pytest.approx(
        _scikit_learn(labels_a, targets, "macro")["f1"]
        - _scikit_learn(labels_b, targets, "macro")["f1"]
    )


def test_a_clear_difference_is_distinguished_in_both_directions():
    good, targets, groups = _run(seed=0, noise=0.05)
    bad = targets ^ (np.random.default_rng(9).random(targets.shape) < 0.4)
    better = paired_comparison(good, bad, targets, groups)
    worse = paired_comparison(bad, good, targets, groups)
    assert better.distinguishable and better.difference.low > 0 and better.p_value < 0.01
    assert worse.distinguishable and worse.difference.high < 0 and worse.p_value < 0.01


def test_a_run_is_not_distinguishable_from_itself():
    labels, targets, groups = _run(seed=0)
    same = paired_comparison(labels, labels, targets, groups, num_samples=50)
    assert not same.distinguishable
    assert same.p_value == 1
    assert (same.difference.low, same.difference.estimate, same.difference.high) == (0, 0, 0)


def test_unusable_input_is_refused():
    labels, targets, groups = _run(seed=0)
    with pytest.raises(DataError, match="at least two"):
        bootstrap_intervals(labels, targets, ["a"] * len(labels))
    with pytest.raises(DataError, match="recordings for 120 clips"):
        bootstrap_intervals(labels, targets, groups[1:])
    with pytest.raises(DataError, match="must be"):
        bootstrap_intervals(labels[1:], targets, groups)
    with pytest.raises(DataError, match="give_labels"):
        bootstrap_intervals(labels.astype(float), targets, groups)
    with pytest.raises(DataError, match="must be"):
        paired_comparison(labels, labels[1:], targets, groups)
    with pytest.raises(ConfigError, match="confidence"):
        bootstrap_intervals(labels, targets, groups, confidence=95)
    with pytest.raises(ConfigError, match="num_samples"):
        paired_comparison(labels, labels, targets, groups, num_samples=0)


def test_sides_of_several_runs_count_with_the_mean_of_their_macro_f1():
    first, targets, groups = _run(seed=0, noise=0.2)
    rng = np.random.default_rng(5)
    side_a = [first, targets ^ (rng.random(targets.shape) < 0.3)]
    side_b = [targets ^ (rng.random(targets.shape) < noise) for noise in (0.2, 0.25, 0.4)]

    def mean_of(side):
        runs = [_naive_resamples(labels, targets, groups, 60, seed=3) for labels in side]
        return np.mean([[scores["macro_f1"] for scores in run] for run in runs], axis=0)

    differences = mean_of(side_a) - mean_of(side_b)
    ours = paired_comparison(side_a, side_b, targets, groups, num_samples=60, seed=3)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (ours.difference.low, ours.difference.high) == pytest.approx((low, high))
    fewer = min((differences <= 0).sum(), (differences >= 0).sum())
    assert ours.p_value == pytest.approx(min(1, 2 * (fewer + 1) / 61))
    estimates = [
        np.mean([_scikit_learn(labels, targets, "macro")["f1"] for labels in side])
        for side in (side_a, side_b)
    ]
    assert ours.difference.estimate == pytest.approx(estimates[0] - estimates[1])


def test_a_side_of_one_run_may_be_given_either_way():
    labels, targets, groups = _run(seed=0)
    other = targets ^ (np.random.default_rng(9).random(targets.shape) < 0.25)
    plain = paired_comparison(labels, other, targets, groups, num_samples=50)
    assert paired_comparison([labels], (other,), targets, groups, num_samples=50) == plain
    # The same run twice is that run.
    assert paired_comparison([labels, labels], other, targets, groups, num_samples=50) == plain


def test_a_side_without_runs_is_refused():
    labels, targets, groups = _run(seed=0)
    with pytest.raises(DataError, match="has no runs"):
        paired_comparison(labels, [], targets, groups)
