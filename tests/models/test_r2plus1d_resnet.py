"""R(2+1)D in kenshohara's layout: names, shapes and counts of his networks, and its numbers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lilliput.errors import ConfigError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.r2plus1d_resnet import R2plus1dResNet, SplitBasicBlock, split_convolution
from lilliput.models.resnet3d import adapted_strides


def classifier(depth: int) -> Classifier:
    backbone = R2plus1dResNet(depth=depth)
    return Classifier(backbone, LinearHead(backbone.out_channels[-1], 700))


@pytest.mark.parametrize(
    ("depth", "count"),
    [
        (18, 33_575_064),
        (34, 63_901_400),
        (50, 47_650_082),
        (101, 86_715_810),
        (152, 118_891_810),
    ],
)
def test_parameters_of_the_published_networks(depth: int, count: int) -> None:
    """Counted of the networks that his code builds."""
    with torch.device("meta"):
        model = classifier(depth)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_names_and_shapes_of_the_published_files() -> None:
    with torch.device("meta"):
        states = {depth: R2plus1dResNet(depth=depth).state_dict() for depth in (18, 50)}
    for name, shape in {
        "conv1_s.weight": (110, 3, 1, 7, 7),
        "bn1_s.weight": (110,),
        "conv1_t.weight": (64, 110, 7, 1, 1),
        "layer1.0.conv1_s.weight": (144, 64, 1, 3, 3),
        "layer2.0.conv1_s.weight": (230, 64, 1, 3, 3),
        "layer2.0.conv1_t.weight": (128, 230, 3, 1, 1),
        "layer2.0.conv2_s.weight": (288, 128, 1, 3, 3),
        "layer2.0.downsample.0.weight": (128, 64, 1, 1, 1),
    }.items():
        assert states[18][name].shape == shape
    for name, shape in {
        "layer1.0.conv1.weight": (64, 64, 1, 1, 1),
        "layer1.0.conv2_s.weight": (144, 64, 1, 3, 3),
        "layer1.0.bn2_t.weight": (64,),
        "layer1.0.conv3.weight": (256, 64, 1, 1, 1),
        "layer4.2.conv2_s.weight": (1152, 512, 1, 3, 3),
    }.items():
        assert states[50][name].shape == shape


@pytest.mark.parametrize(("channels", "time", "side"), [((3, 64), 7, 7), ((64, 128), 3, 3)])
def test_a_split_filter_has_the_weights_of_the_whole(
    channels: tuple[int, int], time: int, side: int
) -> None:
    space, _, along, _ = split_convolution(*channels, (1, 1, 1), time=time, side=side)
    count = space.weight.numel() + along.weight.numel()
    whole = channels[0] * channels[1] * time * side**2
    one_more = channels[0] * side**2 + channels[1] * time
    assert whole - one_more < count <= whole


@torch.no_grad()
def test_a_basic_block_by_hand() -> None:
    torch.manual_seed(0)
    block = SplitBasicBlock(4, 6, (2, 2, 2)).double().eval()
    features = torch.rand(1, 4, 4, 6, 6, dtype=torch.float64)
    w = {name: tensor for name, tensor in block.state_dict().items() if tensor.ndim == 5}
    root = (1 + 1e-5) ** 0.5  # of a fresh normalization
    y = F.conv3d(features, w["conv1_s.weight"], None, (1, 2, 2), (0, 1, 1)).relu() / root
    y = F.conv3d(y, w["conv1_t.weight"], None, (2, 1, 1), (1, 0, 0)).relu() / root
    y = F.conv3d(y, w["conv2_s.weight"], None, 1, (0, 1, 1)).relu() / root
    y = F.conv3d(y, w["conv2_t.weight"], None, 1, (1, 0, 0)) / root
    skip = F.conv3d(features, w["downsample.0.weight"], None, 2) / root
    torch.testing.assert_close(block(features), (y + skip).relu())


@pytest.mark.parametrize("size", [14, 28, 112])
def test_stage_maps_of_an_adapted_net(size: int) -> None:
    with torch.device("meta"):
        net = R2plus1dResNet(width=4, spatial_strides=adapted_strides(size))
        stages = net(torch.empty(1, 3, 16, size, size))
    assert [stage.shape[2] for stage in stages] == [8, 4, 2, 1]
    assert stages[-1].shape[2:] == (1, 7, 7)
    assert tuple(stage.shape[1] for stage in stages) == net.out_channels


def test_stochastic_depth_adds_no_weights() -> None:
    net = R2plus1dResNet(width=4, depth=50, stochastic_depth=0.3)
    assert net.layer4[2].stochastic_depth.p == pytest.approx(0.3)
    assert net.state_dict().keys() == R2plus1dResNet(width=4, depth=50).state_dict().keys()
    assert isinstance(net.layer1[0].relu, nn.ReLU)


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(ConfigError, match="18, 34, 50, 101 and 152"):
        R2plus1dResNet(depth=20)
