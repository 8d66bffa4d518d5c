import torch

from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS, SYMMETRIC
from lilliput.video.paired import PairedTransform
from lilliput.video.transforms import TrainingTransform, scale_short_side


def _pair(small: int, large: int, rand_augment: tuple[int, int] | None = None) -> PairedTransform:
    flips = RandomFlips(0.5, 0.5, 0.5, pairs=[(0, 1)])
    return PairedTransform(
        TrainingTransform(RandomCrop(small), KINETICS, flips=flips, rand_augment=rand_augment),
        TrainingTransform(RandomCrop(large), SYMMETRIC, flips=flips, rand_augment=rand_augment),
    )


def test_both_sizes_show_the_same_part_of_the_clip() -> None:
    ramp = torch.linspace(0, 255, 96)
    rows, columns = torch.meshgrid(ramp[:80], ramp, indexing="ij")
    frames = torch.stack([rows, columns, (rows + columns) / 2]).to(torch.uint8).expand(4, 3, 80, 96)
    pair = _pair(28, 56)
    for seed in range(20):
        made, _ = pair(frames, torch.eye(2)[0], torch.Generator().manual_seed(seed))
        assert made.clip.shape == (3, 4, 28, 28) and made.larger.shape == (3, 4, 56, 56)
        colours = [_pixels(made.clip, KINETICS), _pixels(made.larger, SYMMETRIC)]
        smaller = scale_short_side(colours[1], 28)
        assert (colours[0] - smaller).abs().max() <= 6  # of 255: corners are whole pixels


def test_clip_and_targets_are_those_without_a_teacher() -> None:
    frames = torch.randint(0, 256, (4, 3, 20, 24), dtype=torch.uint8)
    pair = _pair(14, 28, (2, 9))
    for seed in range(10):
        made, targets = pair(frames, torch.eye(2)[0], torch.Generator().manual_seed(seed))
        alone = pair.transform(frames, torch.eye(2)[0], torch.Generator().manual_seed(seed))
        assert torch.equal(made.clip, alone[0]) and torch.equal(targets, alone[1])


def _pixels(clip: torch.Tensor, normalisation: object) -> torch.Tensor:
    mean, std = (
        torch.tensor(values).view(3, 1, 1, 1) for values in (normalisation.mean, normalisation.std)
    )
    return ((clip * std + mean) * 255).transpose(0, 1)
