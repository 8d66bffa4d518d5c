"""The training procedure: what it writes, that it learns, and that it survives."""

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, parse_config
from lilliput.data import LabelSet, VideoDataset, read_dataset
from lilliput.errors import CheckpointError, ConfigError, TrainingError
from lilliput.evaluation.evaluate import score_split
from lilliput.evaluation.history import read_history
from lilliput.losses import BinaryCrossEntropy, CrossEntropy
from lilliput.scoring import samples_f1
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from lilliput.training.recorder import RunRecorder, write_history
from tests.training.conftest import interrupt_in_epoch_2


def changed(config: Config, **training: object) -> Config:
    settings = config.model_dump()
    settings["training"].update(training)
    return parse_config(settings, "test")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder / "last.safetensors").state)


def assert_equal_bit_for_bit(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


# Runs `fit` and dies by SIGKILL at a given call of a given function, as a power cut would.
KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from lilliput.config import parse_config
from lilliput.data import read_dataset
from lilliput.training import fit as fit_module, module, recorder
import json

root, folder, target, calls = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
owner, name = {
    "step": (module.ActionModule, "training_step"),
    "validation": (module.ActionModule, "validation_step"),
    "save": (recorder.AtomicCheckpointIO, "save_checkpoint"),
}[target]
original, count = getattr(owner, name), 0

def dying(*arguments, **options):
    global count
    count += 1
    if count == calls:
        if target == "save":  # half a file, then death
            Path(arguments[2]).with_name(".last.ckpt.partial").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

setattr(owner, name, dying)
fit_module.fit(parse_config(json.loads(sys.argv[5]), "test"), read_dataset(root), folder)
"""


def test_run_folder_holds_everything(uninterrupted: Path, dataset: VideoDataset) -> None:
    for name in ("curves.png", "last.ckpt", "best.safetensors", "tensorboard", "environment.json"):
        assert (uninterrupted / name).exists(), name
    settings = json.loads((uninterrupted / "config.json").read_text())
    assert settings["training"]["epochs"] == 3
    with (uninterrupted / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    several = {"val_samples_f1"}  # of clips with several labels
    assert all(
        math.isfinite(float(value)) != (name in several)
        for row in rows
        for name, value in row.items()
    )
    checkpoint = load_checkpoint(uninterrupted / "best.safetensors")
    best = max(float(row["val_f1"]) for row in rows)
    assert checkpoint.metrics["training"]["val_f1"] == pytest.approx(best)
    assert checkpoint.labels == dataset.labels
    assert checkpoint.clip_seconds == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("target", "calls"), [("step", 2), ("step", 5), ("validation", 2), ("save", 2)]
)
def test_killed_training_resumes_to_the_same_weights(
    uninterrupted: Path,
    config: Config,
    dataset: VideoDataset,
    tmp_path: Path,
    target: str,
    calls: int,
) -> None:
    folder = tmp_path / "killed"
    arguments = [str(dataset.root), str(folder), target, str(calls), config.model_dump_json()]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    fit(config, dataset, folder, resume=True)
    assert_equal_bit_for_bit(folder, uninterrupted)
    assert (folder / "history.csv").read_text() == (uninterrupted / "history.csv").read_text()


def test_ctrl_c_keeps_finished_epochs_and_resumes(
    uninterrupted: Path,
    config: Config,
    dataset: VideoDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupt_in_epoch_2(config, dataset, tmp_path / "run", monkeypatch)
    fit(config, dataset, tmp_path / "run", resume=True)
    assert_equal_bit_for_bit(tmp_path / "run", uninterrupted)


def test_workers_do_not_change_the_result(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = config.model_dump()
    settings["data"].update(workers=2, cache_gib=0.0)
    fit(parse_config(settings, "test"), dataset, tmp_path / "workers")
    assert_equal_bit_for_bit(tmp_path / "workers", uninterrupted)


def test_another_seed_gives_other_weights(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    fit(changed(config, seed=2), dataset, tmp_path / "other")
    ours, theirs = weights(uninterrupted), weights(tmp_path / "other")
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_it_learns_dark_from_bright(config: Config, dataset: VideoDataset, tmp_path: Path) -> None:
    settings = config.model_dump()
    settings["augment"]["enabled"] = False
    settings["training"].update(epochs=30, learning_rate=1e-2)
    fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    checkpoint = load_checkpoint(tmp_path / "run" / "best.safetensors")
    assert checkpoint.metrics["training"]["val_f1"] == 1.0


def test_resuming_a_finished_run_changes_nothing(
    uninterrupted: Path, config: Config, dataset: VideoDataset
) -> None:
    before = (uninterrupted / "last.safetensors").read_bytes()
    fit(config, dataset, uninterrupted, resume=True)
    assert (uninterrupted / "last.safetensors").read_bytes() == before


def test_a_taken_folder_is_refused(
    uninterrupted: Path, config: Config, dataset: VideoDataset
) -> None:
    with pytest.raises(TrainingError, match="--resume"):
        fit(config, dataset, uninterrupted)


def test_other_settings_are_refused_on_resume(
    uninterrupted: Path, config: Config, dataset: VideoDataset
) -> None:
    with pytest.raises(TrainingError, match=r"training\.learning_rate"):
        fit(changed(config, learning_rate=0.5), dataset, uninterrupted, resume=True)


def test_another_data_set_is_refused_on_resume(
    uninterrupted: Path, config: Config, dataset: VideoDataset
) -> None:
    other = replace(dataset, labels=LabelSet.from_names(["bright", "grey"]))
    with pytest.raises(TrainingError, match="began with other classes"):
        fit(config, other, uninterrupted, resume=True)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("data", "train", "val"), ("training", "devices", 2)],
)
def test_what_changes_the_weights_is_refused_on_resume(
    uninterrupted: Path,
    config: Config,
    dataset: VideoDataset,
    section: str,
    key: str,
    value: object,
) -> None:
    settings = config.model_dump()
    settings[section][key] = value
    with pytest.raises(TrainingError, match=rf"began with {section}\.{key}"):
        fit(parse_config(settings, "test"), dataset, uninterrupted, resume=True)


def test_a_non_finite_loss_stops_the_run_and_keeps_the_last_good_model(
    config: Config, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    original = CrossEntropy.forward

    def failing(self: CrossEntropy, *arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return original(self, *arguments) * (math.nan if calls == 6 else 1)

    monkeypatch.setattr(CrossEntropy, "forward", failing)
    with pytest.raises(TrainingError, match=r"no number in epoch 2.*learning_rate"):
        fit(config, dataset, tmp_path / "run")
    state = weights(tmp_path / "run")
    assert all(torch.isfinite(weight).all() for weight in state.values())
    monkeypatch.undo()
    fit(config, dataset, tmp_path / "run", resume=True)  # and it can go on


def test_a_bad_clip_is_skipped_and_listed(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    root = shutil.copytree(dataset.root, tmp_path / "clips")
    damaged = read_dataset(root)
    bad = damaged.splits["train"][0].path
    bad.write_bytes(b"not a video")
    fit(changed(config, epochs=1), damaged, tmp_path / "run")
    lines = (tmp_path / "run" / "unreadable.txt").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"train: {bad}")


def test_half_precision_on_a_cpu_is_refused(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"training\.precision"):
        fit(changed(config, precision="bf16"), dataset, tmp_path / "run")


def test_a_loss_of_another_task_is_refused(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = config.model_dump()
    settings["loss"]["name"] = "bce"
    with pytest.raises(ConfigError, match=r"loss\.name = 'bce'"):
        fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_validation_loss_is_not_smoothed(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    losses = []
    for smoothing in (0.0, 0.9):
        # At such a rate the networks stay the same.
        settings = changed(config, epochs=1, learning_rate=1e-12).model_dump()
        settings["loss"]["label_smoothing"] = smoothing
        checkpoint = load_checkpoint(
            fit(parse_config(settings, "test"), dataset, tmp_path / f"{smoothing}")
        )
        losses.append(checkpoint.metrics["training"])
    assert losses[0]["val_loss"] == pytest.approx(losses[1]["val_loss"], abs=1e-6)
    assert losses[0]["train_loss"] != pytest.approx(losses[1]["train_loss"], abs=1e-3)


def test_class_balance_options_run(config: Config, dataset: VideoDataset, tmp_path: Path) -> None:
    settings = changed(config, balanced_sampling=True, accumulate_batches=2, epochs=1).model_dump()
    settings["task"] = "multi"
    settings["loss"].update(name="bce", positive_weights=True)
    fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_a_run_starts_from_pretrained_weights_once(
    uninterrupted: Path,
    config: Config,
    dataset: VideoDataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = uninterrupted / "best.safetensors"
    # At such a rate nothing but batch normalisation's statistics moves visibly.
    settings = changed(config, pretrained=str(source), learning_rate=1e-12, epochs=1)
    fit(settings, dataset, tmp_path / "run")
    pretrained = load_checkpoint(source).state
    for name, tensor in weights(tmp_path / "run").items():
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            torch.testing.assert_close(tensor, pretrained[name], rtol=0, atol=1e-6)
    assert f"pretrained: {source}" in capsys.readouterr().err
    fit(settings, dataset, tmp_path / "run", resume=True)
    assert "pretrained" not in capsys.readouterr().err


def test_a_run_of_before_there_were_tasks_is_refused(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    settings = json.loads((run / "config.json").read_text())
    del settings["task"]
    (run / "config.json").write_text(json.dumps(settings))
    with pytest.raises(TrainingError, match="began with an older Lilliput; go on with that one"):
        fit(config, dataset, run, resume=True)


def test_a_torn_settings_file_does_not_end_a_run(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    """A kill cannot tear it any more; what an older Lilliput or a full disk left is mended."""
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    whole = (run / "config.json").read_bytes()
    (run / "config.json").write_bytes(whole[:100])
    fit(config, dataset, run, resume=True)
    assert (run / "config.json").read_bytes() == whole


def test_a_state_of_another_kind_is_refused_and_not_executed(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    torch.save({"state_dict": Path("a pickled object")}, run / "last.ckpt")
    with pytest.raises(TrainingError, match=r"last\.ckpt: damaged; remove it"):
        fit(config, dataset, run, resume=True)


def test_a_run_starts_from_a_shipped_model_by_name(
    config: Config, dataset: VideoDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = changed(config, pretrained="synthetic", learning_rate=1e-12, epochs=1).model_dump()
    settings["model"] = load_checkpoint("synthetic").config.model.model_dump()
    fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    name = "backbone.conv1.weight"
    found, shipped = weights(tmp_path / "run")[name], load_checkpoint("synthetic").state[name]
    torch.testing.assert_close(found, shipped, rtol=0, atol=1e-6)
    assert "a model trained by Lilliput" in capsys.readouterr().err


def test_pretrained_weights_of_another_network_are_refused(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = changed(config, pretrained=str(uninterrupted)).model_dump()
    settings["model"]["width"] = 8
    with pytest.raises(CheckpointError, match=r"conv1\.weight is 4 x 3 x 7 x 7 x 7"):
        fit(parse_config(settings, "test"), dataset, tmp_path / "run")


def test_without_a_validation_split_the_last_epoch_is_the_best(
    config: Config, dataset: VideoDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config.model_dump()
    settings["data"]["val"] = ""
    alone = replace(dataset, splits={"train": dataset.split("train")})
    best = load_checkpoint(fit(parse_config(settings, "test"), alone, tmp_path / "run"))
    last = weights(tmp_path / "run")
    assert all(torch.equal(best.state[name], tensor) for name, tensor in last.items())
    assert best.metrics["training"]["epoch"] == 3
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["val_f1"] for row in rows] == ["nan"] * 3
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("epoch 3/3: loss ") and "val" not in line for line in lines)


def test_a_validation_split_bears_on_no_weight(
    uninterrupted: Path, config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = config.model_dump()
    settings["data"]["val"] = ""
    fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    assert_equal_bit_for_bit(tmp_path / "run", uninterrupted)


def test_a_loss_out_of_bounds_is_noticed_without_a_validation_split(
    config: Config, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.model_dump()
    settings["data"]["val"] = ""
    original = ActionModule._loss_of

    def infinite(self: ActionModule, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        loss, logits = original(self, *batch)
        return (loss * math.inf if self.current_epoch == 1 else loss), logits

    monkeypatch.setattr(ActionModule, "_loss_of", infinite)
    with pytest.raises(TrainingError, match="the loss of epoch 2 is infinite or no number"):
        fit(parse_config(settings, "test"), dataset, tmp_path / "run")
    assert load_checkpoint(tmp_path / "run").metrics["training"]["epoch"] == 1


def test_an_ensemble_is_not_trained_as_one_network(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = config.model_dump()
    settings["model"]["members"] = 3
    with pytest.raises(ConfigError, match=r"model\.members = 3: an ensemble's members are trained"):
        fit(parse_config(settings, "test"), dataset, tmp_path / "run")


def test_the_last_epoch_can_be_kept(
    config: Config, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ActionModule.log

    def falling(self: ActionModule, name: str, value: object, **options: object) -> None:
        log(self, name, 0.5 - 0.1 * self.current_epoch if name == "val_f1" else value, **options)

    monkeypatch.setattr(ActionModule, "log", falling)
    kept = {}
    for keep in ("best", "last"):
        fit(changed(config, keep=keep, epochs=2), dataset, tmp_path / keep)
        best = load_checkpoint(tmp_path / keep / "best.safetensors")
        kept[keep] = best.metrics["training"]["epoch"]
        last = load_checkpoint(tmp_path / keep / "last.safetensors")
        assert all(torch.equal(best.state[n], last.state[n]) for n in last.state) == (
            keep == "last"
        )
    assert kept == {"best": 1, "last": 2}


@pytest.mark.parametrize("task", ["multi", "single"])
def test_validation_takes_all_clips_of_a_video_where_evaluation_does(
    config: Config, dataset: VideoDataset, tmp_path: Path, task: str
) -> None:
    settings = config.model_dump()
    settings["task"] = task
    settings["sampling"] = {"method": "random", "num_frames": 2, "evaluation": "all"}
    settings["training"]["epochs"] = 1
    settings["evaluation"] = {"batch_size": 2}  # less than the three clips of a video
    settings["augment"] = {"rand_augment_operations": 0}
    settings = parse_config(settings, "test")
    model = load_checkpoint(fit(settings, dataset, tmp_path / "run"))
    scored = score_split(model, dataset, "val")
    metrics = model.metrics["training"]
    if task == "multi":
        assert metrics["val_samples_f1"] == pytest.approx(samples_f1(scored.scores, scored.targets))
        expected = BinaryCrossEntropy()(
            torch.from_numpy(scored.scores).double().logit(),
            torch.from_numpy(scored.targets).double(),
        )
    else:
        expected = -np.log(scored.scores[scored.targets]).mean()
    assert metrics["val_loss"] == pytest.approx(float(expected), rel=1e-4)


def test_a_run_of_before_a_column_goes_on(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    recorder = RunRecorder(tmp_path, lambda *_: None)
    recorder.load_state_dict({"history": [{"epoch": 1.0, "val_f1": 0.5}]})
    write_history([{**recorder.history[0], "val_map": 0.25}], tmp_path)
    history = read_history(tmp_path / "history.csv")
    assert (history["val_f1"], history["val_samples_f1"]) == ([0.5], [None])
