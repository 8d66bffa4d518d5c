"""P3D's three blocks by hand, and the layers of the published networks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lilliput.errors import ConfigError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.p3d import P3d, Pseudo3dConv
from lilliput.models.resnet3d import adapted_strides


def _norm(layer: nn.BatchNorm3d, features: torch.Tensor) -> torch.Tensor:
    shape = (1, -1, 1, 1, 1)
    scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
    return (features - layer.running_mean.view(shape)) * scale.view(shape) + layer.bias.view(shape)


@pytest.mark.parametrize("variant", ["a", "b", "c", "2d"])
@torch.no_grad()
def test_a_block_is_composed_of_space_and_time(variant: str) -> None:
    torch.manual_seed(0)
    block = Pseudo3dConv(4, variant).double().eval()
    for layer in block.modules():
        if isinstance(layer, nn.BatchNorm3d):
            for tensor in (layer.running_mean, layer.weight, layer.bias):
                tensor.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)
    features = torch.rand(2, 4, 5, 6, 6, dtype=torch.float64)
    frames = [F.conv2d(f, block.conv_s.weight[:, :, 0], padding=1) for f in features.unbind(2)]
    space = _norm(block.bn_s, torch.stack(frames, dim=2)).relu()
    if variant == "2d":
        torch.testing.assert_close(block(features), space)
        return

    def along(maps: torch.Tensor) -> torch.Tensor:
        rows = maps.permute(0, 3, 4, 1, 2).flatten(0, 2)  # (N * H * W, C, T)
        rows = F.conv1d(rows, block.conv_t.weight[..., 0, 0], padding=1)
        return _norm(block.bn_t, rows.unflatten(0, (2, 6, 6)).permute(0, 3, 4, 1, 2))

    expected = {
        "a": along(space).relu(),
        "b": (space + along(features)).relu(),
        "c": (space + along(space)).relu(),
    }
    torch.testing.assert_close(block(features), expected[variant])


@pytest.mark.parametrize(("depth", "layers"), [(50, 63), (101, 131), (152, 199)])
def test_layers_are_as_many_as_the_papers_names_say(depth: int, layers: int) -> None:
    """The stem, the convolutions of the blocks, the classifier; projections do not count."""
    with torch.device("meta"):
        net = P3d(depth=depth)
    convolutions = [
        name
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv3d) and "downsample" not in name
    ]
    assert len(convolutions) + 1 == layers


def test_parameters_are_those_of_the_published_network() -> None:
    """Counted of the authors' Caffe definition for Sports-1M, layer by layer."""
    with torch.device("meta"):
        model = Classifier(P3d(depth=152), LinearHead(2048, 487))
    assert sum(parameter.numel() for parameter in model.parameters()) == 66_670_503


def test_variants_follow_one_another_through_the_stages() -> None:
    with torch.device("meta"):
        mixed, alone = P3d(depth=152, width=4), P3d(depth=50, width=4, blocks="b")

    def variants(net: P3d) -> list[str]:
        stages = (net.layer1, net.layer2, net.layer3, net.layer4)
        return ["".join(block.conv2.variant[0] for block in stage) for stage in stages]

    assert variants(mixed) == ["abc", "abcabcab", "cab" * 12, "222"]
    assert variants(alone) == ["bbb", "bbbb", "bbbbbb", "222"]


@pytest.mark.parametrize(
    ("size", "strides", "sides"),
    [
        (160, (2, 2, 2, 2, 2), (40, 20, 10, 5)),  # the paper's size
        (112, (2, 2, 2, 2, 2), (28, 14, 7, 4)),
        (28, adapted_strides(28), (28, 28, 14, 7)),
    ],
)
def test_stage_maps(size: int, strides: tuple[int, ...], sides: tuple[int, ...]) -> None:
    with torch.device("meta"):
        net = P3d(width=4, spatial_strides=strides)
        stages = net(torch.empty(1, 3, 16, size, size))
    assert [stage.shape[2] for stage in stages] == [8, 4, 2, 1]
    assert tuple(stage.shape[-1] for stage in stages) == sides
    assert tuple(stage.shape[1] for stage in stages) == net.out_channels


def test_a_depth_without_bottlenecks_is_refused() -> None:
    with pytest.raises(ConfigError, match="50, 101 and 152"):
        P3d(depth=18)
