import numpy as np
import pytest

from lilliput.errors import ConfigError, DataError
from lilliput.scoring import MergedScores, merge_views, swap_pairs


def test_views_join_class_by_class():
    views = np.array([[[0.1, 0.9], [0.5, 0.2]], [[0.3, 0.4], [0.5, 0.6]]], dtype=np.float32)
    np.testing.assert_allclose(merge_views(views, "max"), [[0.3, 0.9], [0.5, 0.6]])
    np.testing.assert_allclose(merge_views(views, "mean"), [[0.2, 0.65], [0.5, 0.4]])
    assert merge_views(views, "mean").dtype == np.float32


def test_one_view_is_itself():
    scores = np.random.default_rng(0).random((1, 4, 3))
    for how in ("max", "mean"):
        np.testing.assert_array_equal(merge_views(scores, how), scores[0])


def test_swapping_exchanges_the_columns_of_each_pair_only():
    scores = np.arange(10).reshape(2, 5) / 10
    swapped = swap_pairs(scores, [(0, 3), (4, 1)])
    np.testing.assert_array_equal(swapped, scores[:, [3, 4, 2, 0, 1]])
    np.testing.assert_array_equal(swap_pairs(swapped, [(0, 3), (4, 1)]), scores)
    np.testing.assert_array_equal(swap_pairs(scores, []), scores)


def test_swapping_leaves_its_input_alone_and_takes_leading_dimensions():
    scores = np.random.default_rng(0).random((3, 2, 4))
    before = scores.copy()
    np.testing.assert_array_equal(swap_pairs(scores, [(1, 2)])[2], scores[2][:, [0, 2, 1, 3]])
    np.testing.assert_array_equal(scores, before)


def test_a_mirrored_view_agrees_with_the_clip_once_its_pairs_are_swapped():
    clip = np.array([[0.9, 0.1, 0.4]])  # turning left, turning right, standing
    mirrored = np.array([[0.1, 0.9, 0.4]])
    joined = merge_views(np.stack([clip, swap_pairs(mirrored, [(0, 1)])]), "max")
    np.testing.assert_array_equal(joined, clip)


@pytest.mark.parametrize("pairs", [[(0, 3)], [(-1, 0)], [(1, 1)], [(0, 1), (1, 2)], [(0, 1)] * 2])
def test_impossible_pairs_are_refused(pairs):
    with pytest.raises(DataError, match="flip pair"):
        swap_pairs(np.zeros((2, 3)), pairs)


def test_unusable_views_are_refused():
    with pytest.raises(ConfigError, match="max or mean"):
        merge_views(np.zeros((1, 2, 3)), "median")
    with pytest.raises(DataError, match="shape"):
        merge_views(np.zeros((2, 3)), "max")
    with pytest.raises(DataError, match="at least one view"):
        merge_views(np.zeros((0, 2, 3)), "max")
    with pytest.raises(DataError, match="finite"):
        merge_views(np.full((1, 2, 3), np.nan), "max")


@pytest.mark.parametrize(("how", "join"), [("max", np.max), ("mean", np.mean)])
def test_clips_that_come_in_batches_merge_like_all_at_once(how, join):
    rng = np.random.default_rng(0)
    videos, scores = rng.integers(0, 6, 40), rng.random((40, 3)).astype(np.float32)
    videos[videos == 4] = 5  # of video 4 there is no clip
    merged = MergedScores(6, 3, how)
    for start in range(0, 40, 7):
        merged.add(videos[start : start + 7], scores[start : start + 7])
    expected = [
        join(scores[videos == video], axis=0) if (videos == video).any() else np.zeros(3)
        for video in range(6)
    ]
    np.testing.assert_allclose(merged.merge(), expected, rtol=1e-6)
    assert merged.seen == 5


def test_clips_that_cannot_be_merged_are_refused():
    with pytest.raises(ConfigError, match="max or mean"):
        MergedScores(2, 3, "median")
    with pytest.raises(DataError, match="finite"):
        MergedScores(2, 3, "max").add(np.array([0]), np.full((1, 3), np.nan))
