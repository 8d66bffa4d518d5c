"""Tables end to end on a few rendered clips: what is shared, what is kept, what survives."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

from lilliput.config import load_config
from lilliput.data import VideoDataset, read_dataset
from lilliput.errors import ConfigError, DataError
from lilliput.evaluation.scored import load_scores
from lilliput.experiments import trainings
from lilliput.experiments.reproduce import Settings, choose_split, plan_runs, reproduce
from lilliput.experiments.rows import Table
from lilliput.experiments.scales import Scale, scale_recipe
from lilliput.experiments.tables import find_tables

OVERRIDES = ("model.width=4", "training.batch_size=4", "training.epochs=2")
SETTINGS = Settings(scale=Scale.SMOKE, overrides=OVERRIDES)
MakeTables = Callable[[Path], tuple[Table, ...]]
RunCli = Callable[..., tuple[int, str, str]]

# Runs `reproduce` and dies by SIGKILL at a given call of a given function, as a power cut would.
KILLED = """
import importlib.util, os, signal, sys
from pathlib import Path
from rich.console import Console
from lilliput.data import read_dataset
from lilliput.experiments import trainings
from lilliput.experiments.reproduce import Settings, reproduce
from lilliput.experiments.scales import Scale
from lilliput.training.module import ActionModule

conftest, recipes, root, out, target, calls, *overrides = sys.argv[1:]
specification = importlib.util.spec_from_file_location("conftest", conftest)
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)
tables = module.make_tables.__wrapped__()(Path(recipes))
owner, name = {
    "step": (ActionModule, "training_step"), "report": (trainings, "write_report")
}[target]
original, count = getattr(owner, name), 0

def dying(*arguments, **options):
    global count
    count += 1
    if count == int(calls):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

setattr(owner, name, dying)
settings = Settings(scale=Scale.SMOKE, overrides=tuple(overrides))
reproduce(tables, read_dataset(root), Path(out), settings, Console())
"""


def _reproduce(
    tables: tuple[Table, ...], dataset: VideoDataset, out: Path, settings: Settings = SETTINGS
) -> str:
    text = io.StringIO()
    reproduce(tables, dataset, out, settings, Console(file=text, width=120))
    return text.getvalue()


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file below a folder was written, and what it holds."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in files
    }


@pytest.fixture(scope="module")
def tables(make_tables: MakeTables, tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, ...]:
    return make_tables(tmp_path_factory.mktemp("recipes"))


@pytest.fixture(scope="module")
def whole(
    tables: tuple[Table, ...], dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """An uninterrupted reproduction of both tables, and what it told."""
    out = tmp_path_factory.mktemp("out") / "whole"
    return out, _reproduce(tables, dataset, out)


def test_rows_that_differ_in_evaluation_share_one_training(whole: tuple[Path, str]) -> None:
    out, told = whole
    assert len(list((out / "trainings").iterdir())) == 2
    assert len(list((out / "rows").iterdir())) == 3
    assert told.count("training 1 of 2: plain, seed 1") == 1
    assert told.count("training 2 of 2: adapted, seed 1") == 1
    assert told.count("training ") == 2


def test_views_are_scored_once_and_rows_use_their_own(whole: tuple[Path, str]) -> None:
    out, _ = whole
    (adapted,) = (out / "trainings").glob("*-adapted-*")
    names = sorted(path.name for path in (adapted / "scores").iterdir())
    assert [name.split("-")[0] for name in names] == ["test", "test", "val", "val"]
    plain, flip = (
        load_scores(next((out / "rows").glob(f"*{name}.toml-*")) / "scores.npz").scores
        for name in ("adapted", "flip")
    )
    assert (flip >= plain).all() and (flip > plain).any()  # the flip takes the maximum


def test_the_tuned_threshold_comes_from_the_validation_split(whole: tuple[Path, str]) -> None:
    out, _ = whole
    report = json.loads((next((out / "rows").glob("*flip.toml-*")) / "report.json").read_text())
    assert report["facts"]["split"] == "test"
    thresholds = {row["threshold"] for row in report["per_class"]}
    assert len(thresholds) == 1 and thresholds != {0.5}


def test_the_folder_of_tables(whole: tuple[Path, str]) -> None:
    out, told = whole
    names = {path.name for path in (out / "tables").iterdir()}
    assert names == {
        "table-9.1.json", "table-9.1.md", "table-9.2.json", "table-9.2.md",
        "figure-9.1.png", "figure-9.2.png", "figure-9.3.png", "figure-9.4.png", "figure-9.5.png",
    }  # fmt: skip
    assert f"made: {out / 'tables' / 'figure-9.4.png'}" in told
    document = json.loads((out / "tables" / "table-9.2.json").read_text())
    report = json.loads((next((out / "rows").glob("*flip.toml-*")) / "report.json").read_text())
    macro = report["metrics"]["macro"]["f1"]
    assert document["rows"][2]["ours"]["f1"]["mean"] == pytest.approx(macro)
    assert "model.width 64 → 4" in document["changes"]
    assert any("rendered" in note for note in document["notes"])
    assert any("first few clips" in note for note in document["notes"])


def test_nothing_is_repeated(
    whole: tuple[Path, str],
    tables: tuple[Table, ...],
    dataset: VideoDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("done already")

    out, _ = whole
    before = {part: _state(out / part) for part in ("trainings", "rows")}
    for name in ("fit", "write_report", "score_with_progress"):
        monkeypatch.setattr(trainings, name, refuse)
    assert "training " not in _reproduce(tables, dataset, out)
    assert {part: _state(out / part) for part in ("trainings", "rows")} == before


@pytest.mark.parametrize(
    # Four steps an epoch at most: the first training has two epochs, so the 12th step is in the
    # second. The second report is the first that the second training serves.
    ("target", "calls"), [("step", 12), ("report", 2)]
)  # fmt: skip
def test_a_killed_reproduction_goes_on_without_repeating_what_is_done(
    whole: tuple[Path, str],
    tables: tuple[Table, ...],
    dataset: VideoDataset,
    tmp_path: Path,
    target: str,
    calls: int,
) -> None:
    out = tmp_path / "killed"
    conftest = Path(__file__).with_name("conftest.py")
    recipes = Path(tables[0].rows[0].recipe).parent
    arguments = [conftest, recipes, dataset.root, out, target, calls, *OVERRIDES]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    finished = [path.parent for path in out.glob("trainings/*/finished")]
    assert len(finished) == {"step": 1, "report": 2}[target]
    assert (out / "tables" / "table-9.1.json").is_file()
    assert not (out / "tables" / "table-9.2.json").exists()
    models = ("best.safetensors", "last.safetensors", "last.ckpt", "history.csv", "config.json")
    before = {str(folder / name): _state(folder)[name] for folder in finished for name in models}
    told = _reproduce(tables, dataset, out)
    assert told.count("training ") == 2 - len(finished)
    after = {str(folder / name): _state(folder)[name] for folder in finished for name in models}
    assert after == before
    documents = [
        json.loads((folder / "tables" / "table-9.2.json").read_text()) for folder in (out, whole[0])
    ]
    assert documents[0] == documents[1]


def test_several_seeds_are_several_trainings(
    tables: tuple[Table, ...], dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = Settings(scale=Scale.SMOKE, overrides=OVERRIDES, seeds=(1, 2), split="val")
    _reproduce(tables[:1], dataset, tmp_path, settings)
    document = json.loads((tmp_path / "tables" / "table-9.1.json").read_text())
    scores = document["rows"][0]["ours"]["f1"]
    assert len(scores["runs"]) == 2
    assert scores["deviation"] is not None
    assert document["split"] == "val"
    assert any("flatter" in note for note in document["notes"])


def test_the_name_of_a_training_tells_trainings_apart(tables: tuple[Table, ...]) -> None:
    def names(**options: object) -> list[str]:
        runs = plan_runs(tables, Settings(**options), "val", Path("out"))  # type: ignore[arg-type]
        return [run[0].training.name for run in runs.values()]

    plain, adapted, flip = names()
    assert plain != adapted == flip
    assert names(overrides=("data.workers=4", "training.accelerator=cpu"))[0] == plain
    others = {
        names(seeds=(2,))[0],
        names(scale=Scale.SMALL)[0],
        names(overrides=("training.epochs=3",))[0],
        names(overrides=("augment.flip_labels=keep",))[0],
    }
    assert len(others | {plain}) == 5


def test_another_evaluation_replaces_a_row_but_not_its_training(
    tables: tuple[Table, ...], dataset: VideoDataset, tmp_path: Path
) -> None:
    _reproduce(tables[:1], dataset, tmp_path)
    (training,) = (tmp_path / "trainings").iterdir()
    model = _state(training)["best.safetensors"]
    changed = Settings(scale=Scale.SMOKE, overrides=(*OVERRIDES, "evaluation.fixed_threshold=0.25"))
    assert "training " not in _reproduce(tables[:1], dataset, tmp_path, changed)
    (row,) = (tmp_path / "rows").iterdir()
    report = json.loads((row / "report.json").read_text())
    assert {one["threshold"] for one in report["per_class"]} == {0.25}
    assert _state(training)["best.safetensors"] == model


def test_a_folder_is_about_one_set_of_clips(
    whole: tuple[Path, str], tables: tuple[Table, ...], tiny_folder: Path
) -> None:
    with pytest.raises(DataError, match="holds experiments on other clips, or"):
        _reproduce(tables, read_dataset(tiny_folder), whole[0])


def test_rows_are_evaluated_on_test_where_its_labels_are_known(
    dataset: VideoDataset, tiny_folder: Path
) -> None:
    assert choose_split(dataset, Settings()) == "test"
    assert choose_split(read_dataset(tiny_folder), Settings()) == "val"
    assert choose_split(dataset, Settings(split="train")) == "train"
    with pytest.raises(DataError, match="has no split 'dev'"):
        choose_split(dataset, Settings(split="dev"))


def test_a_table_of_the_thesis_with_one_command(
    run_cli: RunCli, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("table-4.3", "--data", root, "--scale", "smoke", "--set", "model.input_size=14")
    code, out, err = run_cli("reproduce", *command, "--set", "data.workers=0")
    assert code == 0, err
    tables = tmp_path / "runs" / "reproduce" / "rendered" / "smoke" / "tables"
    assert {path.name for path in tables.iterdir()} == {
        "figure-3.6.png", "figure-4.6.png", "table-4.3.json", "table-4.3.md",
    }  # fmt: skip
    assert "33.0" in out and "37.4" in out
    code, out, err = run_cli("reproduce", "list", *command, "--set", "data.workers=0")
    assert code == 0, err
    assert "1 of 1" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tabel-4.5",), "no table is called 'tabel-4.5'; nearest is 'table-4.5'"),
        (("all",), "reproduce needs --data ROOT"),
        (("list", "--gpu", "gtx"), "known are h100"),
        (("list", "--seeds", "1,x"), "--seeds 1,x: write whole numbers"),
        (("list", "--set", "model.widht=3"), "nearest is 'model.width'"),
        (("all", "--data", "nowhere"), "nowhere: no such data set"),
    ],
)
def test_mistakes_are_told_in_one_line(
    run_cli: RunCli, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = run_cli("reproduce", *arguments)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def _damage(folder: Path, how: str) -> None:
    training = sorted((folder / "trainings").iterdir())[-1]
    row = sorted((folder / "rows").iterdir())[-1]
    match how:
        case "report":
            (row / "report.json").write_text("{}")
        case "row":
            (row / "row.json").write_bytes(b"\xff\xfe")
        case "scores":
            (row / "scores.npz").write_bytes(b"PK")
        case "views":
            (row / "row.json").unlink()
            for path in (training / "scores").iterdir():
                path.write_bytes(b"")
        case "weights":
            (training / "best.safetensors").unlink()


@pytest.mark.parametrize("how", ["report", "row", "scores", "views", "weights"])
def test_what_is_damaged_is_made_again(
    how: str, whole: tuple[Path, str], tables: tuple[Table, ...], dataset: VideoDataset,
    tmp_path: Path,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    _damage(out, how)
    told = _reproduce(tables, dataset, out)
    assert told.count("training ") == (1 if how == "weights" else 0)
    for name in ("table-9.1.json", "table-9.2.json"):
        assert (out / "tables" / name).read_text() == (whole[0] / "tables" / name).read_text()


def test_a_damaged_history_is_named(
    whole: tuple[Path, str], tables: tuple[Table, ...], dataset: VideoDataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    for training in (out / "trainings").iterdir():
        (training / "history.csv").write_text("epoch,val_f1\n1,abc\n")
    with pytest.raises(DataError, match=r"history\.csv: damaged; remove its folder"):
        _reproduce(tables, dataset, out)


def test_a_network_that_cannot_be_built_is_refused_before_any_training(
    dataset: VideoDataset, tmp_path: Path
) -> None:
    settings = Settings(scale=Scale.SMOKE, overrides=("model.width=3",))
    with pytest.raises(ConfigError, match=r"fpn_ad_resnet18_attention: .*cannot be divided"):
        reproduce(find_tables(["all"]), dataset, tmp_path / "out", settings, Console(quiet=True))
    assert not (tmp_path / "out").exists()


def test_seeds_are_not_set_behind_its_back() -> None:
    with pytest.raises(ConfigError, match="give --seeds instead"):
        scale_recipe(load_config("thesis/table_4_03/resnet18"), Scale.SMOKE, 1, ["training.seed=5"])
