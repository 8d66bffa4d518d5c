"""Cuts between drawn places; numpy's correlation is the second source."""

import numpy as np
import pytest

from lilliput.watch.cuts import mark_cuts
from lilliput.watch.pipeline import _follow, _whole_frames
from lilliput.watch.scene import Box, Detection, Frame


def place(seed: int, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """(H, W, 3) float; patches of several grey levels, another place for every seed."""
    width, height = size
    patches = np.random.default_rng(seed).uniform(20, 230, (9, 16))
    rows, columns = np.arange(height) * 9 // height, np.arange(width) * 16 // width
    return np.repeat(patches[rows][:, columns, None], 3, axis=2)


def film(*shots: tuple[np.ndarray, int], noise: float = 4.0) -> list[Frame]:
    """Each place for so many frames, ten a second."""
    rng = np.random.default_rng(5)
    pictures = [picture for picture, count in shots for _ in range(count)]
    noisy = [np.clip(p + rng.normal(0, noise, p.shape), 0, 255).astype(np.uint8) for p in pictures]
    return [Frame(index, index / 10, pixels) for index, pixels in enumerate(noisy)]


def cuts(frames: list[Frame]) -> list[int]:
    return [frame.index for frame in mark_cuts(frames) if frame.is_cut]


@pytest.mark.parametrize("size", [(16, 12), (120, 90), (640, 480)])
def test_a_cut_is_found_where_it_is(size: tuple[int, int]) -> None:
    one, other = place(1, size), place(2, size)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.3
    assert cuts(film((one, 8), (other, 8), (one, 4))) == [8, 16]


def test_light_and_who_passes_are_no_cut() -> None:
    room = place(1)
    dim, crowd = room * 0.4, room.copy()
    crowd[30:, 40:80] = 10  # a third of the width, from the ground to above the middle
    assert cuts(film((room, 4), (dim, 4), (room, 4), (crowd, 4))) == []


def test_noise_in_the_dark_is_no_cut() -> None:
    dark = np.full((12, 16, 3), 6.0)
    assert cuts(film((dark, 20), noise=12.0)) == []


def test_frames_that_are_all_unlike_have_no_cuts() -> None:
    assert cuts(film(*((place(seed), 1) for seed in range(20)))) == []


def test_tracks_end_with_a_cut() -> None:
    """Who stands where somebody stood before the cut is another."""
    frames = film((place(1), 20), (place(2), 20))
    scenes = _follow(mark_cuts(frames), 10, lambda _: [Detection(Box(10, 10, 30, 60))], _Anywhere())
    seen = [{track.track for track in scene.tracks} for scene in scenes]
    assert seen[19] == {1} and seen[20] == set() and seen[-1] == {2}


def test_the_whole_picture_is_another_after_a_cut() -> None:
    scenes = list(_whole_frames(mark_cuts(film((place(1), 5), (place(2), 5))), 10))
    assert [len(scene.tracks) for scene in scenes] == [1] * 5 + [0] + [1] * 4


class _Anywhere:
    def keeps(self, _box: Box) -> bool:
        return True
