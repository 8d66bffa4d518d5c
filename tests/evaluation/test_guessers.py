import numpy as np
import pytest

from lilliput.evaluation.guessers import blind_guesses, chance_level
from lilliput.scoring import count

SUPPORT = [900, 600, 300, 120, 60, 20, 0]


def _targets():
    return np.eye(7, dtype=bool)[np.repeat(np.arange(7), SUPPORT)]


def _simulate(shares, targets, draws=40):
    """Mean scores of guesses that are really drawn."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(draws):
        labels = np.eye(7, dtype=bool)[rng.choice(7, size=len(targets), p=shares)]
        hits = count(labels, targets, axis=0)
        right = (labels & targets).any(axis=1).mean()
        rows.append((right, hits.recall[hits.support > 0].mean(), hits.f1.mean()))
    return np.mean(rows, axis=0)


def test_expected_scores_are_those_of_a_simulation():
    targets = _targets()
    prior = np.array(SUPPORT) / 2000
    frequent, any_class, by_prior = blind_guesses(targets, "single")
    for guess, shares in (
        (frequent, np.eye(7)[0]),
        (any_class, np.full(7, 1 / 7)),
        (by_prior, prior),
    ):
        expected = [guess[name] for name in ("top1", "mean_class_accuracy", "macro_f1")]
        np.testing.assert_allclose(_simulate(shares, targets), expected, atol=0.01)


def test_guesses_by_hand():
    frequent, any_class, by_prior = blind_guesses(_targets(), "single")
    assert frequent["top1"] == 0.45
    assert frequent["top5"] == 0.99
    assert frequent["mean_class_accuracy"] == pytest.approx(1 / 6)  # one of those with clips
    assert frequent["macro_f1"] == pytest.approx(2 * 0.45 / 1.45 / 7)
    assert (any_class["top1"], any_class["top5"]) == (pytest.approx(1 / 7), pytest.approx(5 / 7))
    assert by_prior["macro_f1"] == pytest.approx(1 / 7)
    assert by_prior["top5"] is None


def test_no_blind_guess_beats_those_that_are_called_best():
    guesses = blind_guesses(_targets(), "single")
    prior = np.array(SUPPORT) / 2000
    for shares in np.random.default_rng(1).dirichlet(np.full(7, 0.5), size=2000):
        f1 = 2 * prior * shares / (prior + shares)
        assert np.nansum(f1) / 7 <= chance_level(guesses, "macro_f1") + 1e-12
        assert prior @ shares <= chance_level(guesses, "top1") + 1e-12


def test_of_five_classes_the_top_five_say_nothing():
    guesses = blind_guesses(np.eye(5, dtype=bool), "single")
    assert [guess["top5"] for guess in guesses] == [None] * 3
    assert chance_level(guesses, "top5") is None
