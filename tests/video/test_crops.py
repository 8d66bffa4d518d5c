import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tvf

from lilliput.video.crops import Crop, RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import Normalisation
from lilliput.video.transforms import TrainingTransform


def clip(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 3, height, width), generator=generator, dtype=torch.uint8)


def test_an_upright_crop_inside_is_a_view() -> None:
    frames = clip(9, 12)
    cut = Crop(1, 3, 7)(frames)
    assert torch.equal(cut, frames[..., 1:8, 3:10])
    assert cut.untyped_storage().data_ptr() == frames.untyped_storage().data_ptr()


@pytest.mark.parametrize(("top", "left"), [(-3, 2), (5, -2), (-4, -4), (6, 9)])
def test_over_the_edge_its_pixels_are_repeated(top: int, left: int) -> None:
    frames = clip(9, 12)
    padded = np.pad(frames.numpy(), ((0, 0), (0, 0), (5, 5), (5, 5)), mode="edge")
    expected = padded[..., top + 5 : top + 12, left + 5 : left + 12]
    assert np.array_equal(Crop(top, left, 7)(frames).numpy(), expected)


def test_a_picture_smaller_than_the_crop_is_surrounded_by_its_edges() -> None:
    frames = clip(5, 6)
    padded = np.pad(frames.numpy(), ((0, 0), (0, 0), (2, 1), (1, 1)), mode="edge")
    assert np.array_equal(Crop(-2, -1, 8)(frames).numpy(), padded)


def test_a_quarter_turn_moves_pixels_exactly() -> None:
    frames = clip(8, 8)
    assert torch.equal(Crop(0, 0, 8, 90)(frames), frames.rot90(1, (-2, -1)))
    assert torch.equal(Crop(0, 0, 8, -90)(frames), frames.rot90(-1, (-2, -1)))


@pytest.mark.parametrize("degrees", [10.0, -25.0, 160.0])
def test_a_turn_is_that_of_torchvision_about_the_middle_of_the_crop(degrees: float) -> None:
    frames = tvf.gaussian_blur(clip(31, 35), [5, 5])  # large enough that no edge is seen
    cut = Crop(10, 12, 11, degrees)(frames).float()
    turned = tvf.rotate(frames, degrees, InterpolationMode.BILINEAR)
    assert (cut - turned[..., 10:21, 12:23].float()).abs().max() <= 1


def test_every_place_is_drawn_and_no_other() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [RandomCrop(10, padding=0.2).draw(11, 9, generator) for _ in range(500)]
    assert {crop.top for crop in draws} == set(range(-2, 4))
    assert {crop.left for crop in draws} == set(range(-3, 3))
    assert {crop.degrees for crop in draws} == {0.0}


def test_turns_fill_their_range() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [RandomCrop(10, rotation=15).draw(12, 12, generator).degrees for _ in range(500)]
    assert -15 <= min(drawn) < -14 and 14 < max(drawn) <= 15
    assert abs(np.mean(drawn)) < 1


def test_an_enlarged_crop_shows_the_same_part() -> None:
    for crop, expected in (
        (Crop(0, 4, 10, 7.0), Crop(0, 8, 20, 7.0)),
        (Crop(2, 4, 10), Crop(3, 8, 20)),  # 12 rows became 23, so that 4 would reach over the edge
        (Crop(-1, 5, 10), Crop(-2, 10, 20)),
    ):
        assert crop.enlarge((23, 28), (12, 14), 20) == expected


@pytest.mark.parametrize("per_clip", [True, False])
def test_contrast_stretches_about_the_mean_of_the_clip(per_clip: bool) -> None:
    plain = Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.4), per_clip)
    crop, flips = RandomCrop(9), RandomFlips(0.0)
    transform = TrainingTransform(
        crop, plain, short_side=(1, 1), flips=flips, rand_augment=None, contrast=0.3
    )
    frames, factors = clip(9, 9), []
    for seed in range(200):
        out, _ = transform(frames, torch.zeros(1), torch.Generator().manual_seed(seed))
        factor = transform.draw(9, 9, torch.Generator().manual_seed(seed)).contrast
        before = plain(frames)
        expected = before.mean() + (before - before.mean()) * factor
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)
        factors.append(factor)
    assert 0.7 <= min(factors) < 0.72 and 1.28 < max(factors) <= 1.3
