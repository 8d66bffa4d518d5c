import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.builders import (
    build_evaluation_sampler,
    build_evaluation_transform,
    build_model,
)
from lilliput.checkpoint import load_checkpoint, save_checkpoint
from lilliput.config import Config, change_settings
from lilliput.data import LabelSet, VideoDataset
from lilliput.data.loading import FrameSource
from lilliput.errors import ConfigError
from lilliput.training.distillation import SCORES_FILE, blend, score_fixed
from lilliput.training.fit import fit
from lilliput.training.teachers import ViewTeacher, feature_loss
from tests.training.conftest import interrupt_in_epoch_2, micro


@pytest.fixture(scope="module")
def teacher(uninterrupted: Path) -> str:
    return str(uninterrupted / "best.safetensors")


def _with_teacher(teacher: str, *settings: str) -> Config:
    return change_settings(micro(), [f"training.teacher={teacher}", *settings])


def _states_equal(first: Path, second: Path) -> bool:
    ours, theirs = (
        load_checkpoint(folder / "last.safetensors").state for folder in (first, second)
    )
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_blended_targets_give_the_sum_of_two_cross_entropies() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, generator=generator)
    targets = torch.eye(4)[torch.randint(4, (5,), generator=generator)]
    scores = torch.randn(5, 4, generator=generator).softmax(dim=1)
    for loss in (
        torch.nn.functional.cross_entropy,
        torch.nn.functional.binary_cross_entropy_with_logits,
    ):
        both = 0.7 * loss(logits, targets) + 0.3 * loss(logits, scores)
        torch.testing.assert_close(loss(logits, blend(targets, scores, 0.3)), both)


def test_fixed_scores_are_the_mean_over_flips_with_sides_exchanged(
    teacher: str, dataset: VideoDataset
) -> None:
    checkpoint = load_checkpoint(teacher)
    mirrored = LabelSet(dataset.labels.class_names, ((0, 1),))
    config = _with_teacher(teacher, "task=single")
    source = FrameSource(dataset.split("train"))
    scores = score_fixed([checkpoint], source, config, mirrored)
    assert scores.shape == (10, 2)
    frames = source.read(3)[:]
    picks = build_evaluation_sampler(checkpoint.config, num_clips=1)(len(frames))[0]
    transform = build_evaluation_transform(checkpoint.config, checkpoint.normalisation)
    clip = transform(frames[picks])[None]
    model = checkpoint.build_model()
    with torch.inference_mode():
        plain, flipped = (model(view).softmax(dim=1)[0] for view in (clip, clip.flip(-1)))
    np.testing.assert_allclose(scores[3], (plain + flipped.flip(0)) / 2, atol=1e-5)


def test_a_teacher_of_weight_0_changes_nothing(
    teacher: str, dataset: VideoDataset, uninterrupted: Path, tmp_path: Path
) -> None:
    fit(_with_teacher(teacher, "training.teacher_weight=0.0"), dataset, tmp_path / "run")
    assert _states_equal(uninterrupted, tmp_path / "run")


@pytest.mark.parametrize(
    "settings",
    [
        ("training.teacher_weight=0.8",),
        ("training.teacher_views=same",),
        ("training.teacher_views=same", "training.teacher_features=0.5"),
        ("augment.mixup=0.4",),
    ],
)
def test_a_run_with_a_teacher_resumes_bit_for_bit(
    settings: tuple[str, ...],
    teacher: str,
    dataset: VideoDataset,
    uninterrupted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = _with_teacher(teacher, *settings)
    fit(config, dataset, tmp_path / "whole")
    assert not _states_equal(uninterrupted, tmp_path / "whole")  # the teacher had its say
    interrupt_in_epoch_2(config, dataset, tmp_path / "part", monkeypatch)
    fit(config, dataset, tmp_path / "part", resume=True)
    assert _states_equal(tmp_path / "part", tmp_path / "whole")


def test_fixed_scores_are_kept_for_a_resume(
    teacher: str, dataset: VideoDataset, tmp_path: Path
) -> None:
    fit(_with_teacher(teacher, "training.epochs=1"), dataset, tmp_path / "run")
    with np.load(tmp_path / "run" / SCORES_FILE, allow_pickle=False) as saved:
        assert saved["scores"].shape == (10, 2)
        np.testing.assert_allclose(saved["scores"].sum(axis=1), 1, atol=1e-5)


def test_fixed_scores_of_other_flips_or_clips_are_not_taken(
    teacher: str, dataset: VideoDataset, tmp_path: Path
) -> None:
    def begin(config: Config, clips: VideoDataset) -> np.ndarray:
        fit(config, clips, tmp_path / "run")
        for name in ("last.ckpt", "best.safetensors", "last.safetensors"):
            (tmp_path / "run" / name).unlink()  # as where the first epoch was interrupted
        with np.load(tmp_path / "run" / SCORES_FILE, allow_pickle=False) as saved:
            scores: np.ndarray = saved["scores"]
            return scores

    config = _with_teacher(teacher, "training.epochs=1", "augment.horizontal_flip=0.5")
    first = begin(config, dataset)
    np.testing.assert_array_equal(begin(config, dataset), first)
    plain = begin(change_settings(config, ["augment.horizontal_flip=0.0"]), dataset)
    assert not np.allclose(plain, first, atol=1e-6)
    turned = {**dataset.splits, "train": dataset.split("train")[::-1]}
    others = begin(config, replace(dataset, splits=turned))
    np.testing.assert_allclose(others, first[::-1], atol=1e-5)


def test_teachers_are_averaged_and_not_trained(teacher: str) -> None:
    checkpoint = load_checkpoint(teacher)
    torch.manual_seed(1)
    other = build_model(checkpoint.config.model, 2)
    models = [checkpoint.build_model(), other]
    clips = torch.randn(3, *checkpoint.clip_shape)
    scores, features = ViewTeacher(models, "single", with_features=True)(clips)
    expected = torch.stack([model.eval()(clips).softmax(dim=1) for model in models]).mean(dim=0)
    torch.testing.assert_close(scores, expected)
    assert features is not None and features.shape == (3, 32)
    assert not scores.requires_grad
    assert not any(parameter.requires_grad for parameter in other.parameters())


def test_the_loss_of_features_is_a_cosine() -> None:
    angle = torch.tensor(0.7)
    ours = torch.tensor([[1.0, 0.0]])
    theirs = torch.stack([angle.cos(), angle.sin()])[None] * 5
    assert float(feature_loss(ours, theirs)) == pytest.approx(1 - math.cos(0.7), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"labels": LabelSet.from_names(["bright", "dim"])}, (), "class 'dim' is in one of them"),
        ({"labels": LabelSet.from_names(["dark", "bright"])}, (), "their order differs"),
        ({"task": "multi"}, (), "was trained with task = 'multi'"),
        (
            {},
            ("training.teacher_views=same", "sampling.num_frames=8"),
            "takes 4 frames, not 8; set training.teacher_views = 'fixed'",
        ),
        (
            {},
            ("training.teacher_views=same", "augment.enabled=false"),
            "has no effect without augment.enabled",
        ),
        (
            {},
            ("training.teacher_views=same", "training.teacher_features=1.0", "model.width=8"),
            "has 64 features, .* has 32",
        ),
    ],
)
def test_unfit_teachers_are_refused_before_anything_is_decoded(
    change: dict[str, object],
    settings: tuple[str, ...],
    message: str,
    teacher: str,
    dataset: VideoDataset,
    tmp_path: Path,
) -> None:
    checkpoint = load_checkpoint(teacher)
    if "task" in change:
        config = checkpoint.config.model_copy(update={"task": change["task"]})
        change = {"config": config}
    save_checkpoint(replace(checkpoint, **change), tmp_path / "teacher.safetensors")
    config = _with_teacher(str(tmp_path / "teacher.safetensors"), *settings)
    emptied = replace(  # clips that cannot be read would be told otherwise
        dataset,
        splits={
            name: [replace(clip, path=Path("/nowhere.mp4")) for clip in clips]
            for name, clips in dataset.splits.items()
        },
    )
    with pytest.raises(ConfigError, match=message):
        fit(config, emptied, tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("augment.mixup=0.2",), "does not go with augment"),
        (("model.classifier=filter_bank", "loss.branches=true"), r"not go with loss\.branches"),
    ],
)
def test_features_that_could_not_be_compared_are_refused(
    settings: tuple[str, ...], message: str, teacher: str
) -> None:
    features = ("training.teacher_views=same", "training.teacher_features=1.0")
    with pytest.raises(ConfigError, match=message):
        _with_teacher(teacher, *features, *settings)
