"""Seconds and steps, against hand-made lists and a search through all frames."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.video.clock import LONGEST_HOLD, Clock, steady


def shown(seconds: list[float], fps: float) -> list[tuple[int, int]]:
    """The steps, and the number of the frame in each."""
    return list(steady(range(len(seconds)), fps, lambda number: seconds[number]))


@given(
    fps=st.sampled_from([5, 10, 25, 29.97, 30, 60, 120]),
    count=st.integers(1, 80),
    late=st.floats(0, 3),
    jitter=st.sampled_from([0.0, 0.3]),
)
def test_even_frames_come_once_each(fps: float, count: int, late: float, jitter: float) -> None:
    moved = np.random.default_rng(count).uniform(-jitter, jitter, count)
    moved[0] = 0
    steps = shown([late + (i + moved[i]) / fps for i in range(count)], fps)
    assert [number for _, number in steps] == list(range(count))
    assert [step for step, _ in steps] == list(range(round(late * fps), round(late * fps) + count))


@given(st.lists(st.floats(0.01, 1.2), min_size=1, max_size=30), st.sampled_from([4, 10, 30]))
def test_uneven_frames_are_shown_as_long_as_they_stand(gaps: list[float], fps: int) -> None:
    """Brute force: what is the last frame that has begun by the middle of a step?"""
    seconds = [0.0, *np.cumsum(gaps).tolist()]
    steps = dict(shown(seconds, fps))
    for step in range(math.floor(seconds[-1] * fps)):
        begun = [i for i, second in enumerate(seconds) if second * fps - 1e-9 < step + 0.5]
        at_edge = any(abs(second * fps - step - 0.5) < 1e-6 for second in seconds)
        assert at_edge or steps[step] == begun[-1]


def test_a_long_gap_has_no_pictures() -> None:
    seconds = [0.0, 0.1, 0.2, 300.0, 300.1]
    held = round(LONGEST_HOLD * 10)
    expected = [(0, 0), (1, 1), *((2 + i, 2) for i in range(held)), (3000, 3), (3001, 4)]
    assert shown(seconds, 10) == expected


def test_the_last_picture_stands_as_long_as_the_one_before() -> None:
    assert [step for step, _ in shown([0.0, 0.5], 10)] == list(range(10))


@pytest.mark.parametrize(
    ("stamps", "start", "duration", "expected"),
    [
        ([7.5, 7.6], 7.0, 10.0, [0.5, 0.6]),  # its sound begins first
        ([6.9, 7.0], 7.0, 10.0, [0.0, 0.1]),
        ([90.0, 90.1], 7.0, None, [0.0, 0.1]),  # the stamp of the beginning cannot be right
        ([0.0, 0.1, 300.1], 0.0, 300.2, [0.0, 0.1, 300.1]),  # a gap of five minutes
        ([0.0, 0.1, 300.1], 0.0, 20.0, [0.0, 0.1, 0.2]),  # a stamp beyond the end
        ([0.0, 0.1, 92000.0], 0.0, 92001.0, [0.0, 0.1, 0.2]),  # MPEG-TS that was set back
    ],
)
def test_second_0_and_gaps(
    stamps: list[float], start: float, duration: float | None, expected: list[float]
) -> None:
    clock = Clock(10, start, duration)
    assert [clock(stamp) for stamp in stamps] == pytest.approx(expected)


def test_gaps_are_told() -> None:
    clock = Clock(10, 0.0, 400.0)
    assert [clock(stamp) for stamp in (0.0, 0.1)] == [0.0, 0.1]
    assert clock.notes == []
    clock(200.1)
    assert clock.notes == ["no pictures from 0.1 to 200.1 s"]
    clock(250.0)
    assert clock.notes == ["2 gaps without pictures, the longest 200.0 s at 0.1 s"]


def test_a_slow_camera_has_no_gaps() -> None:
    clock = Clock(0.2)
    assert [clock(5.0 * i) for i in range(4)] == [0, 5, 10, 15]
    assert clock.notes == []
