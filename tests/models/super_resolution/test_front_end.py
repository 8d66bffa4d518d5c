"""What every network must do, done by a small one behind each front end."""

import dataclasses
from pathlib import Path

import pytest
import torch

from lilliput.builders import FRONT_ENDS, build_model, tell_normalisation
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import Config, ModelConfig, SamplingConfig
from lilliput.data import LabelSet
from lilliput.models.pooled import forward_pooled
from lilliput.models.stages import find_classifier, parameters_by_stage
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.video.normalisation import KINETICS, OWN_CONTRAST
from lilliput.video.transforms import EvaluationTransform

FRAMES = 2
LEARNED = ("span", "sof_vsr", "basicvsr")


def _config(name: str) -> ModelConfig:
    return ModelConfig(width=4, input_size=28, adapted=True, front_end=name, front_end_scale=2)


@pytest.fixture(params=list(FRONT_ENDS), scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name: str) -> FrontEnd:
    torch.manual_seed(0)
    model = build_model(_config(name), num_classes=3, num_frames=FRAMES)
    assert isinstance(model, FrontEnd)
    if name == "span":  # as small as its published weights leave it
        torch.nn.init.normal_(model.enlarge.upsampler.weight, std=1e-5)
        torch.nn.init.constant_(model.enlarge.upsampler.bias, 0.5)
    tell_normalisation(model, KINETICS)
    return model.eval()


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    pixels = torch.rand(2, 3, FRAMES, 14, 14, generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(value).view(3, 1, 1, 1) for value in (KINETICS.mean, KINETICS.std))
    return (pixels - mean) / std


def test_every_parameter_gets_a_gradient(model: FrontEnd, clips: torch.Tensor) -> None:
    logits = model(clips)
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name
    model.zero_grad(set_to_none=True)


@torch.no_grad()
def test_logits_of_a_clip_depend_on_nothing_else(model: FrontEnd, clips: torch.Tensor) -> None:
    model.double()
    together = model(clips.double())
    alone = torch.cat([model(clip[None].double()) for clip in clips])
    model.float()
    torch.testing.assert_close(together, alone)
    assert not torch.allclose(together[0], together[1])


@torch.no_grad()
def test_the_network_sees_the_pixels_enlarged(model: FrontEnd, clips: torch.Tensor) -> None:
    pixels = model.to_pixels(clips)
    assert 0 <= float(pixels.min()) <= float(pixels.max()) <= 1
    torch.testing.assert_close(model.to_clips(pixels), clips)
    larger = model.enlarge(pixels)
    assert larger.shape == (2, 3, FRAMES, 28, 28)
    torch.testing.assert_close(model.to_pixels(model.enlarge_clips(clips)), larger)
    torch.testing.assert_close(model(clips), model.network(model.to_clips(larger)))


@torch.no_grad()
def test_a_checkpoint_holds_all_of_it(
    model: FrontEnd, clips: torch.Tensor, name: str, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(
        state=model.state_dict(),
        config=Config(model=_config(name), sampling=SamplingConfig(num_frames=FRAMES)),
        labels=LabelSet.from_names(["a", "b", "c"]),
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.5, 0.5, 0.5),
    )
    save_checkpoint(checkpoint, tmp_path / "model.safetensors")
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.clip_shape == (3, FRAMES, 14, 14)
    torch.testing.assert_close(loaded.build_model()(clips), model(clips), rtol=0, atol=0)


@pytest.mark.parametrize("name", LEARNED, scope="module", indirect=True)
def test_torch_export_works_for_any_batch(model: FrontEnd, clips: torch.Tensor) -> None:
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(model, (clips,), dynamic_shapes=({0: batch},))
    three = torch.cat([clips, clips[:1].flip(-1)])
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(three), model(three), rtol=1e-4, atol=1e-5)


def test_its_stages_are_the_networks(model: FrontEnd, clips: torch.Tensor, name: str) -> None:
    groups = parameters_by_stage(model)
    assert sum(map(len, groups)) == len(list(model.parameters()))
    stem = {id(parameter) for parameter in groups[0]}
    assert stem >= {id(parameter) for parameter in model.enlarge.parameters()}
    assert find_classifier(model)[0] is model.network.head
    logits, features = forward_pooled(model, clips)
    torch.testing.assert_close(logits, model.network.head.fc(features))


def test_of_a_clips_own_contrast_usual_pixels_are_made() -> None:
    model = build_model(_config("bicubic"), 3, FRAMES)
    tell_normalisation(model, OWN_CONTRAST)
    frames = torch.randint(50, 200, (FRAMES, 3, 14, 14), dtype=torch.uint8)
    pixels = model.to_pixels(EvaluationTransform(14, OWN_CONTRAST)(frames)[None])
    assert 0 <= float(pixels.min()) < 0.3 < 0.7 < float(pixels.max()) <= 1


@pytest.mark.parametrize("name", LEARNED)
def test_a_frozen_one_has_no_gradient(name: str) -> None:
    config = ModelConfig.model_validate({**_config(name).model_dump(), "front_end_frozen": True})
    model = build_model(config, 3, FRAMES)
    model(torch.randn(1, 3, FRAMES, 14, 14)).sum().backward()
    assert all(parameter.grad is None for parameter in model.enlarge.parameters())
    assert any(parameter.grad is not None for parameter in model.network.parameters())


def test_an_old_checkpoint_has_none(micro_checkpoint: Checkpoint, tmp_path: Path) -> None:
    document = micro_checkpoint.config.model_dump(mode="json")
    for key in [key for key in document["model"] if key.startswith("front_end")]:
        del document["model"][key]
    del document["loss"]["super_resolution"]
    old = dataclasses.replace(micro_checkpoint, config=Config.model_validate(document))
    save_checkpoint(old, tmp_path / "old.safetensors")
    loaded = load_checkpoint(tmp_path / "old.safetensors")
    assert loaded.config.model.front_end == "none"
    assert loaded.clip_shape == micro_checkpoint.clip_shape
