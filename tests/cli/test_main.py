import csv
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.evaluation.scored import load_scores

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    run_cli: RunCli,
    tiny_folder: Path,
    micro_recipe: Path,
) -> Path:
    """The run folder of ``lilliput train``."""
    run = tmp_path_factory.mktemp("runs") / "first run"
    code, out, err = run_cli("train", micro_recipe, "--data", tiny_folder, "--run", run)
    assert code == 0, err
    assert "6 train, 6 val" in out
    assert "a flip exchanges turn_left and turn_right" in out
    assert f"model: {run / 'best.safetensors'}" in out
    return run


@pytest.fixture(scope="module")
def evaluated(trained: Path, run_cli: RunCli, tiny_folder: Path) -> Path:
    """The report folder of ``lilliput evaluate``."""
    out = trained.parent / "evaluated"
    code, text, err = run_cli("evaluate", trained, "--data", tiny_folder, "--out", out)
    assert code == 0, err
    assert "[Sit]" in text
    assert f"report: {out / 'report.html'}" in text
    return out


def _fails(result: tuple[int, str, str]) -> str:
    """Exit code 2 and one line on stderr, which is returned."""
    code, _, err = result
    lines = [line for line in err.splitlines() if line.strip()]
    assert code == 2
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in err
    return lines[0]


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["data", "--help"]])
def test_help_does_not_wait_for_torch(arguments: list[str]) -> None:
    code = f"""
import sys
from lilliput.cli.main import main
sys.argv = ["lilliput", *{arguments}]
try:
    main()
except SystemExit as end:
    sys.exit(end.code or ("torch" in sys.modules) * 10)
"""
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert result.returncode == 0
    assert b"Usage: lilliput" in result.stdout


def test_training_fills_the_run_folder(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"config.json", "history.csv", "best.safetensors", "last.ckpt", "val"} <= names
    with (trained / "history.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["epoch"] == "1"
    checkpoint = load_checkpoint(trained)
    assert checkpoint.labels.class_names == ("[Sit]", "turn_left", "turn_right")
    assert checkpoint.clip_seconds == 0.6  # 6 frames at 10 fps
    report = json.loads((trained / "val" / "report.json").read_text())
    tuned = checkpoint.metrics["val"]["macro"]["f1"]
    assert report["metrics"]["macro"]["f1"] == pytest.approx(tuned)


def test_without_a_validation_split_there_is_a_model_and_no_report(
    run_cli: RunCli, micro_recipe: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    code, out, _ = run_cli(
        "train", micro_recipe, "--data", tiny_folder, "--run", run, "--set", "data.val="
    )
    assert code == 0
    assert load_checkpoint(run).labels.class_names == ("[Sit]", "turn_left", "turn_right")
    assert "report: none, as data.val is empty" in out
    assert not (run / "val").exists()


def test_a_taken_run_folder_is_left_alone(
    trained: Path, run_cli: RunCli, tiny_folder: Path, micro_recipe: Path
) -> None:
    before = (trained / "best.safetensors").read_bytes()
    arguments = ("train", micro_recipe, "--data", tiny_folder, "--run", trained)
    assert "holds a run already; add --resume" in _fails(run_cli(*arguments))
    changed = run_cli(*arguments, "--resume", "--set", "training.seed=5")
    assert "began with training.seed = 1, not 5" in _fails(changed)
    assert (trained / "best.safetensors").read_bytes() == before


def test_a_training_that_could_not_start_leaves_the_folder_free(
    tmp_path: Path, run_cli: RunCli, tiny_folder: Path, micro_recipe: Path
) -> None:
    arguments = ("train", micro_recipe, "--data", tiny_folder, "--run", tmp_path / "run")
    refused = run_cli(*arguments, "--set", "augment.vertical_flip=0.5")
    assert "turn_left and turn_right have a direction" in _fails(refused)
    code, _, err = run_cli(*arguments)
    assert code == 0, err


def test_evaluating_repeats_what_training_reported(trained: Path, evaluated: Path) -> None:
    first = json.loads((trained / "val" / "report.json").read_text())
    second = json.loads((evaluated / "report.json").read_text())
    assert second["metrics"] == first["metrics"]
    assert second["per_class"] == first["per_class"]


def test_two_runs_can_be_compared(
    trained: Path, evaluated: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    arguments = ("--out", tmp_path / "again", "--baseline", evaluated)
    code, _, err = run_cli("evaluate", trained, "--data", tiny_folder, *arguments)
    assert code == 0, err
    report = json.loads((tmp_path / "again" / "report.json").read_text())
    assert report["comparison"]["difference"]["estimate"] == 0


def test_tuning_writes_thresholds_and_keeps_the_views(
    trained: Path, evaluated: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    run = tmp_path / "copy"
    run.mkdir()
    (run / "best.safetensors").write_bytes((trained / "best.safetensors").read_bytes())
    arguments = ("--model", run, "--threshold", "per_class", "--min-support", 1)
    code, _, err = run_cli("tune", evaluated, "--out", tmp_path / "out", *arguments)
    assert code == 0, err
    before, after = load_checkpoint(trained), load_checkpoint(run)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [row["threshold"] for row in report["per_class"]] == list(after.thresholds)
    assert len(set(before.thresholds)) == 1 < len(set(after.thresholds))
    assert after.config.evaluation.threshold == "per_class"
    assert after.config.evaluation.flip  # scored with it, so used with it
    assert after.config.augment == before.config.augment


def test_tuning_refuses_what_cannot_be_tuned(
    evaluated: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    result = run_cli("tune", evaluated, "--out", tmp_path, "--objective", "micro_f1")
    assert "cannot be tuned class by class" in _fails(result)
    assert "no such scores file" in _fails(run_cli("tune", tmp_path, "--out", tmp_path / "out"))


def test_an_ensemble_is_scored_and_written_into_no_model(
    trained: Path, evaluated: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    code, _, err = run_cli("tune", evaluated, evaluated, "--out", tmp_path / "out")
    assert code == 0, err
    before = (trained / "best.safetensors").read_bytes()
    result = run_cli("tune", evaluated, evaluated, "--out", tmp_path / "other", "--model", trained)
    assert "thresholds of several averaged models fit none of them" in _fails(result)
    assert (trained / "best.safetensors").read_bytes() == before


def test_reports_keep_a_models_warning_and_say_what_flatters(
    micro_file: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    evaluated = ("evaluate", micro_file, "--data", tiny_folder, "--out", tmp_path / "a")
    assert run_cli(*evaluated)[0] == 0
    assert run_cli("tune", tmp_path / "a", "--out", tmp_path / "b")[0] == 0
    first, second = (
        json.loads((tmp_path / name / "report.json").read_text()) for name in ("a", "b")
    )
    assert first["note"] == second["note"] == "for tests"
    assert "best epoch and thresholds chosen on the split of this name" in first["facts"]["split"]


def test_predict_as_json(trained: Path, run_cli: RunCli, tiny_folder: Path) -> None:
    code, out, _ = run_cli("predict", trained, tiny_folder / "test", "--json")
    assert code == 0
    documents = [json.loads(line) for line in out.splitlines()]
    assert [Path(document["source"]).name for document in documents] == ["00000.mp4", "00001.mp4"]
    thresholds = dict(
        zip(["[Sit]", "turn_left", "turn_right"], load_checkpoint(trained).thresholds, strict=True)
    )
    for document in documents:
        above = {name for name, score in document["scores"].items() if score > thresholds[name]}
        assert set(document["labels"]) == above


def test_predict_as_csv(trained: Path, run_cli: RunCli, tiny_folder: Path) -> None:
    code, out, _ = run_cli("predict", trained, tiny_folder / "test", "--csv")
    assert code == 0
    rows = list(csv.DictReader(out.splitlines()))
    assert len(rows) == 2
    assert list(rows[0]) == [
        "source", "labels", "[Sit]", "turn_left", "turn_right", "warning", "error",
    ]  # fmt: skip


def test_predict_as_table(micro_file: Path, run_cli: RunCli, tiny_folder: Path) -> None:
    code, out, err = run_cli("predict", micro_file, tiny_folder / "test" / "00000.mp4")
    assert code == 0
    assert "best scores (threshold)" in out
    assert "[Sit]" in out
    assert err.strip() == "note: for tests"


def test_predict_goes_on_after_a_bad_file(
    micro_file: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad [1].mp4"
    bad.write_text("no video")
    good = sorted((tiny_folder / "test").iterdir())
    videos = (good[0], bad, tmp_path / "none.mp4", good[1])
    code, out, err = run_cli("predict", micro_file, *videos, "--json")
    assert code == 2
    documents = [json.loads(line) for line in out.splitlines()]
    assert [document["source"] for document in documents] == [str(video) for video in videos]
    assert ["error" in document for document in documents] == [False, True, True, False]
    skipped = [line for line in err.splitlines() if line.startswith("skipped: ")]
    assert [line.split(": ")[1] for line in skipped] == [str(bad), str(tmp_path / "none.mp4")]
    assert "2 of the videos could not be read" in err


def test_submit(trained: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "answer.zip"
    code, out, err = run_cli("submit", trained, "--data", tiny_folder, "--out", path)
    assert code == 0, err
    assert "2 clips, every id present" in out
    with zipfile.ZipFile(path) as archive:
        text = archive.read("answer.txt").decode()
    assert re.fullmatch(r"00000( [01]){3}\n00001( [01]){3}\n", text)
    assert (tmp_path / "answer_scores.npz").is_file()


def test_submit_averages_models_under_tuned_thresholds(
    trained: Path, evaluated: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    models = (trained / "best.safetensors", trained / "last.safetensors")
    path = tmp_path / "answer.zip"
    code, _, err = run_cli("submit", *models, "--data", tiny_folder, "--out", path)
    assert code == 2
    assert "--thresholds" in err
    assert not path.exists()
    options = ("--data", tiny_folder, "--thresholds", evaluated, "--out", path)
    code, _, err = run_cli("submit", *models, *options)
    assert code == 0, err
    alone = []
    for number, model in enumerate(models):
        single = tmp_path / f"single{number}.zip"
        assert run_cli("submit", model, "--data", tiny_folder, "--out", single)[0] == 0
        alone.append(load_scores(single.with_name(f"single{number}_scores.npz")).scores)
    together = load_scores(tmp_path / "answer_scores.npz").scores
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-6)


def test_several_models_are_evaluated_like_one(
    trained: Path, evaluated: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    models = (trained / "best.safetensors", trained / "last.safetensors")
    options = ("--data", tiny_folder, "--out", tmp_path / "both")
    code, _, err = run_cli("evaluate", *models, *options)
    assert code == 2
    assert "--thresholds" in err
    code, out, err = run_cli("evaluate", *models, *options, "--thresholds", evaluated)
    assert code == 0, err
    assert "2 models, averaged" in out
    alone = []
    for number, model in enumerate(models):
        single = tmp_path / f"single{number}"
        assert run_cli("evaluate", model, "--data", tiny_folder, "--out", single)[0] == 0
        alone.append(load_scores(single / "scores.npz").scores)
    together = load_scores(tmp_path / "both" / "scores.npz").scores
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-6)
    report = json.loads((tmp_path / "both" / "report.json").read_text())
    tuned = json.loads((evaluated / "report.json").read_text())
    thresholds = [[row["threshold"] for row in one["per_class"]] for one in (report, tuned)]
    assert thresholds[0] == thresholds[1]


def test_info(trained: Path, run_cli: RunCli) -> None:
    code, out, _ = run_cli("info", trained)
    assert code == 0
    assert "depth 18, width 4" in out
    assert "horizontal flip" in out
    assert "[Sit]" in out
    code, out, _ = run_cli("info")
    assert code == 0
    assert "thesis/table_4_03/resnet18" in out


def test_info_where_flips_keep_the_labels(
    micro_checkpoint: Checkpoint, run_cli: RunCli, tmp_path: Path
) -> None:
    counts = {}
    for choice in ("swap", "keep"):
        augment = micro_checkpoint.config.augment.model_copy(update={"flip_labels": choice})
        config = micro_checkpoint.config.model_copy(update={"augment": augment})
        save_checkpoint(replace(micro_checkpoint, config=config), tmp_path / choice)
        code, out, _ = run_cli("info", tmp_path / choice)
        assert code == 0
        counts[choice] = out.count("turn_left")
    assert counts == {"swap": 2, "keep": 1}  # once as a class, once as what a flip makes


def test_a_missing_data_set(
    micro_file: Path, micro_recipe: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    none = tmp_path / "none"
    for arguments in (
        ("train", micro_recipe, "--data", none, "--run", tmp_path / "run"),
        ("evaluate", micro_file, "--data", none),
        ("submit", micro_file, "--data", none),
        ("data", "check", none),
    ):
        assert f"{none}: no such data set" in _fails(run_cli(*arguments))
    none.mkdir()
    assert "no data set found" in _fails(run_cli("evaluate", micro_file, "--data", none))


def test_a_missing_model(run_cli: RunCli, tiny_folder: Path, tmp_path: Path) -> None:
    none = tmp_path / "none.safetensors"
    for arguments in (
        ("predict", none, tiny_folder / "test"),
        ("evaluate", none, "--data", tiny_folder),
        ("submit", none, "--data", tiny_folder),
        ("info", none),
    ):
        assert f"{none}: no such checkpoint" in _fails(run_cli(*arguments))


def test_a_video_given_as_a_model(run_cli: RunCli, tiny_folder: Path) -> None:
    video = tiny_folder / "test" / "00000.mp4"
    assert "not a readable safetensors file" in _fails(run_cli("probe", video, "--data", video))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "no setting is called 'training.epoch'; nearest is 'training.epochs'"),
        ("training.schedule=onecycle", "nearest is 'one_cycle'"),
        ("nonsense", "--set nonsense: write it as section.key=value"),
        ("data.val=dev", "has no split 'dev'; it has: test, train, val"),
        ("training.precision=bf16", "use 'auto' or 'fp32'"),
    ],
)
def test_a_setting_that_does_not_fit(
    micro_recipe: Path,
    run_cli: RunCli,
    tiny_folder: Path,
    tmp_path: Path,
    override: str,
    message: str,
) -> None:
    arguments = ("--data", tiny_folder, "--run", tmp_path / "run", "--set", override)
    result = run_cli("train", micro_recipe, "--set", "training.accelerator=cpu", *arguments)
    assert message in _fails(result)


def test_labels_that_are_withheld(micro_file: Path, run_cli: RunCli, tiny_folder: Path) -> None:
    result = run_cli("evaluate", micro_file, "--data", tiny_folder, "--split", "test")
    assert "the labels of split 'test' are withheld" in _fails(result)


def test_a_place_that_cannot_be_written(
    micro_file: Path, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    arguments = ("--data", tiny_folder, "--out", tmp_path / "file" / "answer.zip")
    assert str(tmp_path / "file") in _fails(run_cli("submit", micro_file, *arguments))


def test_json_and_csv_at_once(micro_file: Path, run_cli: RunCli, tiny_folder: Path) -> None:
    result = run_cli("predict", micro_file, tiny_folder / "test", "--json", "--csv")
    assert "exclude each other" in _fails(result)
