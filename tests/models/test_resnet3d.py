"""ResNet-3D against torchvision's r3d_18 and 2-D ResNets, and the counts of the literature."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    wide_resnet50_2,
)
from torchvision.models.video.resnet import BasicBlock as TorchvisionBlock
from torchvision.ops import StochasticDepth

from lilliput.errors import ConfigError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.resnet3d import BasicBlock, Bottleneck, ResNet3d, adapted_strides

SIZES = (14, 28, 56, 112, 224)


def net(depth: int = 18, width: int = 8, **options: object) -> ResNet3d:
    torch.manual_seed(0)
    return ResNet3d(depth=depth, width=width, **options).eval()


def classifier(num_classes: int, depth: int = 18, **options: object) -> Classifier:
    backbone = ResNet3d(depth=depth, **options)
    return Classifier(backbone, LinearHead(backbone.out_channels[-1], num_classes)).eval()


@pytest.mark.parametrize(
    ("size", "strides"),
    [
        (224, (2, 2, 2, 2, 2)),
        (112, (1, 2, 2, 2, 2)),
        (56, (1, 1, 2, 2, 2)),
        (28, (1, 1, 1, 2, 2)),
        (14, (1, 1, 1, 1, 2)),
    ],
)
def test_adapted_strides_are_those_of_section_3_2(size: int, strides: tuple[int, ...]) -> None:
    assert adapted_strides(size) == strides


@pytest.mark.parametrize("size", [0, -14, 7, 16, 20, 100, 113, 448])
def test_other_sizes_are_refused_with_the_reason(size: int) -> None:
    with pytest.raises(ConfigError, match=r"log2\(224 / size\)"):
        adapted_strides(size)


@pytest.mark.parametrize("depth", [18, 34, 50])
@pytest.mark.parametrize("size", SIZES)
def test_last_map_of_an_adapted_net_is_7_by_7_and_one_frame_long(depth: int, size: int) -> None:
    model = net(depth, width=2, spatial_strides=adapted_strides(size))
    with torch.no_grad():
        stages = model(torch.zeros(1, 3, 16, size, size))
    assert [stage.shape[2] for stage in stages] == [8, 4, 2, 1]
    assert stages[-1].shape[2:] == (1, 7, 7)
    assert [stage.shape[1] for stage in stages] == list(model.out_channels)


@pytest.mark.parametrize(
    ("size", "maps"), [(112, (28, 14, 7, 4)), (56, (14, 7, 4, 2)), (14, (4, 2, 1, 1))]
)
def test_maps_of_an_unadapted_net(size: int, maps: tuple[int, ...]) -> None:
    with torch.no_grad():
        stages = net(width=2)(torch.zeros(1, 3, 16, size, size))
    assert tuple(stage.shape[-1] for stage in stages) == maps


@pytest.mark.parametrize(
    ("depth", "adapted", "size", "gmacs"),
    [
        (18, False, 112, 8.3),
        (18, True, 112, 32.9),
        (18, True, 56, 22.9),
        (18, True, 28, 12.1),
        (18, True, 14, 5.8),
        (50, False, 112, 10.1),
        (50, True, 112, 39.9),
        (50, True, 56, 29.9),
        (50, True, 28, 18.7),
        (50, True, 14, 10.0),
    ],
)
def test_multiplications_of_a_16_frame_clip(
    depth: int, adapted: bool, size: int, gmacs: float
) -> None:
    with torch.device("meta"):
        strides = adapted_strides(size) if adapted else (2, 2, 2, 2, 2)
        model = classifier(26, depth, spatial_strides=strides)
        clips = torch.empty(1, 3, 16, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(clips)
    assert counter.get_total_flops() / 2e9 == pytest.approx(gmacs, abs=0.06)


@pytest.mark.parametrize(("depth", "millions"), [(18, 33.2), (50, 46.3)])
def test_parameters_with_26_classes(depth: int, millions: float) -> None:
    with torch.device("meta"):
        model = classifier(26, depth)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize(
    ("depth", "wide", "classes", "count"),
    [
        (18, False, 700, 33_563_004),
        (34, False, 700, 63_872_636),
        (50, False, 700, 47_633_276),
        (101, False, 700, 86_679_420),
        (152, False, 700, 118_838_140),
        (50, True, 400, 158_248_272),
    ],
)
def test_parameters_of_the_published_networks(
    depth: int, wide: bool, classes: int, count: int
) -> None:
    """Counted of the networks that kenshohara's and the challenge's code build."""
    with torch.device("meta"):
        model = classifier(classes, depth, wide=wide)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


@pytest.mark.parametrize(
    ("depth", "wide", "reference"),
    [
        (18, False, resnet18),
        (34, False, resnet34),
        (50, False, resnet50),
        (101, False, resnet101),
        (152, False, resnet152),
        (50, True, wide_resnet50_2),
    ],
)
def test_key_names_are_the_2d_resnets(depth: int, wide: bool, reference: object) -> None:
    """The public Kinetics files name their weights as torchvision's 2-D nets do."""
    with torch.device("meta"):
        state = classifier(1000, depth, wide=wide).state_dict()
        ours = {key.removeprefix("backbone.").removeprefix("head."): state[key] for key in state}
        theirs = reference().state_dict()  # type: ignore[operator]
    assert list(ours) == list(theirs)
    for name, weight in theirs.items():
        assert ours[name].shape[:2] == weight.shape[:2], name


def test_inflated_net_sees_in_a_static_clip_what_the_2d_net_sees() -> None:
    """An independent forward pass: 2-D weights in the middle time slice equal the 2-D net."""
    torch.manual_seed(0)
    flat = resnet18(num_classes=7).eval().double()
    deep = classifier(7).double()
    state = deep.state_dict()
    for key, weight in flat.state_dict().items():
        name = f"head.{key}" if key.startswith("fc.") else f"backbone.{key}"
        if weight.ndim == 4:
            state[name].zero_()
            state[name][:, :, state[name].shape[2] // 2] = weight
        else:
            state[name] = weight
    deep.load_state_dict(state)
    picture = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    clip = picture[:, :, None].expand(-1, -1, 16, -1, -1)
    with torch.no_grad():
        torch.testing.assert_close(deep(clip), flat(picture))


def test_basic_block_equals_torchvisions_with_the_same_weights() -> None:
    from torchvision.models.video.resnet import Conv3DSimple

    from lilliput.models.resnet3d import BasicBlock

    torch.manual_seed(0)
    ours = BasicBlock(4, 4, (1, 1, 1)).eval()
    theirs = TorchvisionBlock(4, 4, Conv3DSimple, stride=1).eval()
    names = {"conv1.0": "conv1", "conv1.1": "bn1", "conv2.0": "conv2", "conv2.1": "bn2"}
    state = {
        key: ours.state_dict()[f"{names[key.rsplit('.', 1)[0]]}.{key.rsplit('.', 1)[1]}"]
        for key in theirs.state_dict()
    }
    theirs.load_state_dict(state)
    features = torch.randn(2, 4, 4, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(ours(features), theirs(features))


def test_unknown_depth_is_refused() -> None:
    with pytest.raises(ConfigError, match="18, 34, 50, 101 and 152"):
        ResNet3d(depth=20)
    with pytest.raises(ConfigError, match="Wide ResNet-3D has depth 50"):
        ResNet3d(depth=34, wide=True)


@pytest.mark.parametrize("adapted", [True, False])
def test_grey_clips_take_a_shorter_way_to_the_same_result(adapted: bool) -> None:
    torch.manual_seed(0)
    strides = adapted_strides(28) if adapted else (2, 2, 2, 2, 2)
    network = ResNet3d(width=4, spatial_strides=strides).double()
    grey = torch.randn(2, 1, 4, 28, 28).double().expand(-1, 3, -1, -1, -1)
    called = []
    network.conv1.register_forward_hook(lambda *_: called.append(True))
    short = network.stem(grey)
    short.square().sum().backward()
    gradient = network.conv1.weight.grad.clone()
    assert not called  # the short way it was
    network.zero_grad()
    plain = network.maxpool(network.relu(network.bn1(network.conv1(grey))))
    plain.square().sum().backward()
    torch.testing.assert_close(short, plain)
    torch.testing.assert_close(gradient, network.conv1.weight.grad)


def test_coloured_clips_do_not() -> None:
    network, called = ResNet3d(width=4), []
    network.conv1.register_forward_hook(lambda *_: called.append(True))
    clips = torch.zeros(1, 3, 4, 28, 28)
    clips[0, 2, 3, 27, 27] = 1e-3  # the last value of the last channel
    network.stem(clips)
    assert called


@pytest.mark.parametrize(("depth", "blocks"), [(18, 8), (34, 16), (50, 16), (101, 33)])
def test_stochastic_depth_grows_from_block_to_block(depth: int, blocks: int) -> None:
    net = ResNet3d(depth=depth, width=4, stochastic_depth=0.3)
    found = [
        0.0 if block.stochastic_depth is None else block.stochastic_depth.p
        for stage in net.stages
        for block in stage
    ]
    assert found == pytest.approx([0.3 * number / (blocks - 1) for number in range(blocks)])
    assert net.state_dict().keys() == ResNet3d(depth=depth, width=4).state_dict().keys()


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
def test_a_block_is_left_out_clip_by_clip_and_scaled_otherwise(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    channels = 4 * kind.expansion
    whole, block = (kind(channels, 4, (1, 1, 1), drop) for drop in (0.0, 0.25))
    block.load_state_dict(whole.state_dict())
    clips = torch.rand(400, channels, 2, 3, 3)
    residual = whole.eval()
    residual.relu = nn.Identity()  # to look behind the last one, and before it
    block.relu = nn.Identity()
    added = residual(clips) - clips
    torch.testing.assert_close(block.eval()(clips), clips + added)
    block.train()
    for layer in block.modules():
        if isinstance(layer, nn.BatchNorm3d):
            layer.eval()
    got = block(clips) - clips
    dropped = torch.tensor([bool((clip == 0).all()) for clip in got])
    assert float(dropped.float().mean()) == pytest.approx(0.25, abs=0.05)
    torch.testing.assert_close(got[~dropped], added[~dropped] / 0.75, atol=1e-5, rtol=1e-4)


def test_without_stochastic_depth_no_layer_is_added_and_nothing_drawn() -> None:
    net = ResNet3d(depth=18, width=4)
    assert not any(isinstance(module, StochasticDepth) for module in net.modules())
    torch.manual_seed(0)
    net(torch.rand(2, 3, 4, 14, 14))
    drawn = torch.rand(1)
    torch.manual_seed(0)
    torch.rand(2, 3, 4, 14, 14)
    assert torch.equal(torch.rand(1), drawn)
