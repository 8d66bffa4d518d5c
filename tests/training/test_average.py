"""The average of the weights: its formula, and that it is what a run validates and keeps."""

from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch

from lilliput.checkpoint import load_checkpoint
from lilliput.config import parse_config
from lilliput.data import VideoDataset
from lilliput.training.average import WeightAverage
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from tests.training.conftest import micro

DECAY = 0.4


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_average_is_the_formula_and_is_validated_and_kept(
    dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accumulate: int
) -> None:
    expected: dict[str, torch.Tensor] = {}
    current: dict[str, torch.Tensor] = {}
    steps = 0
    validated = []

    def state(module: ActionModule) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in module.model.state_dict().items()}

    original_end = WeightAverage.on_train_batch_end
    original_validation = ActionModule.validation_step

    def follow(
        self: WeightAverage, trainer: pl.Trainer, module: ActionModule, *arguments: object
    ) -> None:
        nonlocal steps
        current.update(state(module))
        if trainer.global_step > steps:
            decay = min(DECAY, (1 + steps) / (10 + steps))
            for name, tensor in current.items():
                mixed = decay * expected[name] + (1 - decay) * tensor
                expected[name] = mixed if tensor.is_floating_point() else tensor
            steps = trainer.global_step
        original_end(self, trainer, module, *arguments)

    def validate(self: ActionModule, *arguments: object) -> None:
        validated.append(state(self))
        original_validation(self, *arguments)

    def begin(self: WeightAverage, trainer: pl.Trainer, module: ActionModule) -> None:
        expected.update(state(module))

    monkeypatch.setattr(WeightAverage, "on_train_batch_end", follow)
    monkeypatch.setattr(ActionModule, "validation_step", validate)
    monkeypatch.setattr(WeightAverage, "on_fit_start", begin, raising=False)
    config = micro(ema_decay=DECAY, accumulate_batches=accumulate)
    fit(config, dataset, tmp_path / "run")
    assert steps == {1: 9, 2: 6}[accumulate]  # three batches an epoch
    kept = dict(load_checkpoint(tmp_path / "run" / "last.safetensors").state)
    for found in (kept, validated[-1]):
        torch.testing.assert_close(found, expected)
    assert any(not torch.equal(kept[name], current[name]) for name in kept)


def test_without_decay_the_run_keeps_the_weights_themselves(
    uninterrupted: Path, dataset: VideoDataset, tmp_path: Path
) -> None:
    # A decay so small keeps nothing of the average: it is the network itself.
    settings = micro(ema_decay=1e-12).model_dump()
    fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    for name in ("last", "best"):
        ours = load_checkpoint(tmp_path / "run" / f"{name}.safetensors").state
        theirs = load_checkpoint(uninterrupted / f"{name}.safetensors").state
        torch.testing.assert_close(dict(ours), dict(theirs))
    history = [run / "history.csv" for run in (tmp_path / "run", uninterrupted)]
    assert history[0].read_text() == history[1].read_text()


def test_a_run_with_an_average_resumes_to_the_same_one(
    dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = micro(ema_decay=0.5)
    fit(config, dataset, tmp_path / "whole")
    original = ActionModule.training_step

    def broken(self: ActionModule, batch: object, batch_idx: int) -> object:
        if self.current_epoch == 2:
            raise RuntimeError
        return original(self, batch, batch_idx)

    monkeypatch.setattr(ActionModule, "training_step", broken)
    with pytest.raises(RuntimeError):
        fit(config, dataset, tmp_path / "broken")
    monkeypatch.undo()
    fit(config, dataset, tmp_path / "broken", resume=True)
    for name in ("last", "best"):
        ours, theirs = (
            load_checkpoint(tmp_path / run / f"{name}.safetensors").state
            for run in ("broken", "whole")
        )
        for key in theirs:
            assert torch.equal(ours[key], theirs[key]), (name, key)
