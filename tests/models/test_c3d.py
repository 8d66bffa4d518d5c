"""C3D against the sizes of its paper."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lilliput.models.c3d import C3d


def test_convolutions_are_the_papers() -> None:
    """conv1a, 2a, 3a, 3b, 4a, 4b, 5a, 5b: 64, 128, 256, 256 and four of 512, all 3 x 3 x 3."""
    with torch.device("meta"):
        model = C3d(487)
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv3d)]
    assert [layer.out_channels for layer in convolutions] == [64, 128, 256, 256, 512, 512, 512, 512]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3, 3)}
    assert {layer.stride for layer in convolutions} == {(1, 1, 1)}
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in linear] == [
        (4096, 8192),
        (4096, 4096),
        (487, 4096),
    ]


@pytest.mark.parametrize(
    ("size", "num_frames", "shapes"),
    [
        (112, 16, [(16, 56), (8, 28), (4, 14), (2, 7), (1, 4)]),
        (14, 16, [(16, 7), (8, 4), (4, 2), (2, 1), (1, 1)]),
        (28, 8, [(8, 14), (4, 7), (2, 4), (1, 2), (1, 1)]),
    ],
)
def test_maps_after_each_pooling(size: int, num_frames: int, shapes: list[tuple[int, int]]) -> None:
    with torch.device("meta"):
        features = torch.empty(1, 3, num_frames, size, size)
        for stage, (frames, side) in zip(C3d(5).stages, shapes, strict=True):
            features = stage(features)
            assert features.shape[2:] == (frames, side, side)


def test_multiplications_of_the_papers_clip() -> None:
    """38.5 GMAC, as the literature counts for 16 frames of 112 px."""
    with torch.device("meta"):
        model = C3d(487).eval()
        clips = torch.empty(1, 3, 16, 112, 112)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(clips)
    assert counter.get_total_flops() / 2e9 == pytest.approx(38.5, abs=0.1)


def test_at_112_px_the_linear_layers_read_the_last_map_itself() -> None:
    torch.manual_seed(0)
    model = C3d(3, width=2).eval()
    clips = torch.randn(1, 3, 16, 112, 112)
    with torch.no_grad():
        expected = model.classifier(model.stages(clips).flatten(1))
        torch.testing.assert_close(model(clips), expected)
