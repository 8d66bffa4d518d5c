"""Early stopping: when, what is told of it, and that resuming respects it."""

from pathlib import Path

import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.data import VideoDataset
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from tests.training.conftest import micro

SCORES = [0.2, 0.5, 0.4, 0.5, 0.9, 0.9]  # with a patience of 2, the fourth epoch is the last


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch reaches the score above, whatever the network says."""
    original = ActionModule.log

    def log(self: ActionModule, name: str, value: object, **options: object) -> None:
        score = SCORES[self.current_epoch] if name == "val_f1" else value
        original(self, name, score, **options)

    monkeypatch.setattr(ActionModule, "log", log)


def epochs_in(folder: Path) -> int:
    return len((folder / "history.csv").read_text().splitlines()) - 1


@pytest.mark.usefixtures("scored")
def test_a_run_stops_tells_why_and_stays_stopped(
    dataset: VideoDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = micro(epochs=6, patience=2)
    fit(config, dataset, tmp_path / "run")
    assert epochs_in(tmp_path / "run") == 4
    line = (
        "stopped after epoch 4 of 6: for 2 epochs val macro F1 was not above 0.5000 "
        "(training.patience = 2)\n"
    )
    assert capsys.readouterr().err.endswith(line)
    best = load_checkpoint(tmp_path / "run" / "best.safetensors")
    assert best.metrics["training"]["epoch"] == 2
    before = (tmp_path / "run" / "last.ckpt").read_bytes()
    fit(config, dataset, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "last.ckpt").read_bytes() == before


@pytest.mark.usefixtures("scored")
def test_an_interrupted_run_has_the_rest_of_its_patience_left(
    dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = ActionModule.training_step

    def broken(self: ActionModule, batch: object, batch_idx: int) -> object:
        if self.current_epoch == 3:
            raise RuntimeError
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(ActionModule, "training_step", broken)
        fit(micro(epochs=6, patience=2), dataset, tmp_path / "run")
    fit(micro(epochs=6, patience=2), dataset, tmp_path / "run", resume=True)
    assert epochs_in(tmp_path / "run") == 4


@pytest.mark.usefixtures("scored")
def test_the_last_epoch_is_no_early_stop(
    dataset: VideoDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(micro(epochs=4, patience=2), dataset, tmp_path / "run")
    assert epochs_in(tmp_path / "run") == 4
    assert "stopped" not in capsys.readouterr().err
