"""What is cut out of footage for the recogniser, counted in frames and pixels."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.windows import WindowCutter

SIZE = (64, 48)
FPS = 8.0  # so that times are exact
repeatable = settings(derandomize=True, deadline=None, max_examples=100)


def frame_at(index, seconds=None):
    """Each px says when, and where it is."""
    width, height = SIZE
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = index % 256
    pixels[..., 1], pixels[..., 2] = np.arange(width), np.arange(height)[:, None]
    return Frame(index, index / FPS if seconds is None else seconds, pixels)


def box_at(index):
    return Box(4 + index, 10, 10 + index, 20)


def scenes_of(count, lives, seconds=None):
    """Actors, each seen from one frame until another."""
    for index in range(count):
        tracks = [TrackedBox(n, box_at(index)) for n, (a, b) in lives.items() if a <= index < b]
        yield Scene(frame_at(index, seconds and seconds[index]), tuple(tracks))


def cutter_of(length, hop, context=1.0):
    return WindowCutter(length, hop, context, 1 / FPS)


def indices(window):
    return [frame.index for frame in window.frames]


def test_a_window_every_hop_and_one_at_the_end():
    cuts = list(cutter_of(1.0, 0.5)(scenes_of(22, {3: (0, 22)})))
    assert len(cuts) == 23
    assert [cut.scene is None for cut in cuts] == [False] * 22 + [True]
    found = {at: indices(window) for at, cut in enumerate(cuts) for window in cut.windows}
    assert found == {  # by the frame with which they came: at once
        7: list(range(8)),
        11: list(range(4, 12)),
        15: list(range(8, 16)),
        19: list(range(12, 20)),
        22: list(range(14, 22)),
    }
    spans = [(w.start_seconds, w.end_seconds) for cut in cuts for w in cut.windows]
    assert spans == [(0, 1), (0.5, 1.5), (1, 2), (1.5, 2.5), (1.75, 2.75)]
    assert cuts[-1].ended == {3: 2.75}


def test_a_track_that_ends_with_a_window_has_no_other():
    cuts = list(cutter_of(1.0, 0.5)(scenes_of(12, {1: (0, 12)})))
    assert [indices(window)[-1] for cut in cuts for window in cut.windows] == [7, 11]


@pytest.mark.parametrize(("count", "seen"), [(1, False), (2, True), (5, True), (8, True)])
def test_a_short_track_is_one_window_from_a_quarter_on(count, seen):
    cuts = list(cutter_of(1.0, 0.5)(scenes_of(20, {7: (4, 4 + count)})))
    found = [window for cut in cuts for window in cut.windows]
    assert [indices(window) for window in found] == [list(range(4, 4 + count))] * seen
    assert [(w.start_seconds, w.end_seconds) for w in found] == [(0.5, 0.5 + count / FPS)] * seen
    # It is over with the first frame that lacks it, and later frames do not know it.
    assert {at: cut.ended for at, cut in enumerate(cuts) if cut.ended} == {
        4 + count: {7: 0.5 + count / FPS}
    }


def test_a_number_that_is_back_is_another_track():
    """The tracker never does so; the cutter would not mix them up."""
    scenes = [replace(s, tracks=s.tracks if s.frame.index != 4 else ()) for s in
              scenes_of(9, {1: (0, 9)})]  # fmt: skip
    cuts = list(cutter_of(1.0, 0.5)(scenes))
    assert [indices(w) for cut in cuts for w in cut.windows] == [[0, 1, 2, 3], [5, 6, 7, 8]]


def test_the_crop_is_one_square_around_all_boxes_of_the_window():
    cuts = list(cutter_of(1.0, 0.5)(scenes_of(12, {1: (0, 12)})))
    first, second = (window for cut in cuts for window in cut.windows)
    # Boxes from left 4 to right 10 + 7, and y 10 to 20: 13 px, about (10.5, 15).
    assert first.square == Box(4, 8.5, 17, 21.5)
    assert second.square == Box(8, 8.5, 21, 21.5)
    for window in (first, second):
        for frame, crop, source in zip(window.frames, window.crops(), window.sources, strict=True):
            assert crop.shape == (13, 13, 3)
            assert np.unique(crop[..., 0]).tolist() == [frame.index]
            left = round(window.square.left)
            assert np.unique(crop[..., 1]).tolist() == list(range(left, left + 13))
            np.testing.assert_array_equal(source.read().numpy().transpose(1, 2, 0), crop)


def test_context_widens_the_square():
    (cut,) = (c for c in cutter_of(1.0, 1.0, 2.0)(scenes_of(8, {1: (0, 8)})) if c.windows)
    assert cut.windows[0].square == Box(0, 2, 26, 28)  # 2 × 13 px, moved into the picture


def test_the_whole_picture_is_not_cropped_and_its_frames_are_shared():
    whole = (TrackedBox(0, Box(0, 0, *SIZE)),)
    scenes = [Scene(frame_at(index), whole) for index in range(12)]
    first, second = (w for c in cutter_of(1.0, 0.5)(scenes) for w in c.windows)
    assert first.square is None
    assert first.crops()[0].shape == (48, 64, 3)
    assert [a is b for a, b in zip(first.sources[4:], second.sources, strict=False)] == [True] * 4
    assert tuple(first.sources[0].read().shape) == (3, 48, 64)


@pytest.mark.parametrize("length", [0.01, 0.1, 1 / FPS])
def test_a_window_is_one_frame_at_least(length):
    cuts = list(cutter_of(length, 0.01)(scenes_of(5, {1: (0, 5)})))
    found = [window for cut in cuts for window in cut.windows]
    assert [indices(window) for window in found] == [[0], [1], [2], [3], [4]]
    assert [(w.start_seconds, w.end_seconds) for w in found] == [
        (n / FPS, (n + 1) / FPS) for n in range(5)
    ]


@st.composite
def footages(draw):
    """Irregular times, and actors that come and go."""
    count = draw(st.integers(1, 40))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 3, 9]), min_size=count, max_size=count))
    seconds = (np.cumsum(steps) / FPS).tolist()
    lives = {
        number: (first, draw(st.integers(first + 1, count)))
        for number in range(1, 4)
        for first in [draw(st.integers(0, count - 1))]
    }
    return seconds, lives


@repeatable
@given(footages(), st.integers(1, 20), st.integers(1, 20))
def test_windows_of_any_footage(footage, length, hop):
    seconds, lives = footage
    length, hop = length / FPS, hop / FPS
    cuts = list(cutter_of(length, hop)(scenes_of(len(seconds), lives, seconds)))
    ended = [number for cut in cuts for number in cut.ended]
    assert sorted(ended) == sorted(lives)
    for number, (first, after) in lives.items():
        found = [w for cut in cuts for w in cut.windows if w.track == number]
        begin, end = seconds[first], seconds[after - 1] + 1 / FPS
        assert all(cut.ended.get(number, end) == end for cut in cuts)
        for window in found:
            assert window.end_seconds - window.start_seconds <= length
            inside = [
                index
                for index in range(first, after)
                if window.start_seconds <= seconds[index] < window.end_seconds
            ]
            assert indices(window) == inside
        middles = [w.start_seconds + w.end_seconds for w in found]
        assert middles == sorted(set(middles))
        if end - begin >= length / 4:
            assert found[-1].end_seconds == end
        if set(np.diff(seconds)) <= {1 / FPS}:  # without gaps, nothing is left unseen
            hops = np.diff([w.end_seconds for w in found])
            assert all(hops[:-1] == hop) and all(hops <= hop)
            assert not found or found[0].start_seconds == begin


def test_frames_are_kept_for_one_window():
    alive = []

    def scenes():
        for scene in scenes_of(400, {1: (0, 400), 2: (50, 390), 3: (100, 101)}):
            alive.append(weakref.ref(scene.frame))
            yield scene
            del scene

    most = 0
    for cut in cutter_of(1.0, 0.25)(scenes()):
        most = max(most, sum(frame() is not None for frame in alive))
        del cut
    # Those of the window and of a track's last second, unseen; the current one, and its neighbours.
    assert most <= 8 + 8 + 3
