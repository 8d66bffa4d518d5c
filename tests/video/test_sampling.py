import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.video import sampling

_sources = st.integers(1, 300)
_picks = st.integers(1, 64)
_steps = st.integers(1, 6)
_seeds = st.integers(0, 2**32 - 1)


def _brute_chunks(num_source: int, num_frames: int) -> list[list[int]]:
    """Frame f of T belongs to the chunk in which it begins: floor(i T / N) <= f."""
    starts = [i * num_source // num_frames for i in range(num_frames)] + [num_source]
    return [list(range(a, b)) for a, b in itertools.pairwise(starts)]


@given(_sources, _picks, _steps, _seeds)
def test_random_clip_is_a_run_inside_the_video(
    num_source: int, num_frames: int, step: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    picks = sampling.random_clip(num_source, num_frames, rng, frame_step=step)
    assert picks.shape == (num_frames,)
    assert ((picks >= 0) & (picks < num_source)).all()
    # Every next pick lies one step on; a video too short for the run starts over.
    assert ((np.diff(picks) - step) % num_source == 0).all()
    if (num_frames - 1) * step < num_source:
        assert (np.diff(picks) == step).all()
    else:
        assert picks[0] == 0


def test_random_clip_reaches_every_start() -> None:
    rng = np.random.default_rng(0)
    starts = {int(sampling.random_clip(10, 4, rng)[0]) for _ in range(500)}
    assert starts == set(range(7))


def test_short_video_loops() -> None:
    rng = np.random.default_rng(0)
    expected = [0, 1, 2, 0, 1, 2, 0]
    assert sampling.random_clip(3, 7, rng).tolist() == expected
    assert sampling.centre_clip(3, 7).tolist() == expected


@pytest.mark.parametrize(
    ("num_source", "num_frames", "step", "expected"),
    [
        (10, 4, 1, [3, 4, 5, 6]),
        (11, 4, 1, [3, 4, 5, 6]),
        (12, 4, 2, [2, 4, 6, 8]),
        (4, 4, 1, [0, 1, 2, 3]),
        (1, 3, 1, [0, 0, 0]),
    ],
)
def test_centre_clip(num_source: int, num_frames: int, step: int, expected: list[int]) -> None:
    assert sampling.centre_clip(num_source, num_frames, frame_step=step).tolist() == expected


@given(_sources, _picks, _seeds)
def test_segments_cover_the_video_in_disjoint_chunks(
    num_source: int, num_frames: int, seed: int
) -> None:
    picks = sampling.random_segments(num_source, num_frames, np.random.default_rng(seed))
    centre = sampling.centre_segments(num_source, num_frames)
    assert picks.shape == centre.shape == (num_frames,)
    assert (np.diff(picks) >= 0).all()
    if num_source < num_frames:  # frames repeat, none is left out
        assert set(picks) == set(centre) == set(range(num_source))
        return
    chunks = _brute_chunks(num_source, num_frames)
    assert [frame for chunk in chunks for frame in chunk] == list(range(num_source))
    assert all(pick in chunk for pick, chunk in zip(picks, chunks, strict=True))
    assert centre.tolist() == [chunk[(len(chunk) - 1) // 2] for chunk in chunks]


def test_random_segments_are_uniform_in_their_chunk() -> None:
    rng = np.random.default_rng(0)
    draws = np.stack([sampling.random_segments(12, 3, rng) for _ in range(4000)])
    counts = np.stack([np.bincount(draws[:, chunk] - 4 * chunk, minlength=4) for chunk in range(3)])
    assert counts.shape == (3, 4)
    assert (abs(counts - 1000) < 150).all()  # five standard deviations: sqrt(4000 · 3/16) ≈ 27


def test_centre_segments_by_hand() -> None:
    # 10 frames in 3 chunks: 0-2, 3-5, 6-9.
    assert sampling.centre_segments(10, 3).tolist() == [1, 4, 7]
    assert sampling.centre_segments(2, 4).tolist() == [0, 0, 1, 1]
    assert sampling.centre_segments(1, 3).tolist() == [0, 0, 0]


@given(_sources, _picks, st.integers(1, 12), _steps)
def test_spaced_clips(num_source: int, num_frames: int, num_clips: int, step: int) -> None:
    clips = sampling.spaced_clips(num_source, num_frames, num_clips, frame_step=step)
    starts = np.array([clip[0] for clip in clips])
    last = max(0, num_source - (num_frames - 1) * step - 1)
    assert len(clips) == num_clips
    assert (np.diff(starts) >= 0).all()
    assert starts.min() >= 0
    assert starts.max() <= last
    # Evenly spaced: each start lies within one frame of the middle of its K-th part.
    middles = (np.arange(num_clips) + 0.5) * last / num_clips
    assert (abs(starts - middles) <= 0.5 + 1e-6).all()


@given(_sources, _picks, _steps)
def test_one_spaced_clip_is_the_centre_clip(num_source: int, num_frames: int, step: int) -> None:
    (clip,) = sampling.spaced_clips(num_source, num_frames, 1, frame_step=step)
    centre = sampling.centre_clip(num_source, num_frames, frame_step=step)
    np.testing.assert_array_equal(clip, centre)


def test_spaced_clips_by_hand() -> None:
    clips = sampling.spaced_clips(
        100, 16, 3
    )  # starts 0..84; thirds have their middles at 14, 42, 70
    assert [int(clip[0]) for clip in clips] == [14, 42, 70]


@pytest.mark.parametrize("method", ["random", "segment"])
@pytest.mark.parametrize("num_clips", [1, 4])
def test_evaluation_repeats_exactly(method: sampling.Method, num_clips: int) -> None:
    first, second = (
        sampling.sample_evaluation(method, 90, 16, num_clips=num_clips, seed=7) for _ in range(2)
    )
    assert len(first) == num_clips
    np.testing.assert_array_equal(first, second)
    assert len({tuple(clip) for clip in first}) == num_clips


def test_evaluation_methods() -> None:
    (segment,) = sampling.sample_evaluation("segment", 90, 16)
    np.testing.assert_array_equal(segment, sampling.centre_segments(90, 16))
    (clip,) = sampling.sample_evaluation("random", 90, 16, frame_step=2)
    np.testing.assert_array_equal(clip, sampling.centre_clip(90, 16, frame_step=2))
    seeds = [
        tuple(sampling.sample_evaluation("segment", 90, 16, num_clips=2, seed=s)[0]) for s in (1, 2)
    ]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("method", ["random", "segment"])
def test_training_draws_differ_and_follow_the_method(method: sampling.Method) -> None:
    rng = np.random.default_rng(1)
    draws = {tuple(sampling.sample_training(method, 200, 8, rng)) for _ in range(20)}
    assert len(draws) > 10
    consecutive = [all(np.diff(draw) == 1) for draw in draws]
    assert all(consecutive) if method == "random" else not any(consecutive)


@given(_sources, _picks, st.floats(0.05, 1.0), _seeds)
def test_segments_cover_a_stretch_of_at_least_that_share(
    num_source: int, num_frames: int, coverage: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    picks = sampling.random_segments(num_source, num_frames, rng, coverage=coverage)
    assert len(picks) == num_frames
    assert picks.min() >= 0 and picks.max() < num_source
    assert (np.diff(picks) >= 0).all()
    length = max(1, round(coverage * num_source))
    if num_frames > 2:  # the first and the last pick lie in the outer chunks
        assert picks[-1] - picks[0] >= (length - 1) * (1 - 2 / num_frames) - 2


def test_full_coverage_draws_nothing_more() -> None:
    plain = sampling.random_segments(50, 8, np.random.default_rng(1))
    covered = sampling.random_segments(50, 8, np.random.default_rng(1), coverage=1.0)
    assert np.array_equal(plain, covered)


def test_the_stretch_begins_anywhere() -> None:
    rng = np.random.default_rng(0)
    picks = [sampling.random_segments(40, 4, rng, coverage=0.5) for _ in range(500)]
    assert {min(one) for one in picks} >= set(range(20))
    assert max(max(one) for one in picks) == 39


@given(_sources, _picks, _steps)
def test_consecutive_clips_are_all_whole_stretches_of_the_video(
    num_source: int, num_frames: int, step: int
) -> None:
    clips = sampling.consecutive_clips(num_source, num_frames, frame_step=step)
    frames, stretch = list(range(num_source)), num_frames * step
    expected = []
    while len(frames) >= stretch:  # cut off one after the other; what is left is dropped
        expected.append(frames[:stretch:step])
        frames = frames[stretch:]
    if not expected:  # too short for one: looped
        expected = [[(k * step) % num_source for k in range(num_frames)]]
    assert [clip.tolist() for clip in clips] == expected


def test_consecutive_clips_by_hand() -> None:
    clips = sampling.consecutive_clips(11, 4)
    assert [clip.tolist() for clip in clips] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [clip.tolist() for clip in sampling.consecutive_clips(3, 4)] == [[0, 1, 2, 0]]


def test_segment_clips_are_drawn_for_each_video_not_for_each_length() -> None:
    def draw(num_source: int, clip_id: str) -> list[np.ndarray]:
        return sampling.sample_evaluation(
            "segment", num_source, 16, num_clips=5, seed=1, clip_id=clip_id
        )

    first, again, other = draw(160, "00001"), draw(160, "00001"), draw(160, "00002")
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
