"""The whole model: what every network of the project does, as far as it applies."""

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="the extra lilliput[idt] is not installed")

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import Config, parse_config
from lilliput.data import LabelSet
from lilliput.errors import ConfigError
from lilliput.models.facts import measure_facts
from lilliput.models.idt import flow
from lilliput.models.idt.classifier import Idt, subvolume_members
from lilliput.models.idt.extraction import TrajectoryExtractor, to_brightness
from lilliput.models.pooled import forward_pooled
from lilliput.video.normalisation import KINETICS, SYMMETRIC


def recipe(**idt: object) -> Config:
    settings = {"trajectory_length": 4, "gaussians": 3, "step": 4, "patch": 8, **idt}
    return parse_config(
        {
            "sampling": {"num_frames": 8},
            "augment": {"enabled": False},
            "model": {"name": "idt", "input_size": 28, "idt": settings},
        },
        source="test",
    )


def build(**idt: object) -> Idt:
    torch.manual_seed(0)
    model = build_model(recipe(**idt).model, num_classes=3, num_frames=8)
    assert isinstance(model, Idt)
    return model.eval()


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    """Two clips of smooth noise that moves."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(2, 1, 1, 20, 20, generator=generator)
    large = torch.nn.functional.interpolate(noise[:, 0], (48, 48), mode="bicubic")
    moved = [large[..., n : n + 28, 2 * n : 2 * n + 28] for n in range(8)]
    return torch.stack(moved, dim=2).expand(2, 3, 8, 28, 28)


@pytest.mark.parametrize("stacked", [False, True])
@torch.no_grad()
def test_logits_of_a_clip_depend_on_nothing_else(clips: torch.Tensor, stacked: bool) -> None:
    model = build(stacked=stacked).double()
    together = model(clips.double())
    assert together.dtype == torch.float64
    assert torch.equal(model(clips.double()), together)
    torch.testing.assert_close(together, torch.cat([model(clip[None]) for clip in clips]))
    assert not torch.allclose(together[0], together[1])


@torch.no_grad()
def test_logits_are_linear_in_the_features(clips: torch.Tensor) -> None:
    model = build()
    logits, features = forward_pooled(model, clips)
    torch.testing.assert_close(logits, model(clips))
    torch.testing.assert_close(model.fc(features), logits)
    parts = features.split([encoder.out_features for encoder in model.fisher.values()], dim=1)
    assert len(parts) == 5
    for part in parts:
        torch.testing.assert_close(part.norm(dim=1), torch.ones(2))


def test_its_parameters_get_a_gradient(clips: torch.Tensor) -> None:
    model = build()
    model(clips).square().sum().backward()
    assert {name for name, _ in model.named_parameters()} == {"fc.weight", "fc.bias"}
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize("stacked", [False, True])
@torch.no_grad()
def test_a_checkpoint_holds_all_of_the_model(
    clips: torch.Tensor, stacked: bool, tmp_path: Path
) -> None:
    model = build(stacked=stacked)
    checkpoint = Checkpoint(
        state=model.state_dict(),
        config=recipe(stacked=stacked),
        labels=LabelSet.from_names(["a", "b", "c"]),
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.5, 0.5, 0.5),
    )
    save_checkpoint(checkpoint, tmp_path / "model.safetensors")
    loaded = load_checkpoint(tmp_path / "model.safetensors").build_model()
    assert torch.equal(loaded(clips), model(clips))


@torch.no_grad()
def test_how_clips_are_normalised_does_not_matter(clips: torch.Tensor) -> None:
    frames = (255 * clips[0].clamp(0, 1)).to(torch.uint8).transpose(0, 1)
    brightness = [to_brightness(kind(frames)) for kind in (SYMMETRIC, KINETICS)]
    assert np.abs(brightness[0].astype(int) - brightness[1]).max() <= 1
    assert brightness[0].min() == 0
    assert brightness[0].max() == 255
    assert not to_brightness(torch.ones(3, 2, 4, 4)).any()


@torch.no_grad()
def test_a_clip_in_which_nothing_moves_has_the_offsets(clips: torch.Tensor) -> None:
    model = build(stacked=True)
    torch.testing.assert_close(model(torch.zeros(1, 3, 8, 28, 28))[0], model.fc.bias)
    torch.testing.assert_close(model(clips[:, :, :3])[0], model.fc.bias)  # too short


def test_shapes_are_known_without_computing() -> None:
    model = build(stacked=True)
    logits = build(stacked=True).to("meta")(torch.empty(2, 3, 8, 28, 28, device="meta"))
    assert logits.shape == (2, 3)
    facts = measure_facts(model, (3, 8, 28, 28))
    assert facts.parameters == model.fc.weight.numel() + 3


def test_stacked_vectors_are_of_subvolumes(clips: torch.Tensor) -> None:
    model = build(stacked=True)
    described = model.describe(clips[0])
    members = subvolume_members(torch.from_numpy(described.centers))
    vectors = model.encode_subvolumes(described)
    assert 1 < len(vectors) == len(members) <= 27
    chosen = members[0].numpy()
    alone = type(described)(
        {name: values[chosen] for name, values in described.descriptors.items()},
        described.centers[chosen],
    )
    plain = build().encode(alone)  # the same seed, the same codebooks
    torch.testing.assert_close(vectors[0], plain)
    whole = model.encode(described)
    torch.testing.assert_close(whole[: len(plain)], build().encode(described))


def test_subvolumes_overlap_by_half() -> None:
    middle = subvolume_members(torch.tensor([[0.5, 0.5, 0.5]]))
    assert len(middle) == 27
    corner = subvolume_members(torch.tensor([[0.1, 0.1, 0.9], [0.6, 0.6, 0.6]]))
    assert corner.sum(dim=1).tolist().count(2) == 0
    assert corner[:, 0].sum() == 1
    assert corner[:, 1].sum() == 8


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(ConfigError, match=r"need OpenCV: pip install 'lilliput\[idt\]'"):
        build()
    with pytest.raises(ConfigError, match="need OpenCV"):
        flow.import_cv2()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": {"num_frames": 15}}, "trajectory_length = 15: needs sampling.num_frames"),
        ({"augment": {}}, "has no use for augment.enabled; leave it out"),
        ({"training": {"pretrained": "people"}}, "no use for training.pretrained"),
        ({"training": {"teacher": ["people"]}}, "no use for training.teacher"),
        ({"training": {"ema_decay": 0.9}}, "no use for training.ema_decay"),
        ({"loss": {"label_smoothing": 0.1}}, "no use for loss.label_smoothing"),
        ({"model": {"normalisation": "motion"}}, "no use for model.normalisation = 'motion'"),
        ({"model": {"dropout": 0.5}}, "model.dropout = 0.5 has no effect on idt"),
        ({"model": {"depth": 50}}, "model.depth = 50 has no effect on idt"),
        ({"model": {"idt": {"flow": "tvl1"}}}, "input should be 'farneback' or 'dis'"),
        ({"model": {"idt": {"gausians": 1}}}, "nearest is 'model.idt.gaussians'"),
    ],
)
def test_what_has_no_effect_is_refused(
    settings: dict[str, dict[str, object]], message: str
) -> None:
    whole = {"augment": {"enabled": False}, **settings}
    whole["model"] = {"name": "idt", **settings.get("model", {})}
    with pytest.raises(ConfigError) as caught:
        parse_config(whole, "test")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_networks_have_no_such_settings() -> None:
    with pytest.raises(ConfigError, match=r"model.idt = .* has no effect on resnet3d"):
        parse_config({"model": {"idt": {"gaussians": 64}}}, "test")


def test_scales_shrink_until_too_small() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (6, 16, 16)).astype(np.uint8)
    settings = {"length": 3, "step": 2, "min_motion": 0.0, "compensate_camera": False}
    counts = [len(TrajectoryExtractor(**settings, scales=scales)(frames)) for scales in (1, 2, 4)]
    assert counts[0] == counts[1] == counts[2] > 0  # 16 px and then 11 px
