"""Squares of clips in their own pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.data import read_dataset
from lilliput.data.loading import FrameSource
from lilliput.errors import DataError
from lilliput.training.super_resolution.patches import Patches


@pytest.fixture(scope="module")
def source(tiny_folder: Path) -> FrameSource:
    source = FrameSource(read_dataset(tiny_folder).split("train"), 2**20)
    source.fill()
    return source


def test_the_size_fits_most_clips(source: FrameSource) -> None:
    assert Patches(source, 0, 4).size == 16  # clips have 20×16 px


def test_the_middle_is_cut_from_the_middle(source: FrameSource) -> None:
    patches = Patches(source, 8, 4)
    frames = source.read(0)[:].float() / 255  # (6, 3, 16, 20)
    torch.testing.assert_close(patches.middle(0), frames[1:5, :, 4:12, 6:14].transpose(0, 1))


def test_a_short_clip_ends_with_its_last_frame_again(source: FrameSource) -> None:
    clip = Patches(source, 16, 9).middle(0)
    assert clip.shape == (3, 9, 16, 16)
    for frame in range(6, 9):
        torch.testing.assert_close(clip[:, frame], clip[:, 5])


def test_draws_are_squares_of_clips_and_repeat_with_their_seed(source: FrameSource) -> None:
    patches = Patches(source, 16, 1)
    once, again = (patches.draw(6, np.random.default_rng(0)) for _ in range(2))
    assert torch.equal(once, again)
    frames = torch.cat([source.read(index)[:] for index in range(len(source))]).float() / 255
    windows = torch.cat([frames[..., left : left + 16] for left in range(5)])
    known = torch.cat([windows, windows.flip(-1)]).flatten(1)
    for patch in once[:, :, 0].flatten(1):
        assert (known == patch).all(dim=1).any()


def test_clips_that_are_too_small_are_named(source: FrameSource) -> None:
    with pytest.raises(DataError, match="no clip has 32 px, the largest has 16: give --size 16"):
        Patches(source, 32, 4)
