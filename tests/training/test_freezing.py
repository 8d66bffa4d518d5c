"""What is frozen stays bit for bit as it was pretrained, and what is not learns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import pytest
import torch

from lilliput.builders import build_model
from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, ModelConfig, parse_config
from lilliput.data import VideoDataset
from lilliput.training.fit import fit
from lilliput.training.freezing import Freezing
from lilliput.training.module import ActionModule
from tests.training.conftest import micro

STATISTICS = ("running_mean", "running_var")
State = dict[str, torch.Tensor]
Recipe = Callable[..., Config]


@pytest.fixture(scope="module")
def recipe(dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A pyramid that starts from one trained for an epoch."""

    def build(**training: object) -> Config:
        settings = micro(**training).model_dump()
        settings["model"].update(name="fpn", stochastic_depth=0.5)
        return parse_config(settings, "test")

    source = fit(build(epochs=1), dataset, tmp_path_factory.mktemp("runs") / "source")
    return lambda **training: build(pretrained=str(source), **training)


def read(path: Path) -> State:
    return without_counts(load_checkpoint(path).state)


def without_counts(state: Mapping[str, torch.Tensor]) -> State:
    """Counts of batches begin anew with each training."""
    return {name: tensor.clone() for name, tensor in state.items() if not name.endswith("_tracked")}


def changed(before: State, after: State) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_classifier_alone_learns_first_and_then_all(
    recipe: Recipe, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recipe(epochs=2, freeze_epochs=1, weight_decay=0.1)
    states: list[State] = []
    original = ActionModule.on_validation_epoch_start

    def keep(self: ActionModule) -> None:
        states.append(without_counts(self.model.state_dict()))
        original(self)

    monkeypatch.setattr(ActionModule, "on_validation_epoch_start", keep)
    fit(config, dataset, tmp_path / "run")
    before = read(Path(config.training.pretrained))
    frozen, free = (changed(before, state) for state in states)
    backbone = {name for name in before if name.startswith("backbone.")}
    assert frozen == set(before) - backbone
    assert free == set(before)


def test_a_run_resumes_on_either_side_of_the_thaw(
    recipe: Recipe, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recipe(epochs=4, freeze_epochs=2, freeze_batch_norm=True)
    fit(config, dataset, tmp_path / "whole")
    original = ActionModule.training_step
    for epoch in (1, 2, 3):

        def broken(self: ActionModule, batch: object, number: int, epoch: int = epoch) -> object:
            if self.current_epoch == epoch:
                raise RuntimeError
            return original(self, batch, number)

        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(ActionModule, "training_step", broken)
            fit(config, dataset, tmp_path / "broken", resume=epoch > 1)
    fit(config, dataset, tmp_path / "broken", resume=True)
    ours, theirs = (read(tmp_path / run / "last.safetensors") for run in ("broken", "whole"))
    assert changed(ours, theirs) == set()


def test_frozen_batch_normalisation_keeps_its_statistics_and_learns_its_factors(
    recipe: Recipe, dataset: VideoDataset, tmp_path: Path
) -> None:
    config = recipe(epochs=2, freeze_batch_norm=True)
    fit(config, dataset, tmp_path / "run")
    before = read(Path(config.training.pretrained))
    kept = set(before) - changed(before, read(tmp_path / "run" / "last.safetensors"))
    expected = {
        name for name in before if name.startswith("backbone.") and name.endswith(STATISTICS)
    }
    assert kept == expected


def test_a_frozen_front_end_stays_when_the_backbone_is_freed() -> None:
    settings = {"width": 4, "input_size": 28, "front_end": "sof_vsr", "front_end_frozen": True}
    model = build_model(ModelConfig.model_validate(settings), 3, 2)
    loss, training = torch.nn.BCEWithLogitsLoss(), micro(epochs=2).training
    module = ActionModule(model, loss, training, torch.zeros(1, 3, dtype=torch.bool))
    trainer = mock.Mock(current_epoch=1)
    Freezing(epochs=1).on_train_epoch_start(trainer, module)
    assert not any(weight.requires_grad for weight in model.enlarge.parameters())
    assert all(weight.requires_grad for weight in model.network.parameters())
