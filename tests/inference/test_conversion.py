"""Every network of the project in ONNX Runtime and OpenVINO; one export serves both."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from lilliput.builders import MODELS, build_model
from lilliput.checkpoint import Checkpoint
from lilliput.config import Config, ModelConfig, SamplingConfig
from lilliput.data import LabelSet
from lilliput.inference.conversion import (
    read_description,
    read_openvino,
    write_onnx,
    write_openvino,
)
from lilliput.inference.engines.pytorch import TorchEngine
from lilliput.inference.loading import load_model
from lilliput.models import mvit
from lilliput.video.normalisation import KINETICS

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

FRAMES = 4
CONFIGS = [
    ModelConfig(name="resnet3d", width=4, input_size=28, adapted=True),
    ModelConfig(
        name="fpn", width=4, input_size=28, adapted=True, pool="attention", attention_levels="all",
        classifier="filter_bank", fpn_channels=16,
    ),
    ModelConfig(width=4, input_size=28, classifier="filter_bank", local_branch="stage"),
    ModelConfig(name="multiscale", width=4, input_size=28, input_sizes=(14, 28), lateral="all"),
    ModelConfig(name="multiscale_fpn", width=4, input_size=28, input_sizes=(14, 28), adapted=True),
    ModelConfig(name="image_pyramid", width=4, input_size=28, input_sizes=(14, 28)),
    ModelConfig(name="frame_resnet", input_size=28),
    ModelConfig(name="deepvideo", width=4, input_size=28, fusion="slow"),
    ModelConfig(name="c3d", width=4, input_size=28),
    ModelConfig(name="i3d", input_size=28),
    ModelConfig(name="r2plus1d", input_size=28),
    ModelConfig(name="p3d", width=4, depth=50, input_size=28),
    ModelConfig(name="mvit", input_size=28),
    ModelConfig(name="video_vit", width=48, input_size=28),
    ModelConfig(name="fpn", backbone="efficientnet_lite0", input_size=28, fpn_channels=8),
]  # fmt: skip


def _name(config: ModelConfig) -> str:
    local = "-stage" if config.local_branch == "stage" else ""
    return config.name + local if config.backbone == "resnet3d" else config.backbone


def test_no_network_is_forgotten() -> None:
    assert {config.name for config in CONFIGS} == set(MODELS) - {"idt"}  # no network


@pytest.fixture(scope="module", autouse=True)
def small_mvit() -> Iterator[None]:
    """One block of each stage of MViT's sixteen: they all export alike, and slowly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mvit, "_STAGES", tuple((1, *rest) for _, *rest in mvit._STAGES))
        yield


@pytest.fixture(scope="module", params=CONFIGS, ids=_name)
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    if request.param.backbone == "efficientnet_lite0":
        pytest.importorskip("timm")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(request.param, num_classes=3, num_frames=FRAMES)
        for module in model.modules():  # statistics as of a trained net, not the neutral ones
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.8, 1.2)
    return Checkpoint(
        state=model.state_dict(),
        config=Config(model=request.param, sampling=SamplingConfig(num_frames=FRAMES)),
        labels=LabelSet.from_names(["a", "turn_left", "turn_right"]),
        normalisation=KINETICS,
        clip_seconds=1.5,
        thresholds=(0.25, 1 / 3, 0.5),
        metrics={"val": {"macro": {"f1": 1 / 7}}},
        note='a "note" <of> é',
    )


@pytest.fixture(scope="module")
def folder(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the network as model.onnx and model.xml."""
    folder = tmp_path_factory.mktemp("exported")
    write_onnx(checkpoint, folder / "model.onnx")
    network = read_openvino(folder / "model.onnx")
    write_openvino(network, checkpoint, "fp32", folder / "model.xml")
    return folder


def test_a_folded_network_computes_the_same(checkpoint: Checkpoint) -> None:
    engine = TorchEngine(checkpoint.build_model(), device="cpu")
    coloured = torch.randn(2, *checkpoint.clip_shape, generator=torch.Generator().manual_seed(1))
    for clips in (coloured, coloured[:, :1].expand_as(coloured)):
        with torch.no_grad():
            logits = checkpoint.build_model()(clips)
        bound = 1e-5 * float(logits.abs().max())
        torch.testing.assert_close(engine(clips), logits, rtol=0, atol=bound)


@pytest.mark.parametrize("name", ["model.onnx", "model.xml"])
def test_exports_compute_the_same_and_describe_themselves(
    checkpoint: Checkpoint, folder: Path, name: str
) -> None:
    description, engine = load_model(folder / name)
    expected = replace(checkpoint, state={})
    assert Checkpoint(state={}, **vars(description)) == expected
    assert read_description(folder / name) == (description, "fp32")
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(3, *checkpoint.clip_shape, generator=generator)
    with torch.no_grad():
        logits = checkpoint.build_model()(clips)
    assert logits.std() > 0
    bound = 1e-4 * float(logits.abs().max())
    torch.testing.assert_close(engine(clips), logits, rtol=0, atol=bound)
    torch.testing.assert_close(engine(clips[1:2]), logits[1:2], rtol=0, atol=bound)
