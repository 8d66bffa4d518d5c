"""RandAugment: the draws and pixels of torchvision's own."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf

from lilliput.video.rand_augment import OPERATIONS, Operation, RandAugment, draw_operations


def frames(height: int = 17, width: int = 23) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (3, 3, height, width)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("magnitude", [0, 9, 30])
def test_draws_and_pixels_are_those_of_torchvision(magnitude: int) -> None:
    reference = v2.RandAugment(2, magnitude)
    for seed in range(150):
        torch.manual_seed(seed)
        expected = reference(tv_tensors.Video(frames())).as_subclass(torch.Tensor)
        augmented = frames()
        for operate in draw_operations(2, magnitude, torch.Generator().manual_seed(seed)):
            augmented = operate(augmented)
        assert torch.equal(augmented, expected), seed


def test_every_operation_is_drawn_equally_often_and_turned_half_the_time() -> None:
    drawn = draw_operations(14_000, 9, torch.Generator().manual_seed(0))
    counts = Counter(operation.name for operation in drawn)
    assert set(counts) == set(OPERATIONS)
    assert all(850 < count < 1150 for count in counts.values())
    turned = {operation.name for operation in drawn if operation.level < 0}
    assert turned == {
        "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate",
        "Brightness", "Color", "Contrast", "Sharpness",
    }  # fmt: skip
    rotations = [operation.level for operation in drawn if operation.name == "Rotate"]
    assert 0.4 < sum(level < 0 for level in rotations) / len(rotations) < 0.6


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_a_batch_of_clips_is_like_each_alone(name: str) -> None:
    first, second = frames(), frames().flip(0)
    together = Operation(name, 9)(torch.stack([first, second]))
    assert torch.equal(together[0], Operation(name, 9)(first))
    assert torch.equal(together[1], Operation(name, 9)(second))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(-30, 30))
def test_what_is_written_out_gives_the_pixels_of_torchvision(
    height: int, width: int, level: int
) -> None:
    picture = frames(height, width)
    share = float(torch.linspace(0, 0.9, 31)[abs(level)]) * (1 if level >= 0 else -1)
    sharpened = tvf.adjust_sharpness(picture, 1 + share)
    assert torch.equal(Operation("Sharpness", level)(picture), sharpened)
    bound = 255 * float(torch.linspace(1, 0, 31)[abs(level)])
    solarized = tvf.solarize(picture, bound)
    assert torch.equal(Operation("Solarize", abs(level))(picture), solarized)
    for name, length in (("TranslateX", width), ("TranslateY", height)):
        largest = float(torch.linspace(0, 150 / 331 * length, 31)[abs(level)])
        pixels = int(largest) if level >= 0 else -int(largest)
        offset = [pixels, 0] if name == "TranslateX" else [0, pixels]
        moved = tvf.affine(picture, 0.0, offset, 1.0, [0.0, 0.0])
        assert torch.equal(Operation(name, level)(picture), moved)


def test_a_drawn_operation_is_applied_with_its_probability() -> None:
    drawn = draw_operations(14_000, 9, torch.Generator().manual_seed(0), probability=0.5)
    counts = Counter(operation.name for operation in drawn)
    # Of 14 operations 13 are skipped half of the time; Identity takes their places.
    assert 7_200 < counts.pop("Identity") < 7_800
    assert all(400 < count < 600 for count in counts.values())
    assert all(operation.level in (-9, 9) for operation in drawn)
    none = draw_operations(100, 9, torch.Generator().manual_seed(0), probability=0)
    assert {operation.name for operation in none} == {"Identity"}


def test_a_probability_of_one_draws_as_before_there_was_one() -> None:
    for seed in range(20):
        plain = draw_operations(5, 9, torch.Generator().manual_seed(seed))
        assert RandAugment(5, 9).draw(torch.Generator().manual_seed(seed)) == plain
