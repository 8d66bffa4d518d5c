"""Transforms: one draw per clip, the order of section 3.3, flips that know their labels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as tvf

from lilliput.video.transforms import (
    KINETICS,
    EvaluationTransform,
    Normalisation,
    RandomFlips,
    TrainingTransform,
    random_crop,
    scale_short_side,
    swap_order,
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


def test_normalisation_by_hand_and_the_layout_flip() -> None:
    frames = clip()
    out = KINETICS(frames)
    assert out.shape == (3, 4, 20, 20)
    expected = (frames[2, 1, 5, 7].item() / 255 - 0.4051) / 0.2713
    assert out[1, 2, 5, 7].item() == pytest.approx(expected, abs=1e-6)


def test_per_clip_normalisation_ignores_ambient_light() -> None:
    normalise = Normalisation((0, 0, 0), (0.1, 0.1, 0.1), per_clip=True)
    frames = clip() // 2
    out = normalise(frames)
    torch.testing.assert_close(out.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalise(frames + 40), out, atol=1e-5, rtol=0)


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
        14, IDENTITY, flips=RandomFlips(0.5, 0.5, 0.5), rand_augment=(2, 9)
    )
    for seed in range(20):
        torch.manual_seed(seed)
        out, _ = transform(still(), torch.zeros(2))
        assert out.shape == (3, 5, 14, 14)
        assert torch.equal(out, out[:, :1].expand_as(out))


def test_short_side_is_drawn_over_the_whole_range(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def record(frames: torch.Tensor, side: int) -> torch.Tensor:
        drawn.append(side)
        return scale_short_side(frames, side)

    monkeypatch.setattr("lilliput.video.transforms.scale_short_side", record)
    transform = TrainingTransform(112, IDENTITY, flips=NO_FLIPS, rand_augment=None)
    torch.manual_seed(0)
    for _ in range(300):
        transform(clip(num_frames=1), torch.zeros(1))
    assert min(drawn) == 128
    assert max(drawn) == 160


def test_random_crop_reaches_every_corner_and_copies_pixels() -> None:
    frames = clip(6, 7, 1)
    torch.manual_seed(0)
    seen = {random_crop(frames, 5).numpy().tobytes() for _ in range(200)}
    windows = {
        frames[..., top : top + 5, left : left + 5].contiguous().numpy().tobytes()
        for top in range(2)
        for left in range(3)
    }
    assert seen == windows


def test_horizontal_flip_swaps_the_labels_that_have_a_direction() -> None:
    frames, targets = clip(), torch.tensor([1.0, 0.0, 1.0])
    flipped, swapped = RandomFlips(1.0, pairs=[(0, 1)])(frames, targets)
    assert torch.equal(flipped, frames.flip(-1))
    assert swapped.tolist() == [0.0, 1.0, 1.0]
    _, kept = RandomFlips(1.0)(frames, targets)
    assert kept.tolist() == targets.tolist()


def test_flip_probability() -> None:
    torch.manual_seed(0)
    flips = RandomFlips(0.3)
    frames = clip(num_frames=1)
    count = sum(not torch.equal(flips(frames, torch.zeros(1))[0], frames) for _ in range(1000))
    assert 250 < count < 350


def test_all_eight_symmetries_of_a_ceiling_view_occur() -> None:
    torch.manual_seed(0)
    flips, frames = RandomFlips(0.5, 0.5, 0.5), clip(num_frames=1)
    seen = {flips(frames, torch.zeros(1))[0].contiguous().numpy().tobytes() for _ in range(200)}
    turned = [frames.rot90(quarter, (-2, -1)) for quarter in range(4)]
    symmetries = [view for turn in turned for view in (turn, turn.flip(-1))]
    assert seen == {view.contiguous().numpy().tobytes() for view in symmetries}


@given(st.permutations(range(8)), st.integers(0, 4))
def test_swapping_twice_is_nothing(order: list[int], num_pairs: int) -> None:
    pairs = [(order[2 * k], order[2 * k + 1]) for k in range(num_pairs)]
    swap = swap_order(8, pairs)
    assert swap[swap].tolist() == list(range(8))
    assert all(swap[left] == right for left, right in pairs)
