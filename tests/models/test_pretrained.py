"""kenshohara's Kinetics weights fill every ResNet-3D, and compute what they should.

The second source is this file's own network: it makes files in the published format and reads
the same state dict with nothing but ``torch.nn.functional``.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from lilliput.builders import build_model
from lilliput.config import ModelConfig
from lilliput.errors import CheckpointError
from lilliput.models.fpn import Fpn
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.pretrained import load_pretrained
from lilliput.models.resize import resize_to
from lilliput.models.resnet3d import ResNet3d

State = dict[str, torch.Tensor]
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


def make_state(depth: int, *, width: int = 16, classes: int = 700, seed: int = 0) -> State:
    """A state dict in the published names and shapes, of random values."""
    generator = torch.Generator().manual_seed(seed)
    state: State = {}
    for name, shape in _convolutions(depth, width):
        fan_in = math.prod(shape[1:])
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * math.sqrt(2 / fan_in)
        norm = name.replace("conv", "bn").replace("downsample.0", "downsample.1")
        for key, low, high in (
            ("weight", 0.5, 1.5),
            ("bias", -0.3, 0.3),
            ("running_mean", -0.3, 0.3),
            ("running_var", 0.5, 1.5),
        ):
            values = torch.rand(shape[0], generator=generator)
            state[f"{norm}.{key}"] = low + (high - low) * values
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    features = 8 * width * (4 if depth == 50 else 1)
    state["fc.weight"] = torch.randn(classes, features, generator=generator) / features
    state["fc.bias"] = torch.randn(classes, generator=generator)
    return state


def _convolutions(depth: int, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "conv1", (width, 3, 7, 7, 7)
    entering = width
    for stage, blocks in enumerate(BLOCKS[depth]):
        planes = width * 2**stage
        leaving = planes * (4 if depth == 50 else 1)
        for block in range(blocks):
            name = f"layer{stage + 1}.{block}"
            if depth == 50:
                yield f"{name}.conv1", (planes, entering, 1, 1, 1)
                yield f"{name}.conv2", (planes, planes, 3, 3, 3)
                yield f"{name}.conv3", (leaving, planes, 1, 1, 1)
            else:
                yield f"{name}.conv1", (planes, entering, 3, 3, 3)
                yield f"{name}.conv2", (planes, planes, 3, 3, 3)
            if block == 0 and entering != leaving:
                yield f"{name}.downsample.0", (leaving, entering, 1, 1, 1)
            entering = leaving


def stage_maps(state: State, clips: torch.Tensor, depth: int) -> list[torch.Tensor]:
    """The outputs of the four stages."""
    x = F.relu(_norm(state, "bn1", F.conv3d(clips, _w(state, "conv1"), None, (1, 2, 2), 3)))
    x = F.max_pool3d(x, 3, 2, 1)
    maps = []
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            x = _block(state, f"layer{stage + 1}.{block}", x, stride, depth)
        maps.append(x)
    return maps


def logits(state: State, clips: torch.Tensor, depth: int) -> torch.Tensor:
    """Pooled and classified."""
    pooled = stage_maps(state, clips, depth)[-1].mean(dim=(2, 3, 4))
    return pooled @ state["fc.weight"].double().T + state["fc.bias"].double()


def _block(state: State, name: str, x: torch.Tensor, stride: int, depth: int) -> torch.Tensor:
    # Number of the convolution: stride, padding.
    plan = ((1, 0), (stride, 1), (1, 0)) if depth == 50 else ((stride, 1), (1, 1))
    y = x
    for index, (step, padding) in enumerate(plan):
        y = F.conv3d(y, _w(state, f"{name}.conv{index + 1}"), None, step, padding)
        y = _norm(state, f"{name}.bn{index + 1}", y)
        if index < len(plan) - 1:
            y = F.relu(y)
    if f"{name}.downsample.0.weight" in state:
        x = F.conv3d(x, _w(state, f"{name}.downsample.0"), None, stride)
        x = _norm(state, f"{name}.downsample.1", x)
    return F.relu(x + y)


def _norm(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    mean, var, scale, shift = (
        state[f"{name}.{key}"].double()[:, None, None, None]
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * scale + shift


def _w(state: State, name: str) -> torch.Tensor:
    return state[f"{name}.weight"].double()


def write(path: Path, state: State, *, prefix: str = "") -> Path:
    state = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    optimiser = {"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]}
    torch.save(
        {"epoch": 200, "arch": "resnet3d", "state_dict": state, "optimizer": optimiser}, path
    )
    return path


def single(depth: int, width: int, classes: int = 700) -> Classifier:
    backbone = ResNet3d(depth=depth, width=width)
    return Classifier(backbone, LinearHead(backbone.out_channels[-1], classes))


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("depth", "width", "prefix"), [(18, 64, ""), (34, 8, "module."), (50, 64, "module.")]
)
def test_the_forward_pass_is_that_of_the_file(
    tmp_path: Path, depth: int, width: int, prefix: str
) -> None:
    state = make_state(depth, width=width)
    model = single(depth, width)
    report = load_pretrained(model, str(write(tmp_path / "r3d.pth", state, prefix=prefix)))
    assert set(report.filled.values()) == {"loaded"}
    assert report.missing == report.unused == ()
    clips = noise(2, 3, 4, 28, 28)
    with torch.no_grad():
        ours = model.double().eval()(clips)
    torch.testing.assert_close(ours, logits(state, clips, depth), rtol=1e-10, atol=1e-10)


def test_a_bare_state_dict_and_a_safetensors_file_load_alike(tmp_path: Path) -> None:
    state = make_state(18, width=4)
    torch.save(state, tmp_path / "bare.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "tensors.safetensors")
    for name in ("bare.pth", "tensors.safetensors"):
        model = single(18, 4)
        load_pretrained(model, str(tmp_path / name))
        for key, tensor in model.backbone.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                assert torch.equal(tensor, state[key]), key


def test_a_classifier_of_other_classes_stays_random(tmp_path: Path) -> None:
    model = single(18, 4, classes=26)
    before = model.head.fc.weight.clone()
    report = load_pretrained(model, str(write(tmp_path / "r3d.pth", make_state(18, width=4))))
    assert report.missing == ("head.fc.weight", "head.fc.bias")
    assert report.unused == ("fc.weight", "fc.bias")
    assert torch.equal(model.head.fc.weight, before)
    assert report.lines() == [
        f"pretrained: {tmp_path / 'r3d.pth'} (ResNet-3D of kenshohara/3D-ResNets-PyTorch)",
        "  backbone: 100 loaded",
        "  left as initialised: 2 (head.fc.weight, head.fc.bias)",
        "  not used of the file: 2 (fc.weight, fc.bias)",
    ]


@pytest.mark.parametrize(("depth", "lateral"), [(18, "adjacent"), (50, "all")])
def test_every_stream_starts_as_its_pretrained_backbone(
    tmp_path: Path, depth: int, lateral: str
) -> None:
    sizes = (14, 28, 56)
    state = make_state(depth, width=4)
    streams = MultiScaleResNet3d(sizes, depth=depth, width=4, lateral=lateral)  # type: ignore[arg-type]
    model = Classifier(streams, SummedStreamsHead(streams.out_channels[-1], 700))
    report = load_pretrained(model, str(write(tmp_path / "r3d.pth", state)))
    sliced = [name for name, how in report.filled.items() if how == "sliced"]
    layers = [
        f"backbone.streams.{stream}.layer{layer}.0.{convolution}.weight"
        for stream in (0, 1)
        for layer in (2, 3, 4)
        for convolution in ("conv1", "downsample.0")
    ]
    assert sorted(sliced) == sorted(layers)
    total = len([name for name in state if "num_batches" not in name]) - 2  # without fc
    assert f"  backbone.streams.0: {total - 6} loaded, 6 sliced" in report.lines()
    assert f"  backbone.streams.2: {total} loaded" in report.lines()
    assert "zero" in report.lines()[-1]
    assert report.missing == ("head.fc.weight", "head.fc.bias")  # several streams, no file's fc
    clips = noise(1, 3, 4, 56, 56)
    with torch.no_grad():
        maps = streams.double().eval()(clips)
    for size, stream in zip(sizes, maps, strict=True):
        expected = stage_maps(state, resize_to(clips, (size, size)), depth)
        for ours, theirs in zip(stream, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    own = state["layer2.0.conv1.weight"].shape[1]
    widened = streams.streams[0].get_parameter("layer2.0.conv1.weight")
    assert widened.shape[1] == own * (3 if lateral == "all" else 2)
    assert torch.count_nonzero(widened[:, own:]) == 0


@pytest.mark.parametrize("depth", [18, 50])
def test_the_copy_of_the_last_stage_is_pretrained_like_it(tmp_path: Path, depth: int) -> None:
    config = ModelConfig(
        depth=depth, width=4, input_size=28, classifier="filter_bank", local_branch="stage"
    )
    state = make_state(depth, width=4)
    path = write(tmp_path / "r3d.pth", state)
    model = build_model(config, 3)
    report = load_pretrained(model, str(path))
    copied = {n: t for n, t in state.items() if n.startswith("layer4.") and "num_b" not in n}
    assert f"  head.local_branch.stage: {len(copied)} loaded" in report.lines()
    for name, tensor in copied.items():
        inner = name.removeprefix("layer4.")
        assert torch.equal(model.head.local_branch.stage.state_dict()[inner], tensor), name
    assert all(name.startswith(("head.global_branch.", "head.bank.")) for name in report.missing)

    # A network without a copy fills one with one, and one with a copy keeps what it has learned.
    plain = Classifier(ResNet3d(depth=depth, width=4), LinearHead(8, 3))
    plain.backbone.load_state_dict(model.backbone.state_dict())
    with torch.no_grad():
        model.head.local_branch.stage[0].conv1.weight += 1
    for name, trained in (("plain", plain), ("copy", model)):
        save_file(trained.state_dict(), tmp_path / f"{name}.safetensors", metadata={"lilliput": ""})
        ours = build_model(config, 3)
        load_pretrained(ours, str(tmp_path / f"{name}.safetensors"))
        source = plain.backbone.layer4 if name == "plain" else model.head.local_branch.stage
        weight = ours.head.local_branch.stage[0].conv1.weight
        assert torch.equal(weight, source[0].conv1.weight)


def test_a_file_without_the_last_stage_is_refused_for_its_copy_too(tmp_path: Path) -> None:
    state = {n: t for n, t in make_state(18, width=4).items() if "layer4.1.conv2" not in n}
    config = ModelConfig(width=4, input_size=28, classifier="filter_bank", local_branch="stage")
    with pytest.raises(CheckpointError, match=r"holds nothing for the model's .*layer4\.1\.conv2"):
        load_pretrained(build_model(config, 3), str(write(tmp_path / "r3d.pth", state)))


def test_pyramids_load_their_backbones(tmp_path: Path) -> None:
    path = write(tmp_path / "r3d.pth", make_state(18, width=4))
    streams = MultiScaleResNet3d((14, 28), width=4)
    for backbone, prefixes in (
        (ResNet3d(width=4), ("backbone.",)),
        (
            ConcatenatedStreams(streams),
            ("backbone.multiscale.streams.0.", "backbone.multiscale.streams.1."),
        ),
    ):
        model = Fpn(backbone, [LinearHead(8, 3) for _ in range(4)], channels=8)
        report = load_pretrained(model, str(path))
        assert report.backbones == prefixes
        assert len(report.filled) == 100 * len(prefixes)
        assert all(re.match(r"(pyramid|heads)\.", name) for name in report.missing)


def test_a_model_of_lilliput_is_a_source_too(tmp_path: Path) -> None:
    trained = single(18, 4, classes=3)
    path = tmp_path / "best.safetensors"
    save_file(trained.state_dict(), path, metadata={"lilliput": "{}"})
    model = single(18, 4, classes=3)
    report = load_pretrained(model, str(tmp_path))  # a run folder stands for its best model
    assert report.missing == report.unused == ()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, trained.state_dict()[name]), name

    other = load_pretrained(single(18, 4, classes=5), str(path))
    assert other.missing == ("head.fc.weight", "head.fc.bias")

    streams = MultiScaleResNet3d((14, 28), width=4)
    report = load_pretrained(Classifier(streams, SummedStreamsHead(32, 3)), str(path))
    assert len(report.backbones) == 2
    assert torch.equal(
        streams.streams[1].layer4[1].conv2.weight, trained.backbone.layer4[1].conv2.weight
    )


def test_a_model_without_public_weights_takes_one_of_its_kind(tmp_path: Path) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Conv3d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))

    trained, model = build(), build()
    save_file(trained.state_dict(), tmp_path / "m.safetensors", metadata={"lilliput": "{}"})
    load_pretrained(model, str(tmp_path / "m.safetensors"))
    assert torch.equal(model[0].weight, trained[0].weight)
