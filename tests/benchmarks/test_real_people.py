"""How real clips are cut and scored, by hand."""

import numpy as np
import pytest

from benchmarks.real_people import find_threshold, recalls, standardize
from benchmarks.real_video import FRAMES, SIDE, cut, shrink


def test_a_square_holds_all_boxes_and_stays_in_the_picture() -> None:
    frames = np.zeros((20, 60, 80, 3), np.uint8)
    boxes = np.array([[70.0, 10, 80, 40]] * 10 + [[60.0, 10, 70, 40]] * 10)
    clip, rows, columns = cut(frames, boxes)
    assert clip.shape == (FRAMES, SIDE, SIDE, 3)
    assert rows.stop - rows.start == columns.stop - columns.start == 36  # 1.2 times 30
    assert (rows.start, columns.stop) == (7, 80)
    assert columns.start <= 60


def test_a_clip_spans_its_frames_from_the_first_to_the_last() -> None:
    frames = np.arange(31, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    assert shrink(frames)[:, 0, 0, 0].tolist() == [2 * number for number in range(FRAMES)]


def test_recall_of_the_highest_score_among_the_actions_of_a_set() -> None:
    names = {"sit": ["sitting", "sitting_down"], "walk": ["walking"]}
    classes = ["walking", "sitting", "sitting_down", "waving"]
    logits = np.array([[0, 1, -1, 9], [0, -1, 1, 9], [3, 1, 2, 9], [1, 0, 0, 9.0]])
    labels = ["sit", "sit", "sit", "walk"]
    assert recalls(logits, labels, classes, names).tolist() == pytest.approx([2 / 3, 1])


def test_standardized_scores_have_no_mean_and_one_deviation() -> None:
    logits = np.random.default_rng(0).normal((2, -3), (1, 5), (200, 2))
    standard = standardize(logits)
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(standard.std(axis=0), 1)


def test_a_threshold_lets_at_most_a_share_pass() -> None:
    scores = np.round(np.random.default_rng(3).random(150), 2)  # with ties
    for share in (0.0, 0.02, 0.1):
        passing = {value: (scores >= value).mean() for value in np.arange(0, 1.02, 0.001)}
        expected = min(value for value, part in passing.items() if part <= share)
        found = find_threshold(scores, share)
        assert (scores >= found).mean() <= share
        assert found == pytest.approx(expected, abs=0.0011)
