"""Files of kenshohara's R(2+1)D, and of his code of 2018, compute what they computed there.

The second source is this file's own forward pass over the state dict.
"""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lilliput.errors import CheckpointError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.image_pyramid import ImagePyramid
from lilliput.models.pretrained import load_pretrained
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.resnet3d import ResNet3d

State = dict[str, torch.Tensor]
PIXELS = 255 * 0.274  # deviation of the pixels on which the files of 2018 were trained


def random_state(model: nn.Module) -> State:
    """Names and shapes of a network in its published form, of random values."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        values = torch.rand(tensor.shape, generator=generator)
        if tensor.ndim == 5:
            values = (values - 0.5) * (12 / tensor[0].numel()) ** 0.5
        state[name.removeprefix("backbone.").removeprefix("head.")] = 0.5 + values
        if tensor.ndim == 5 or name.endswith(("bias", "mean")):
            state[name.removeprefix("backbone.").removeprefix("head.")] = values
    return state


def norm(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    mean, var, scale, shift = (
        state[f"{name}.{key}"].double()[:, None, None, None]
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * scale + shift


def conv(state: State, name: str, x: torch.Tensor, stride: object = 1) -> torch.Tensor:
    weight = state[f"{name}.weight"].double()
    padding = [side // 2 for side in weight.shape[2:]]
    return F.conv3d(x, weight, None, stride, padding)  # type: ignore[arg-type]


def classify(state: State, x: torch.Tensor) -> torch.Tensor:
    return x.mean(dim=(2, 3, 4)) @ state["fc.weight"].double().T + state["fc.bias"].double()


def write(path: Path, state: State) -> str:
    """As his files are: below ``state_dict``, with the prefix of several GPUs."""
    torch.save({"arch": "x", "state_dict": {f"module.{n}": t for n, t in state.items()}}, path)
    return str(path)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def split(depth: int, classes: int = 700) -> Classifier:
    backbone = R2plus1dResNet(depth=depth, width=8)
    return Classifier(backbone, LinearHead(backbone.out_channels[-1], classes))


def shallow(net: nn.Module) -> nn.Module:
    """One block a stage: the others are alike."""
    for number in (1, 2, 3, 4):
        setattr(net, f"layer{number}", getattr(net, f"layer{number}")[:1])
    return net


def split_logits(state: State, x: torch.Tensor, *, bottleneck: bool) -> torch.Tensor:
    x = norm(state, "bn1_s", conv(state, "conv1_s", x, (1, 2, 2))).relu()
    x = F.max_pool3d(norm(state, "bn1_t", conv(state, "conv1_t", x)).relu(), 3, 2, 1)
    for number in (1, 2, 3, 4):
        block, y, stride = f"layer{number}.0", x, 1 if number == 1 else 2
        names = ["conv1", "conv2_s", "conv2_t", "conv3"]
        if not bottleneck:
            names = ["conv1_s", "conv1_t", "conv2_s", "conv2_t"]
        strided = names[1:3] if bottleneck else names[:2]
        for name in names:
            step = (1, stride, stride) if name == strided[0] else (stride, 1, 1)
            y = conv(state, f"{block}.{name}", y, step if name in strided else 1)
            y = norm(state, f"{block}.{name.replace('conv', 'bn')}", y)
            y = y if name == names[-1] else y.relu()
        if f"{block}.downsample.0.weight" in state:
            x = conv(state, f"{block}.downsample.0", x, stride)
            x = norm(state, f"{block}.downsample.1", x)
        x = (x + y).relu()
    return classify(state, x)


@pytest.mark.parametrize("depth", [18, 50])
@torch.no_grad()
def test_r2plus1d(depth: int, tmp_path: Path) -> None:
    model = split(depth)
    shallow(model.backbone)
    state = random_state(model)
    report = load_pretrained(model, write(tmp_path / "r2p1d.pth", state))
    assert report.missing == report.unused == ()
    assert set(report.filled.values()) == {"loaded"}
    clips = noise(1, 3, 6, 24, 24)
    expected = split_logits(state, clips, bottleneck=depth == 50)
    torch.testing.assert_close(model.double().eval()(clips), expected, rtol=1e-9, atol=1e-9)


def test_r2plus1d_of_another_layout_or_depth_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "r2p1d18.pth", random_state(split(18)))
    with pytest.raises(CheckpointError, match=r"R\(2\+1\)D of kenshohara.*do not fit R2plus1d"):
        load_pretrained(Classifier(R2plus1d(), LinearHead(512, 26)), path)
    with pytest.raises(CheckpointError, match="take weights of the same network and depth"):
        load_pretrained(split(34), path)


def plain_logits(state: State, x: torch.Tensor, *, bottleneck: bool) -> torch.Tensor:
    """A ResNet-3D of one block a stage; without projections, with shortcut A."""
    x = F.max_pool3d(norm(state, "bn1", conv(state, "conv1", x, (1, 2, 2))).relu(), 3, 2, 1)
    for number in (1, 2, 3, 4):
        block, y, stride = f"layer{number}.0", x, 1 if number == 1 else 2
        names = ["conv1", "conv2", "conv3"] if bottleneck else ["conv1", "conv2"]
        for name in names:
            y = conv(state, f"{block}.{name}", y, stride if name == names[-2] else 1)
            y = norm(state, f"{block}.{name.replace('conv', 'bn')}", y)
            y = y if name == names[-1] else y.relu()
        if f"{block}.downsample.0.weight" in state:
            x = norm(
                state, f"{block}.downsample.1", conv(state, f"{block}.downsample.0", x, stride)
            )
        else:
            x = x[:, :, ::stride, ::stride, ::stride]
            x = torch.cat([x, x.new_zeros(1, y.shape[1] - x.shape[1], *x.shape[2:])], dim=1)
        x = (x + y).relu()
    return classify(state, x)


def of_2018(*, wide: bool, classes: int = 400) -> tuple[Classifier, State]:
    """A model, and a file for it: a wide network's, or a basic one's with shortcut A."""
    backbone = ResNet3d(depth=50 if wide else 18, width=4, wide=wide)
    model = Classifier(shallow(backbone), LinearHead(backbone.out_channels[-1], classes))
    state = random_state(model)
    if not wide:
        state = {name: tensor for name, tensor in state.items() if "downsample" not in name}
        plain = {"conv1.weight": state["conv1.weight"]}
        plain["layer1.0.conv1.weight"] = state["layer1.0.conv1.weight"]
        state = plain | state
    return model, state


@pytest.mark.parametrize("wide", [True, False])
@torch.no_grad()
def test_files_of_2018_take_clips_of_unit_deviation(wide: bool, tmp_path: Path) -> None:
    model, state = of_2018(wide=wide)
    state["bn1.running_var"] = state["bn1.running_var"] * PIXELS**2
    state["bn1.running_mean"] = state["bn1.running_mean"] * PIXELS
    report = load_pretrained(model, write(tmp_path / "old.pth", state))
    assert report.missing == report.unused == ()
    assert report.title.endswith("of 2018")
    assert torch.equal(model.backbone.conv1.weight, state["conv1.weight"])
    clips = noise(1, 3, 8, 32, 32)
    expected = plain_logits(state, clips * PIXELS, bottleneck=wide)
    torch.testing.assert_close(model.double().eval()(clips), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wide", [True, False])
@torch.no_grad()
def test_what_the_same_networks_learned_later_stays_as_it_is(wide: bool, tmp_path: Path) -> None:
    """Such as the challenge's own wide network of 26 classes, of normalized clips."""
    model, state = of_2018(wide=wide, classes=26)
    report = load_pretrained(model, write(tmp_path / "later.pth", state))
    assert report.missing == report.unused == ()
    assert not report.title.endswith("2018")
    clips = noise(1, 3, 8, 32, 32)
    expected = plain_logits(state, clips, bottleneck=wide)
    torch.testing.assert_close(model.double().eval()(clips), expected, rtol=1e-6, atol=1e-6)


def test_a_pyramid_of_images_loads_its_backbone_and_classifier(tmp_path: Path) -> None:
    model, state = of_2018(wide=True, classes=700)
    pyramid = ImagePyramid(model.backbone, model.head, input_sizes=(14, 28))
    report = load_pretrained(pyramid, write(tmp_path / "r3d.pth", state))
    assert report.missing == report.unused == ()
