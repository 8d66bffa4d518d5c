"""``lilliput train`` with folds, and what it refuses before it reads a clip."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.experiments import crossval

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def empty_files(tmp_path: Path) -> Callable[..., Path]:
    """A folder per class of files without a byte: whoever decodes one fails."""

    def make(**classes: int) -> Path:
        for name, count in classes.items():
            split, _, label = name.partition("_")
            (tmp_path / "clips" / split / label).mkdir(parents=True)
            for number in range(count):
                (tmp_path / "clips" / split / label / f"{label}_{number}.mp4").touch()
        return tmp_path / "clips"

    return make


def _refused(result: tuple[int, str, str]) -> str:
    code, _, err = result
    lines = [line for line in err.splitlines() if line.strip()]
    assert code == 2, err
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0].removeprefix("error: ")


def test_folds_train_report_and_keep_an_ensemble(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = ("--folds", 2, "--final", "ensemble", "--run", run)
    code, out, err = run_cli("train", micro_recipe, "--data", tiny_folder, *options)
    assert code == 0, err
    assert "micro, cross-validated, 2 folds" in out
    assert "fold 2 of 2" in err
    assert f"report: {run / 'folds' / 'report.html'}" in out
    assert load_checkpoint(run).config.model.members == 2
    code, out, err = run_cli("info", run)
    assert code == 0, err
    assert "members 2" in out
    assert "macro F1 on folds" in out
    for command in (
        ("predict", run, tiny_folder / "test"),
        ("evaluate", run, "--data", tiny_folder, "--out", tmp_path / "evaluated"),
    ):
        code, out, err = run_cli(*command)
        assert code == 0, err


def test_a_stop_tells_how_to_go_on_with_folds(
    run_cli: RunCli,
    tiny_folder: Path,
    micro_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(crossval, "fit", stop)
    options = ("--folds", 2, "--final", "ensemble", "--run", tmp_path / "run")
    code, _, err = run_cli("train", micro_recipe, "--data", tiny_folder, *options)
    assert code == 130
    assert f"--run {tmp_path / 'run'} --folds 2 --final ensemble --resume" in err


def test_a_final_model_without_folds(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path
) -> None:
    arguments = ("train", micro_recipe, "--data", tiny_folder, "--final", "all")
    assert "--final chooses what --folds keeps" in _refused(run_cli(*arguments))
