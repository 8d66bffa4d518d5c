"""Augmentation on the device: the clips of the ordinary way."""

import pickle

import pytest
import torch

from lilliput.video.crops import RandomCrop
from lilliput.video.deferred import DeferredTransform, DrawnClips
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS
from lilliput.video.transforms import TrainingTransform

SIDES = [(16, 16), (31, 20), (16, 16), (12, 40), (16, 16), (16, 16)]


def frames(index: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(index)
    return torch.randint(0, 256, (4, 3, *SIDES[index]), generator=generator, dtype=torch.uint8)


def transform() -> TrainingTransform:
    return TrainingTransform(RandomCrop(14), KINETICS, flips=RandomFlips(0.5, 0.5, 0.5, [(0, 1)]))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_deferred_batch_holds_the_clips_and_targets_of_the_ordinary_way(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    ordinary, deferred = transform(), DeferredTransform(transform())
    targets = torch.tensor([1.0, 0.0, 1.0])
    clips, expected = [], []
    for index in range(len(SIDES)):
        clip, swapped = deferred(frames(index), targets, torch.Generator().manual_seed(index))
        wanted, wanted_targets = ordinary(
            frames(index), targets, torch.Generator().manual_seed(index)
        )
        assert torch.equal(swapped, wanted_targets)
        assert torch.equal(clip.frames, frames(index))  # nothing is done to them yet
        clips.append(clip)
        expected.append(wanted)
    batch = pickle.loads(pickle.dumps(DrawnClips.join(clips)))  # as it leaves a worker process
    assert batch.pixels.dtype == torch.uint8
    augmented = batch.to(device)
    if device == "cpu":
        assert torch.equal(augmented, torch.stack(expected))
    else:  # other kernels: a grey level of rounding, and the pixels it moves along an edge
        difference = (augmented.cpu() - torch.stack(expected)).abs()
        assert (difference > 0.05).float().mean() < 0.02
