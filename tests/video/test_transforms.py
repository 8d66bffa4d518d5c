"""Transforms: one draw per clip, the order of section 3.3, flips that know their labels."""

from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as tvf

from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS, Normalisation
from lilliput.video.transforms import (
    EvaluationTransform,
    TrainingTransform,
    apply_together,
    scale,
    scale_short_side,
    scaled_size,
)

IDENTITY = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
NO_FLIPS = RandomFlips(horizontal=0.0)


def clip(height: int = 20, width: int = 20, num_frames: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (num_frames, 3, height, width), generator=generator).to(
        torch.uint8
    )


def still(side: int = 24, num_frames: int = 5) -> torch.Tensor:
    return clip(side, side, 1).expand(num_frames, -1, -1, -1)


@given(st.integers(5, 60), st.integers(5, 60), st.sampled_from([14, 28]))
def test_short_side_is_scaled_and_the_aspect_ratio_kept(height: int, width: int, side: int) -> None:
    scaled = scale_short_side(clip(height, width, 1), side)
    assert min(scaled.shape[-2:]) == side
    longer = max(height, width) * side / min(height, width)
    assert abs(max(scaled.shape[-2:]) - longer) <= 1


def test_the_thesis_example_60_by_80_at_120_is_120_by_160() -> None:
    assert scale_short_side(clip(60, 80, 1), 120).shape[-2:] == (120, 160)


def test_evaluation_is_scale_then_centre_crop() -> None:
    frames = clip(30, 48)
    out = EvaluationTransform(14, IDENTITY)(frames)
    scaled = tvf.resize(frames, [14, 22], antialias=True)
    expected = scaled[..., 4:18].permute(1, 0, 2, 3).float() / 255
    torch.testing.assert_close(out, expected)


def test_training_clip_is_the_same_on_all_frames() -> None:
    transform = TrainingTransform(
        RandomCrop(14), IDENTITY, flips=RandomFlips(0.5, 0.5, 0.5), rand_augment=(2, 9)
    )
    for seed in range(20):
        torch.manual_seed(seed)
        out, _ = transform(still(), torch.zeros(2))
        assert out.shape == (3, 5, 14, 14)
        assert torch.equal(out, out[:, :1].expand_as(out))


def test_short_side_is_drawn_over_the_whole_range() -> None:
    transform = TrainingTransform(RandomCrop(112), IDENTITY, flips=NO_FLIPS, rand_augment=None)
    generator = torch.Generator().manual_seed(0)
    sides = {transform.draw(20, 20, generator).side for _ in range(500)}
    assert sides == set(range(128, 161))


@given(st.integers(5, 90), st.integers(5, 90), st.integers(5, 90))
def test_scaled_size_is_that_of_torchvision(height: int, width: int, side: int) -> None:
    frames = torch.zeros((1, 3, height, width), dtype=torch.uint8)
    assert scaled_size(height, width, side) == tuple(tvf.resize(frames, [side]).shape[-2:])


def test_random_crop_reaches_every_corner_and_copies_pixels() -> None:
    transform = TrainingTransform(
        RandomCrop(5), IDENTITY, short_side=(6 / 5, 6 / 5), flips=NO_FLIPS, rand_augment=None
    )
    frames = clip(6, 7, 1)
    torch.manual_seed(0)
    outputs = [transform(frames, torch.zeros(1))[0] for _ in range(200)]
    seen = {(out * 255).round().to(torch.uint8).numpy().tobytes() for out in outputs}
    windows = {
        frames[..., top : top + 5, left : left + 5].contiguous().numpy().tobytes()
        for top in range(2)
        for left in range(3)
    }
    assert seen == windows


def test_horizontal_flip_swaps_the_labels_that_have_a_direction() -> None:
    frames, targets = clip(14, 14), torch.tensor([1.0, 0.0, 1.0])
    swapping, keeping = RandomFlips(1.0, pairs=[(0, 1)]), RandomFlips(1.0)
    same_size = {"short_side": (1.0, 1.0), "rand_augment": None}
    flipped, swapped = TrainingTransform(RandomCrop(14), IDENTITY, flips=swapping, **same_size)(
        frames, targets
    )
    torch.testing.assert_close(flipped, IDENTITY(frames.flip(-1)))
    assert swapped.tolist() == [0.0, 1.0, 1.0]
    _, kept = TrainingTransform(RandomCrop(14), IDENTITY, flips=keeping, **same_size)(
        frames, targets
    )
    assert kept.tolist() == targets.tolist()
    unflipped = swapping.swap(targets, NO_FLIPS.draw())
    assert unflipped.tolist() == targets.tolist()


@pytest.mark.parametrize("size", ["input", "native"])
def test_a_batch_is_augmented_as_its_clips_are_one_by_one(size: Literal["input", "native"]) -> None:
    flips = RandomFlips(0.5, 0.5, 0.5)
    transform = TrainingTransform(RandomCrop(14), KINETICS, flips=flips, rand_augment_size=size)
    sides = [(12, 12), (20, 31), (33, 18)] * 20  # 60 clips, so that many share their steps
    frames = [clip(height, width) for height, width in sides]
    generator = torch.Generator().manual_seed(3)
    drawn = [transform.draw(height, width, generator) for height, width in sides]
    batch = transform.apply(frames, drawn)
    assert batch.shape == (60, 3, 4, 14, 14)
    for together, single, draw in zip(batch, frames, drawn, strict=True):
        assert torch.equal(together, transform.apply([single], [draw])[0])


def test_clips_that_share_a_step_take_it_in_one_call() -> None:
    calls = []

    def add(clips: torch.Tensor, step: int) -> torch.Tensor:
        calls.append((len(clips), step))
        return clips + step

    small, large = clip(4, 4), clip(6, 6)
    done = apply_together([small, large, small, small], [1, 1, 2, 1], add)
    assert sorted(calls) == [(1, 1), (1, 2), (2, 1)]
    for result, expected in zip(done, (small + 1, large + 1, small + 2, small + 1), strict=True):
        assert torch.equal(result, expected)


@pytest.mark.parametrize(("height", "width"), [(12, 20), (30, 24)])
def test_native_size_operates_where_there_are_fewer_pixels(height: int, width: int) -> None:
    transform = TrainingTransform(
        RandomCrop(14), IDENTITY, flips=NO_FLIPS, rand_augment=(1, 9), rand_augment_size="native"
    )
    frames = clip(height, width)
    for seed in range(30):
        out, _ = transform(frames, torch.zeros(1), torch.Generator().manual_seed(seed))
        drawn = transform.draw(height, width, torch.Generator().manual_seed(seed))
        operate, top, left = drawn.operations[0], drawn.crop.top, drawn.crop.left
        first = operate(frames) if height < 14 else frames
        scaled = tvf.resize(first, [drawn.side], antialias=True)
        cropped = scaled[..., top : top + 14, left : left + 14]
        last = cropped if height < 14 else operate(cropped)
        torch.testing.assert_close(out, last.permute(1, 0, 2, 3).float() / 255)


def test_a_square_resize_cuts_nothing_off() -> None:
    frames = clip(30, 48)
    out = EvaluationTransform(14, IDENTITY, square=True)(frames)
    expected = tvf.resize(frames, [14, 14], antialias=True).permute(1, 0, 2, 3).float() / 255
    torch.testing.assert_close(out, expected)
    assert scale(clip(14, 14), 14, square=True).shape[-2:] == (14, 14)
    assert scaled_size(30, 48, 20, square=True) == (20, 20)


def test_square_training_clips_are_crops_of_a_scaled_square() -> None:
    frames = clip(30, 48)
    transform = TrainingTransform(
        RandomCrop(14), IDENTITY, flips=NO_FLIPS, rand_augment=None, square=True
    )
    drawn = transform.draw(30, 48, torch.Generator().manual_seed(3))
    out = transform.apply([frames], [drawn])[0]
    scaled = tvf.resize(frames, [drawn.side] * 2, antialias=True)
    rows, columns = (slice(start, start + 14) for start in (drawn.crop.top, drawn.crop.left))
    expected = scaled[..., rows, columns].permute(1, 0, 2, 3).float() / 255
    torch.testing.assert_close(out, expected)
    assert max(rows.stop, columns.stop) <= drawn.side


def test_square_clips_are_the_same_under_either_resize() -> None:
    """TinyVIRAT's are all square."""
    frames = clip(33, 33)
    for seed in range(3):
        ours = [
            TrainingTransform(RandomCrop(14), KINETICS, flips=NO_FLIPS, square=square)(
                frames, torch.zeros(1), torch.Generator().manual_seed(seed)
            )[0]
            for square in (False, True)
        ]
        assert torch.equal(*ours)
    assert torch.equal(
        EvaluationTransform(14, KINETICS)(frames),
        EvaluationTransform(14, KINETICS, square=True)(frames),
    )
