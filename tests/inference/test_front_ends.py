"""A model behind a front end wherever a model goes: other engines, adaptation, another training."""

import dataclasses
from pathlib import Path

import pytest
import torch

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.config import ModelConfig
from lilliput.errors import ConfigError
from lilliput.inference.adaptation import adapt
from lilliput.inference.export import export_model
from lilliput.inference.loading import load_model
from lilliput.models.pretrained import load_pretrained


def _behind(checkpoint: Checkpoint, front_end: str) -> Checkpoint:
    """The checkpoint with a front end before its network, whose weights stay."""
    settings = {**checkpoint.config.model.model_dump(), "front_end": front_end}
    config = ModelConfig.model_validate(settings)
    torch.manual_seed(0)
    model = build_model(config, len(checkpoint.labels), checkpoint.config.sampling.num_frames)
    model.network.load_state_dict(checkpoint.state)
    recipe = checkpoint.config.model_copy(update={"model": config})
    return dataclasses.replace(checkpoint, config=recipe, state=model.state_dict())


def test_an_export_computes_the_same(micro_checkpoint: Checkpoint, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    checkpoint = _behind(micro_checkpoint, "sof_vsr")  # warps, shuffles and enlarges
    save_checkpoint(checkpoint, tmp_path / "model.safetensors")
    report = export_model(tmp_path / "model.safetensors", tmp_path / "model.onnx")
    assert report.difference < 1e-4
    description, _ = load_model(tmp_path / "model.onnx")
    assert description.clip_shape == (3, 4, 7, 7)


def test_registration_is_left_to_pytorch(micro_checkpoint: Checkpoint, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    path = tmp_path / "model.safetensors"
    save_checkpoint(_behind(micro_checkpoint, "registered"), path)
    with pytest.raises(ConfigError, match="which engine 'onnx' cannot; use engine 'torch'"):
        export_model(path, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match="which engine 'openvino' cannot"):
        load_model(path, engine="openvino")
    _, engine = load_model(path, engine="auto")
    assert (engine.name, engine.note) == ("torch", "")


def test_it_can_be_adapted(micro_checkpoint: Checkpoint) -> None:
    checkpoint = _behind(micro_checkpoint, "bicubic")
    clips = torch.randn(40, *checkpoint.clip_shape, generator=torch.Generator().manual_seed(1))
    adapted = adapt(checkpoint, clips, norm_share=0)
    with torch.no_grad():
        logits = adapted.build_model()(clips)
    torch.testing.assert_close(logits.std(dim=0), logits.std(dim=0).mean().expand(3))


def test_a_training_starts_from_the_network_with_or_without_it(
    micro_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    plain, behind = tmp_path / "plain.safetensors", tmp_path / "behind.safetensors"
    save_checkpoint(micro_checkpoint, plain)
    checkpoint = _behind(micro_checkpoint, "sof_vsr")
    save_checkpoint(checkpoint, behind)
    alone = build_model(micro_checkpoint.config.model, 3, 4)
    with_one = build_model(checkpoint.config.model, 3, 4)
    for source, model in ((behind, alone), (plain, with_one)):
        report = load_pretrained(model, str(source))
        network = getattr(model, "network", model)
        assert report.missing == ()
        for name, tensor in micro_checkpoint.state.items():
            if not name.endswith("num_batches_tracked"):
                assert torch.equal(network.state_dict()[name], tensor), name
    fresh = build_model(checkpoint.config.model, 3, 4)
    load_pretrained(fresh, str(behind))  # with it to with it: the front end comes along
    for name, tensor in checkpoint.state.items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(fresh.state_dict()[name], tensor), name
