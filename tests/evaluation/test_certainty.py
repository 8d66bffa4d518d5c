from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from lilliput.evaluation.certainty import coverage_curve, reliability_rows
from tests.evaluation.single import make_scored


def test_every_point_of_the_coverage_is_what_its_threshold_leaves():
    scored = make_scored(num_unreadable=7)
    scores = np.round(scored.scores, 1)  # many equal ones
    scored = replace(scored, scores=scores)
    curve = coverage_curve(scored)
    best = scores.max(axis=1)
    right = scored.targets[np.arange(120), scores.argmax(axis=1)]
    for threshold, answered, accuracy in zip(*curve.values(), strict=True):
        above = best > threshold
        assert answered == above.mean()
        assert accuracy == pytest.approx(right[above].mean())
    assert len(curve["threshold"]) == len(np.unique(best[best > 0]))
    assert curve["threshold"][-1] == 0
    assert curve["answered"][-1] == pytest.approx(113 / 120)


def test_the_coverage_of_many_clips_has_few_points():
    curve = coverage_curve(make_scored(num_clips=1000))
    assert len(curve["answered"]) == 200
    assert (curve["answered"][0], curve["answered"][-1]) == (0.001, 1)


def test_bins_of_one_label_are_of_the_most_likely_class():
    scored = make_scored(num_unreadable=20)
    rows = reliability_rows(scored)
    seen = slice(0, 100)
    best = scored.scores[seen].max(axis=1)
    right = scored.targets[np.arange(100), scored.scores[seen].argmax(axis=1)]
    accuracy, confidence = calibration_curve(right, best, n_bins=10)
    filled = [row for row in rows["bins"] if row["count"]]
    np.testing.assert_allclose([row["accuracy"] for row in filled], accuracy)
    np.testing.assert_allclose([row["confidence"] for row in filled], confidence, rtol=1e-6)
    assert sum(row["count"] for row in filled) == 100
    gaps = [abs(row["accuracy"] - row["confidence"]) * row["count"] for row in filled]
    assert rows["error"] == pytest.approx(sum(gaps) / 100)


def test_bins_of_many_labels_are_of_all_decisions():
    scored = replace(make_scored(), task="multi")
    rows = reliability_rows(scored)["bins"]
    accuracy, _ = calibration_curve(scored.targets.ravel(), scored.scores.ravel(), n_bins=10)
    np.testing.assert_allclose([row["accuracy"] for row in rows], accuracy)
    assert sum(row["count"] for row in rows) == 120 * 7
    assert (rows[3]["low"], rows[3]["high"]) == (pytest.approx(0.3), pytest.approx(0.4))


def test_clips_that_could_not_be_read_have_no_probability():
    scored = make_scored()
    rows = reliability_rows(replace(scored, scores=np.zeros_like(scored.scores)))
    assert rows["error"] == 0
    assert {row["accuracy"] for row in rows["bins"]} == {None}
