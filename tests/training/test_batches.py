"""What a GPU is given augments to what a CPU is given."""

import pytest
import torch

from lilliput.config import Config, parse_config
from lilliput.data import VideoDataset
from lilliput.data.loading import Batch
from lilliput.training.batches import build_loaders, prepare_data
from lilliput.video.deferred import DrawnClips


def batches(config: Config, dataset: VideoDataset, *, on_gpu: bool) -> list[Batch]:
    loader, _ = build_loaders(config, prepare_data(config, dataset), 0, 1, on_gpu=on_gpu)
    return list(loader)


# There may be no GPU to pin memory for.
pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("size", ["input", "native"])
def test_augmenting_on_the_device_gives_the_same_clips(
    config: Config, dataset: VideoDataset, workers: int, size: str
) -> None:
    settings = config.model_dump()
    settings["data"]["workers"] = workers
    settings["augment"]["rand_augment_size"] = size
    config = parse_config(settings, "test")
    ordinary = batches(config, dataset, on_gpu=False)
    deferred = batches(config, dataset, on_gpu=True)
    assert len(ordinary) == len(deferred) == 3
    for expected, batch in zip(ordinary, deferred, strict=True):
        assert isinstance(batch.clips, DrawnClips)
        assert torch.equal(batch.indices, expected.indices)
        assert torch.equal(batch.targets, expected.targets)
        assert torch.equal(batch.clips.to("cpu"), expected.clips)


def test_clips_that_nothing_is_drawn_for_are_ready_made(
    config: Config, dataset: VideoDataset
) -> None:
    settings = config.model_dump()
    settings["augment"]["enabled"] = False
    plain = parse_config(settings, "test")
    for expected, batch in zip(
        batches(plain, dataset, on_gpu=False), batches(plain, dataset, on_gpu=True), strict=True
    ):
        assert isinstance(batch.clips, torch.Tensor)
        assert torch.equal(batch.clips, expected.clips)


def test_views_of_a_clip_share_a_batch_and_are_augmented_differently(
    config: Config, dataset: VideoDataset
) -> None:
    settings = config.model_dump()
    settings["augment"].update(crops_per_clip=2)
    for epoch in batches(parse_config(settings, "test"), dataset, on_gpu=False):
        half = len(epoch.indices) // 2
        assert torch.equal(epoch.indices[:half], epoch.indices[half:])
        assert torch.equal(epoch.targets[:half], epoch.targets[half:])
        for first, second in zip(epoch.clips[:half], epoch.clips[half:], strict=True):
            assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [4, 4, 2]),
        ({"crops_per_clip": 2}, [4, 4, 4, 4, 4]),
        ({"repeated": 2}, [4, 4, 2]),
        ({"repeated": 2, "crops_per_clip": 2}, [4, 4, 4, 4, 4]),
        ({"enabled": False, "crops_per_clip": 2}, [4, 4, 2]),
    ],
)
def test_an_epoch_grows_with_crops_and_not_with_repeated_ones(
    config: Config, dataset: VideoDataset, settings: dict[str, object], expected: list[int]
) -> None:
    changed = config.model_dump()
    changed["augment"].update(settings)
    found = batches(parse_config(changed, "test"), dataset, on_gpu=False)
    assert [len(batch.indices) for batch in found] == expected
