"""A run with every newer setting on resumes to the same weights, bit for bit."""

from pathlib import Path

import pytest
import torch

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, TrainingConfig, parse_config
from lilliput.data import VideoDataset
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from tests.training.conftest import micro

EPOCHS = 4
SETTINGS: dict[str, dict[str, object]] = {
    "sampling": {"method": "segment", "coverage": 0.7},
    "augment": {
        "short_side": (0.9, 1.3),
        "padding": 0.1,
        "rotation": 15.0,
        "contrast": 0.3,
        "mixup": 0.4,
        "cutmix": 1.0,
        "mixing": "adaptive",
        "crops_per_clip": 2,
        "repeated": 2,
    },
    "model": {"stochastic_depth": 0.3, "dropout": 0.2},
    "loss": {"label_smoothing": 0.1, "class_balance": 0.9, "logit_adjustment": 0.5},
    "training": {
        "epochs": EPOCHS,
        "passes": 2,
        "batch_size": 8,
        "optimizer": "sgd",
        "momentum": 0.8,
        "learning_rate": 0.02,
        "weight_decay": 0.01,
        "schedule": "cosine",
        "warmup": 0.25,
        "ema_decay": 0.7,
        "patience": EPOCHS,
        "balanced_sampling": True,
        "accumulate_batches": 2,
        "gradient_clip": 1.0,
        "loggers": [],
        "freeze_epochs": 1,
        "freeze_batch_norm": True,
        "layer_decay": 0.7,
        "teacher_weight": 0.3,
        "teacher_views": "same",
    },
}


@pytest.fixture(scope="module")
def config(dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory) -> Config:
    source = fit(micro(epochs=1), dataset, tmp_path_factory.mktemp("runs") / "source")
    settings = micro().model_dump()
    for section, values in SETTINGS.items():
        settings[section].update(values)
    settings["training"]["pretrained"] = str(source)
    settings["training"]["teacher"] = [str(source)]
    return parse_config(settings, "test")


@pytest.fixture(scope="module")
def whole(config: Config, dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    fit(config, dataset, folder)
    return folder


def test_every_newer_setting_is_on() -> None:
    known = set(SETTINGS["training"]) | {"milestones", "pretrained", "precision", "accelerator"}
    left = {name for name in TrainingConfig.model_fields if name not in known}
    # Features of a teacher do not go with mixed clips; test_distillation.py resumes with them.
    assert left == {"devices", "keep", "seed", "teacher", "teacher_features"}
    drawn = {"padding", "rotation", "contrast", "mixup", "cutmix", "crops_per_clip", "repeated"}
    assert drawn <= set(SETTINGS["augment"])


def test_an_interrupted_run_equals_a_whole_one(
    whole: Path,
    config: Config,
    dataset: VideoDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for epoch, hook in ((1, "training_step"), (2, "validation_step"), (3, "training_step")):
        original = getattr(ActionModule, hook)

        def broken(
            self: ActionModule,
            batch: object,
            number: int,
            epoch: int = epoch,
            original: object = original,
        ) -> object:
            if self.current_epoch == epoch and (number == 1 or self.trainer.validating):
                raise RuntimeError
            return original(self, batch, number)  # type: ignore[operator]

        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(ActionModule, hook, broken)
            fit(config, dataset, tmp_path / "run", resume=epoch > 1)
    fit(config, dataset, tmp_path / "run", resume=True)
    for name in ("last", "best"):
        ours, theirs = (
            load_checkpoint(run / f"{name}.safetensors").state for run in (tmp_path / "run", whole)
        )
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert torch.equal(ours[key], theirs[key]), (name, key)
    assert (tmp_path / "run" / "history.csv").read_text() == (whole / "history.csv").read_text()


def test_the_run_learned(whole: Path, config: Config) -> None:
    before = load_checkpoint(config.training.pretrained).state
    after = load_checkpoint(whole / "last.safetensors").state
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert moved >= {name for name in before if not name.endswith(statistics)}
