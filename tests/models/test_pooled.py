"""Pooled features are what the classifiers read: classified by hand they give the logits."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from lilliput.builders import MODELS, build_model
from lilliput.config import ModelConfig
from lilliput.models.pooled import find_classifiers, forward_pooled

SMALL: dict[str, dict[str, object]] = {
    "resnet3d": {"width": 4, "adapted": True},
    "multiscale": {"width": 4, "adapted": True, "input_size": 28, "input_sizes": (14, 28)},
    "fpn": {"width": 4, "adapted": True},
    "multiscale_fpn": {"width": 4, "adapted": True, "input_size": 28, "input_sizes": (14, 28)},
    "image_pyramid": {"width": 4, "adapted": True, "input_size": 28, "input_sizes": (14, 28)},
    "deepvideo": {"width": 4},
    "c3d": {"width": 4},
    "p3d": {"width": 4, "depth": 50},
    "video_vit": {"width": 4},
    "i3d": {"input_size": 28},
}
VARIANTS = [
    # That of hand-crafted features is in tests/models/idt.
    *({"name": name, **SMALL.get(name, {})} for name in MODELS if name != "idt"),
    {"name": "resnet3d", **SMALL["resnet3d"], "pool": "attention"},
    {"name": "fpn", **SMALL["fpn"], "fpn_merge": "mean"},
    {"name": "deepvideo", "width": 4, "fusion": "late"},
    {"name": "r2plus1d", "layout": "kenshohara", "width": 4},
    {"name": "video_vit", "width": 4, "class_token": True},
]


def _build(settings: dict[str, object]) -> tuple[nn.Module, torch.Tensor]:
    config = ModelConfig.model_validate({"input_size": 14, "dropout": 0.5, **settings})
    torch.manual_seed(0)
    model = build_model(config, num_classes=3, num_frames=4).eval()
    generator = torch.Generator().manual_seed(1)
    return model, torch.randn(2, 3, 4, config.input_size, config.input_size, generator=generator)


@pytest.mark.parametrize("settings", VARIANTS, ids=lambda s: "-".join(map(str, s.values())))
@torch.no_grad()
def test_classified_features_are_the_logits(settings: dict[str, object]) -> None:
    model, clips = _build(settings)
    logits, features = forward_pooled(model, clips)
    torch.testing.assert_close(logits, model(clips))
    layers = find_classifiers(model)
    if settings["name"] == "image_pyramid":
        layers *= len(settings["input_sizes"])  # one layer reads every scale
    parts = features.split([layer.in_features for layer in layers], dim=1)
    logits = torch.stack([layer(part) for layer, part in zip(layers, parts, strict=True)])
    merged = logits.mean(dim=0) if settings.get("fpn_merge") == "mean" else logits.sum(dim=0)
    torch.testing.assert_close(merged, model(clips), rtol=1e-4, atol=1e-5)
    assert len(set(layers)) == (4 if "fpn" in str(settings["name"]) else 1)
    assert not layers[0]._forward_pre_hooks


@torch.no_grad()
def test_a_filter_bank_is_no_part_of_them() -> None:
    model, clips = _build({"name": "resnet3d", **SMALL["resnet3d"], "classifier": "filter_bank"})
    (layer,) = find_classifiers(model)
    branches = model.forward_branches(clips)[1]
    torch.testing.assert_close(layer(forward_pooled(model, clips)[1]), branches[0])


@torch.no_grad()
def test_features_of_an_ensemble_are_those_of_its_members() -> None:
    model, clips = _build({"name": "resnet3d", **SMALL["resnet3d"], "members": 2})
    expected = torch.cat([forward_pooled(member, clips)[1] for member in model.members], dim=1)
    torch.testing.assert_close(forward_pooled(model, clips)[1], expected)


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
@torch.no_grad()
def test_other_backbones_of_a_pyramid() -> None:
    model, clips = _build({"name": "fpn", "backbone": "efficientnet_lite0", "fpn_channels": 8})
    assert forward_pooled(model, clips)[1].shape == (2, 32)
