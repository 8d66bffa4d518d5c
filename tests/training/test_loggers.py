"""Every logger writes what a training logs, below the run folder, and nothing else."""

import csv
import sqlite3
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from lilliput.data import VideoDataset
from lilliput.errors import ConfigError
from lilliput.training import loggers
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from tests.training.conftest import micro

METRICS = {"train_loss_epoch", "val_loss", "val_f1", "val_map"}


def history(folder: Path) -> list[float]:
    with (folder / "history.csv").open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file)]


def logged(path: Path) -> list[float]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) >= METRICS
    return [float(row["val_loss"]) for row in rows if row["val_loss"]]


def test_csv_holds_the_history_and_a_resumed_run_adds_its_own(
    dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = micro(epochs=2, loggers=["csv"]), tmp_path / "run"
    original = ActionModule.training_step

    def broken(self: ActionModule, batch: object, batch_idx: int) -> object:
        if self.current_epoch == 1:
            raise RuntimeError
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(ActionModule, "training_step", broken)
        fit(config, dataset, run)
    fit(config, dataset, run, resume=True)
    parts = [logged(run / "csv" / f"version_{number}" / "metrics.csv") for number in range(2)]
    assert [len(part) for part in parts] == [1, 1]
    assert parts[0] + parts[1] == pytest.approx(history(run))
    assert not (run / "tensorboard").exists()


def test_a_run_without_loggers_keeps_its_history(dataset: VideoDataset, tmp_path: Path) -> None:
    fit(micro(epochs=1, loggers=[]), dataset, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir() if path.is_dir()} == set()
    assert len(history(tmp_path / "run")) == 1


def test_other_loggers_may_follow_a_run(dataset: VideoDataset, tmp_path: Path) -> None:
    fit(micro(epochs=1, loggers=[]), dataset, tmp_path / "run")
    fit(micro(epochs=1, loggers=["csv"]), dataset, tmp_path / "run", resume=True)


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_missing_package_is_named_with_its_extra_before_anything_starts(
    name: str, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for spec in (None, ModuleSpec(name, None)):  # nothing, or a folder of that name
        monkeypatch.setattr(loggers, "find_spec", lambda _, spec=spec: spec)
        with pytest.raises(ConfigError, match=rf"'{name}' needs .*'lilliput\[{name}\]'"):
            fit(micro(loggers=[name]), dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_mlflow_gets_metrics_and_recipe(dataset: VideoDataset, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    pytest.importorskip("alembic")
    fit(micro(epochs=1, loggers=["mlflow"]), dataset, tmp_path / "run")
    with sqlite3.connect(tmp_path / "run" / "mlflow" / "mlflow.db") as database:
        metrics = dict(database.execute("select key, value from metrics").fetchall())
        settings = dict(database.execute("select key, value from params").fetchall())
        runs = database.execute("select name, status from runs").fetchall()
    assert metrics["val_loss"] == pytest.approx(history(tmp_path / "run")[0])
    assert set(metrics) >= METRICS
    assert settings["training/epochs"] == "1"
    assert runs == [("run", "FINISHED")]


def test_wandb_runs_offline_one_for_each_training(
    dataset: VideoDataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wandb = pytest.importorskip("wandb")
    for name in ("one", "two"):
        fit(micro(epochs=1, loggers=["wandb"]), dataset, tmp_path / name)
        assert wandb.run is None
        wandb.teardown()  # waits until all is written
        files = list((tmp_path / name / "wandb").glob("offline-run-*/run-*.wandb"))
        assert len(files) == 1
        content = files[0].read_bytes()
        assert all(metric.encode() in content for metric in METRICS)
        assert b"learning_rate" in content  # of the recipe
    assert "wandb" not in capfd.readouterr().err


def test_tensorboard_is_written_by_default(dataset: VideoDataset, tmp_path: Path) -> None:
    fit(micro(epochs=1), dataset, tmp_path / "run")
    folders = {path.name for path in (tmp_path / "run").iterdir() if path.is_dir()}
    assert folders == {"tensorboard"}
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
