"""Hand-crafted features from a data set to scores, by the same commands as a network."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="the extra lilliput[idt] is not installed")
pytest.importorskip("sklearn", reason="the extra lilliput[idt] is not installed")

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, load_config
from lilliput.data import read_dataset
from lilliput.errors import ConfigError, DataError, TrainingError
from lilliput.models.idt.classifier import Idt
from lilliput.models.idt.learning import import_sklearn
from lilliput.training.fit import fit
from lilliput.training.speed import measure_training
from lilliput.video.encode import write_video

RunCli = Callable[..., tuple[int, str, str]]
MICRO = (
    "data.workers=0", "sampling.num_frames=8", "model.input_size=28",
    "model.idt.trajectory_length=4", "model.idt.gaussians=2", "model.idt.step=2",
    "model.idt.patch=8", "model.idt.scales=1", "evaluation.min_support=1",
)  # fmt: skip


def write_square(path: Path, step: tuple[int, int], seed: int) -> None:
    """A textured square of 10 px that moves over a plain ground of 24 x 24 px."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    square = np.kron(rng.integers(120, 255, (5, 5)), np.ones((2, 2))).astype(np.uint8)
    frames = np.full((8, 24, 24, 3), 60, np.uint8)
    start = 2 + int(rng.integers(4))
    for number, frame in enumerate(frames):
        x, y = start + step[0] * number, start + step[1] * number
        frame[y : y + 10, x : x + 10] = square[..., None]
    write_video(path, frames, fps=10)


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per class: squares that move to the right, and down."""
    root = tmp_path_factory.mktemp("data") / "squares"
    seed = 0
    for split, count in (("train", 6), ("val", 4)):
        for name, step in (("right", (1, 0)), ("down", (0, 1))):
            for number in range(count):
                seed += 1
                write_square(root / split / name / f"{split}{name}-{number}x.mp4", step, seed)
    return root


def micro(*more: str) -> Config:
    return load_config("idt", (*MICRO, *more))


def options(*more: str) -> list[str]:
    return [word for setting in (*MICRO, *more) for word in ("--set", setting)]


@pytest.fixture(scope="module")
def trained(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "idt"
    fit(micro(), read_dataset(squares), folder)
    return folder


def test_the_commands_of_a_network_work(run_cli: RunCli, squares: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, out, err = run_cli("train", "idt", "--data", squares, "--run", run, *options())
    assert code == 0, err
    assert "report:" in out
    assert json.loads((run / "val" / "report.json").read_text())["classification"]["top1"] == 1.0
    code, out, err = run_cli("evaluate", run, "--data", squares, "--out", tmp_path / "evaluated")
    assert code == 0, err
    assert "top-1" in out
    code, out, err = run_cli("predict", run, squares / "val")
    assert code == 0, err
    assert out.count("right") >= 4
    code, out, err = run_cli("info", run)
    assert code == 0, err
    assert "idt" in out
    code, out, err = run_cli("export", run, "--format", "onnx")
    assert code == 2
    assert "no network that other engines run" in err


def test_any_number_of_labels_have_thresholds(
    run_cli: RunCli, squares: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = ("train", "idt", "--data", squares, "--run", run, *options("task=multi"))
    code, _, err = run_cli(*command)
    assert code == 0, err
    checkpoint = load_checkpoint(run)
    assert checkpoint.task == "multi"
    assert checkpoint.metrics["val"]["macro"]["f1"] == 1.0
    code, _, err = run_cli("evaluate", run, "--data", squares, "--out", tmp_path / "scores")
    assert code == 0, err
    code, _, err = run_cli("tune", tmp_path / "scores", "--threshold", "global")
    assert code == 0, err


def test_folds_and_their_ensemble(run_cli: RunCli, squares: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    folds = ("--folds", "2", "--final", "ensemble")
    code, _, err = run_cli("train", "idt", "--data", squares, "--run", run, *folds, *options())
    assert code == 0, err
    assert load_checkpoint(run).config.model.members == 2


def test_the_run_folder_and_a_second_run(trained: Path, squares: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"config.json", "history.csv", "best.safetensors", "last.safetensors"} <= names
    assert not (trained / "last.ckpt").exists()
    dataset = read_dataset(squares)
    with pytest.raises(TrainingError, match="holds a run already; add --resume"):
        fit(micro(), dataset, trained)
    before = (trained / "best.safetensors").read_bytes()
    assert fit(micro(), dataset, trained, resume=True) == trained / "best.safetensors"
    assert (trained / "best.safetensors").read_bytes() == before
    with pytest.raises(TrainingError, match=r"began with model.idt"):
        fit(micro("model.idt.svm_cost=1"), dataset, trained, resume=True)


def test_a_seed_gives_the_same_weights(trained: Path, squares: Path, tmp_path: Path) -> None:
    again = load_checkpoint(fit(micro(), read_dataset(squares), tmp_path / "again"))
    first = load_checkpoint(trained)
    for name, tensor in first.state.items():
        torch.testing.assert_close(again.state[name], tensor, msg=name)


def test_stacked_vectors_are_fitted_too(squares: Path, tmp_path: Path) -> None:
    config = micro("model.idt.stacked=true", "model.idt.step=1")
    model = load_checkpoint(fit(config, read_dataset(squares), tmp_path / "run")).build_model()
    assert isinstance(model, Idt)
    assert model.second is not None
    assert model.second.center.any()


def test_a_clip_that_cannot_be_read_is_listed(squares: Path, tmp_path: Path) -> None:
    root = tmp_path / "squares"
    for path in squares.rglob("*.mp4"):
        target = root / path.relative_to(squares)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (root / "train" / "down" / "broken.mp4").write_bytes(b"no video")
    fit(micro(), read_dataset(root), tmp_path / "run")
    assert "broken.mp4" in (tmp_path / "run" / "unreadable.txt").read_text()


def test_too_little_motion_is_told(squares: Path, tmp_path: Path) -> None:
    config = micro("model.idt.gaussians=5000")
    with pytest.raises(DataError, match=r"fewer model\.idt\.gaussians"):
        fit(config, read_dataset(squares), tmp_path / "run")


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ConfigError, match=r"pip install 'lilliput\[idt\]'"):
        import_sklearn()


def test_what_networks_alone_have_is_refused(run_cli: RunCli, squares: Path) -> None:
    with pytest.raises(ConfigError, match="not trained in steps"):
        measure_training(micro(), read_dataset(squares), 0.1)
    code, _, err = run_cli("train", "--data", squares, "--set", "model.name=idt")
    assert code == 2
    assert "start from the recipe idt: lilliput train idt --data DATA" in " ".join(err.split())
