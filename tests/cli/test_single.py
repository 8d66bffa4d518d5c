"""The commands on clips with one label, from training to tuned scores."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import load_checkpoint

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    run_cli: RunCli,
    tiny_folder: Path,
    micro_recipe: Path,
) -> Path:
    folder = tmp_path_factory.mktemp("single")
    recipe = folder / "single.toml"
    recipe.write_text(micro_recipe.read_text().replace('task = "multi"', 'task = "auto"'))
    run = folder / "run"
    code, out, err = run_cli("train", recipe, "--data", tiny_folder, "--run", run)
    assert code == 0, err
    assert "top-1" in out and "most often confused with" in out
    assert "every label" not in out
    return run


def test_training_reports_accuracy_curves_and_clips(run: Path) -> None:
    report = json.loads((run / "val" / "report.json").read_text())
    assert report["task"] == "single"
    assert report["history"]["epoch"] == [1]
    assert 0 <= report["history"]["val_top1"][0] <= 1
    page = (run / "val" / "report.html").read_text(encoding="utf-8")
    assert "Clips to look at" in page and "Training" in page
    checkpoint = load_checkpoint(run)
    assert checkpoint.metrics["val"]["classification"] == report["classification"]
    assert "(best epoch chosen on the split" in report["facts"]["split"]


def test_evaluating_and_tuning(run: Path, tiny_folder: Path, run_cli: RunCli) -> None:
    first, second = run.parent / "evaluated", run.parent / "tuned"
    code, out, err = run_cli("evaluate", run, "--data", tiny_folder, "--out", first)
    assert code == 0, err
    assert "top-1" in out and "given a class" in out
    code, out, err = run_cli("tune", first, "--out", second, "--objective", "micro_f1")
    assert code == 0, err
    report = json.loads((second / "report.json").read_text())
    thresholds = np.array([row["threshold"] for row in report["per_class"]])
    assert (thresholds == report["unknown_below"]).all()
    code, out, err = run_cli(
        *("evaluate", run, "--data", tiny_folder, "--out", run.parent / "third"),
        *("--thresholds", second, "--baseline", first),
    )
    assert code == 0, err
    assert "Top-1" in out
    again = json.loads((run.parent / "third" / "report.json").read_text())
    assert again["unknown_below"] == report["unknown_below"]
    code, _, err = run_cli("tune", first, "--out", second, "--min-support", 3)
    assert code == 2
    assert "leave --min-support out" in " ".join(err.split())
    code, _, err = run_cli("tune", first, "--out", second, "--threshold", "global")
    assert code == 2
    assert "the one thing to tune is the probability below which" in " ".join(err.split())


def test_labels_that_do_not_fit_the_model_are_refused_before_scoring(
    run: Path, tiny_folder: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    lines = ["path,labels,split"]
    for clip in sorted((tiny_folder / "val").rglob("*.mp4")):
        lines.append(f"{clip},[Sit]|turn_left|turn_right,val")
    manifest = tmp_path / "clips.csv"
    manifest.write_text("\n".join(lines) + "\n")
    code, _, err = run_cli("evaluate", run, "--data", manifest, "--out", tmp_path / "out")
    assert code == 2, err
    assert "has 3 labels, but the model gives each clip one" in " ".join(err.split())
    assert not (tmp_path / "out").exists()
