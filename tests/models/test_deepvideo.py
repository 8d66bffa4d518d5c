"""DeepVideo's four fusions by hand: which frames meet, and where."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import AlexNet

from lilliput.errors import ConfigError
from lilliput.models.deepvideo import DeepVideo, Fusion, time_filters


def build(fusion: Fusion, frames: int = 10) -> DeepVideo:
    torch.manual_seed(0)
    return DeepVideo(5, fusion=fusion, num_frames=frames, width=4).double().eval()


def noise(frames: int = 10, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, frames, 28, 28, generator=generator, dtype=torch.float64)


@torch.no_grad()
def test_a_single_frame_is_classified_by_itself_and_the_logits_averaged() -> None:
    model, clips = build("single"), noise()
    frames = [model(clips[:, :, time : time + 1]) for time in range(10)]
    torch.testing.assert_close(model(clips), sum(frames) / 10)


@torch.no_grad()
def test_early_fusion_sums_over_the_frames_in_its_first_layer() -> None:
    model, clips = build("early"), noise()
    weight = model.stages[0][0].weight
    expected = sum(F.conv2d(clips[:, :, t], weight[:, :, t], None, 3, 5) for t in range(10))
    got = model.stages[0][0](clips)
    assert got.shape[2] == 1
    torch.testing.assert_close(got[:, :, 0], expected)
    assert [stage[0].kernel_size[0] for stage in model.stages] == [10, 1, 1, 1, 1]


@torch.no_grad()
def test_late_fusion_joins_the_first_and_the_last_frame() -> None:
    model, clips = build("late"), noise()
    single = build("single")
    single.stages.load_state_dict(model.stages.state_dict())  # the same filters for both frames
    others = noise(seed=2)
    others[:, :, 0], others[:, :, -1] = clips[:, :, 0], clips[:, :, -1]
    torch.testing.assert_close(model(others), model(clips))
    maps = []
    for time in (0, 9):
        features = single.stages(clips[:, :, [time]])[:, :, 0]
        maps.append(F.interpolate(features, (6, 6), mode="bilinear"))
    joined = torch.stack(maps, dim=2).flatten(1)  # channel by channel, first frame, last frame
    torch.testing.assert_close(model(clips), model.classifier(joined))
    assert model.classifier[0].in_features == 2 * single.classifier[0].in_features


@pytest.mark.parametrize(
    ("frames", "filters", "left"),
    [
        (10, [(4, 2), (2, 2), (2, 1)], [4, 2, 1]),  # as in the paper
        (16, [(4, 2), (2, 2), (3, 1)], [7, 3, 1]),
        (3, [(3, 2), (1, 2), (1, 1)], [1, 1, 1]),
    ],
)
def test_slow_fusion_sees_more_time_in_every_layer(
    frames: int, filters: list[tuple[int, int]], left: list[int]
) -> None:
    assert time_filters("slow", frames) == filters
    features = noise(frames)
    with torch.no_grad():
        for stage, expected in zip(build("slow", frames).stages, [*left, 1, 1], strict=True):
            features = stage(features)
            assert features.shape[2] == expected


def test_linear_layers_are_alexnets() -> None:
    """58.6 M weights in AlexNet's three; the convolutions are those that the paper lists."""
    with torch.device("meta"):
        model, alexnet = DeepVideo(1000), AlexNet()
    sizes = [
        [layer.weight.shape for layer in net.classifier if isinstance(layer, nn.Linear)]
        for net in (model, alexnet)
    ]
    assert sizes[0] == sizes[1]
    convolutions = [tuple(stage[0].weight.shape) for stage in model.stages]
    assert convolutions == [
        (96, 3, 1, 11, 11),
        (256, 96, 1, 5, 5),
        (384, 256, 1, 3, 3),
        (384, 384, 1, 3, 3),
        (256, 384, 1, 3, 3),
    ]


def test_an_unknown_fusion_is_refused() -> None:
    with pytest.raises(ConfigError, match="single, early, late or slow"):
        DeepVideo(5, fusion="never")  # type: ignore[arg-type]
