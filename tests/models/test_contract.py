"""What every model of the thesis must do, at every size it declares.

Four frames and a width of 4 keep this quick; nothing in the networks depends on either.
"""

from pathlib import Path

import pytest
import torch
from torch import nn

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import INPUT_SIZES, Config, ModelConfig, SamplingConfig
from lilliput.data import LabelSet
from lilliput.video.normalisation import KINETICS

THESIS = ("resnet3d", "multiscale", "fpn", "multiscale_fpn")
FRAMES = 4


def _thesis_configs() -> list[ModelConfig]:
    configs = []
    for name in THESIS:
        for size in INPUT_SIZES:
            streams = tuple(other for other in INPUT_SIZES if other <= size)[-3:]
            if "multiscale" in name and len(streams) < 2:
                continue
            sizes = {"input_sizes": streams} if "multiscale" in name else {}
            for depth, adapted in ((18, True), (18, False), (50, True)):
                configs.append(
                    ModelConfig(
                        name=name,
                        depth=depth,
                        width=4,
                        input_size=size,
                        adapted=adapted,
                        **sizes,
                    )
                )
    return configs


def _variants() -> list[ModelConfig]:
    """Sections 3.9 and 3.10 and every other choice, at one size each."""
    variants: list[dict[str, object]] = [
        {"name": "resnet3d", "pool": "attention"},
        {"name": "resnet3d", "classifier": "filter_bank"},
        {"name": "resnet3d", "classifier": "filter_bank", "local_branch": "stage"},
        {"name": "resnet3d", "pool": "attention", "classifier": "filter_bank"},
        {"name": "fpn", "pool": "attention"},
        {"name": "fpn", "pool": "attention", "attention_levels": "all", "fpn_channels": 16},
        {"name": "fpn", "classifier": "filter_bank", "fpn_merge": "mean"},
        {"name": "multiscale", "lateral": "all"},
        {"name": "multiscale_fpn", "lateral": "all"},
        {"name": "multiscale_fpn", "pool": "attention", "classifier": "filter_bank"},
        {"name": "resnet3d", "depth": 50, "wide": True},
        {"name": "image_pyramid"},
        {"name": "image_pyramid", "fpn_merge": "max", "classifier": "filter_bank"},
    ]
    configs = []
    for variant in variants:
        several = variant["name"] in ("multiscale", "multiscale_fpn", "image_pyramid")
        sizes = {"input_sizes": (14, 28, 56)} if several else {}
        settings = {"width": 4, "input_size": 56, "adapted": True, **sizes, **variant}
        configs.append(ModelConfig.model_validate(settings))
    return configs


def _other_backbones() -> list[ModelConfig]:
    return [
        ModelConfig(name="fpn", backbone=backbone, input_size=14, fpn_channels=8)
        for backbone in ("r2plus1d", "efficientnet_lite0")
    ] + [
        ModelConfig(
            name="fpn",
            backbone="r2plus1d",
            layout="kenshohara",
            width=4,
            adapted=True,
            input_size=14,
        )
    ]


CONFIGS = [*_thesis_configs(), *_variants(), *_other_backbones()]


def _name(config: ModelConfig) -> str:
    return "-".join(str(value) for value in config.model_dump(exclude_defaults=True).values())


@pytest.fixture(params=CONFIGS, ids=_name, scope="module")
def config(request: pytest.FixtureRequest) -> ModelConfig:
    if request.param.backbone == "efficientnet_lite0":
        pytest.importorskip("timm", reason="the extra lilliput[efficientnet] is not installed")
    return request.param


@pytest.fixture(scope="module")
def model(config: ModelConfig) -> nn.Module:
    torch.manual_seed(0)
    model = build_model(config, num_classes=3, num_frames=FRAMES)
    for module in model.modules():  # statistics as of a trained net, not the neutral ones
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
    return model.eval()


@pytest.fixture(scope="module")
def clips(config: ModelConfig) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, FRAMES, config.input_size, config.input_size, generator=generator)


def test_every_parameter_gets_a_gradient(model: nn.Module, clips: torch.Tensor) -> None:
    logits = model(clips)
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name
    model.zero_grad(set_to_none=True)


@torch.no_grad()
def test_logits_of_a_clip_depend_on_nothing_else(model: nn.Module, clips: torch.Tensor) -> None:
    """In float64: not on the other clips of its batch, and not on when it is asked."""
    model.double()
    together = model(clips.double())
    assert torch.equal(model(clips.double()), together)
    alone = torch.cat([model(clip[None].double()) for clip in clips])
    model.float()
    torch.testing.assert_close(together, alone)
    assert not torch.allclose(together[0], together[1])


@torch.no_grad()
def test_a_checkpoint_holds_all_of_the_model(
    model: nn.Module, clips: torch.Tensor, config: ModelConfig, tmp_path: Path
) -> None:
    labels = LabelSet.from_names(["a", "b", "c"])
    checkpoint = Checkpoint(
        state=model.state_dict(),
        config=Config(model=config, sampling=SamplingConfig(num_frames=FRAMES)),
        labels=labels,
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.5, 0.5, 0.5),
    )
    save_checkpoint(checkpoint, tmp_path / "model.safetensors")
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.config.model == config
    torch.testing.assert_close(loaded.build_model()(clips), model(clips), rtol=0, atol=0)


def test_torch_export_works_for_any_batch(model: nn.Module, clips: torch.Tensor) -> None:
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(model, (clips,), dynamic_shapes=({0: batch},))
    three = torch.cat([clips, clips[:1].flip(-1)])
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(three), model(three), rtol=1e-4, atol=1e-5)


def test_a_size_that_a_model_does_not_declare_is_refused() -> None:
    with pytest.raises(ValueError, match="i3d needs at least 28 px"):
        ModelConfig(name="i3d", input_size=14)
