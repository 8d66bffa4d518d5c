"""``lilliput train`` with folds, and what it refuses before it reads a clip."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.config import load_config
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
        ("predict", run, tiny_folder / "test", "--engine", "torch"),
        ("evaluate", run, "--data", tiny_folder, "--out", tmp_path / "evaluated"),
    ):
        code, out, err = run_cli(*command)
        assert code == 0, err


def test_folds_without_a_recipe_need_no_validation_split(
    run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    rows = [f"{path},{path.parent.name},train" for path in sorted(tiny_folder.rglob("*.mp4"))]
    rows = [row for row in rows if ",test," not in row]
    (tmp_path / "clips.csv").write_text("\n".join(["path,labels,split", *rows]))
    quick = [f"training.{name}" for name in ("epochs=1", "passes=1", "batch_size=4")]
    quick += ["model.width=2", "model.input_size=14", "data.workers=0", "training.accelerator=cpu"]
    run = tmp_path / "run"
    arguments = ("train", "--data", tmp_path / "clips.csv", "--folds", 2, "--run", run)
    code, out, err = run_cli(*arguments, *(word for one in quick for word in ("--set", one)))
    assert code == 0, err
    assert "expected duration: about 1 min" in out
    recipe = load_config(run / "config.json")
    assert (recipe.data.train, recipe.data.val, recipe.task) == ("train", "val", "single")
    assert "training.schedule = one_cycle" in out
    code, out, err = run_cli(*arguments, "--resume")
    assert code == 0, err  # with the settings that it began with
    assert "one_cycle" not in out
    alone = ("train", "--data", tiny_folder, "--run", run, "--resume", "--set", "data.val=")
    assert "holds a model, but no training to go on with; resume one of folds" in _refused(
        run_cli(*alone)
    )


def test_a_missing_validation_split_is_told_with_a_remedy(
    run_cli: RunCli, empty_files: Callable[..., Path]
) -> None:
    code, _, err = run_cli("train", "--data", empty_files(train_a=2, train_b=2))
    assert code == 2
    assert err.count("error: ") == 1
    assert "has no split 'val'; it has: train; name one of these, or divide" in err
    assert "`lilliput data split`" in err


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


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        (
            {"train_a": 3, "train_b": 1, "val_a": 1, "val_b": 1},
            (),
            "class 'b' has one clip in 'train'; add clips of it to 'train', or remove the class",
        ),
        (
            {"train_a": 3, "train_b": 0, "val_a": 1, "val_b": 1},
            (),
            "all clips of 'train' are of class 'a'; add clips of class 'b'",
        ),
        (
            {"train_a": 3, "train_b": 3, "train_empty": 0, "val_a": 1, "val_b": 1},
            (),
            "class 'empty' has no clip in 'train'; add clips of it",
        ),
        (
            {"train_a": 3, "train_b": 3, "val_a": 2},
            (),
            "class 'b' has no clip in 'val'; add clips of it to 'val', or cross-validate on all "
            "clips with --folds 5",
        ),
        (
            {"train_a": 3, "val_a": 2},
            (),
            "all clips of 'train' are of class 'a'; add clips of another class",
        ),
        (
            {"train_a": 3, "train_b": 1, "val_a": 2},
            ("--folds", 2),
            "class 'b' has one clip in 'train+val'; add clips of it to 'train+val', or remove",
        ),
        (
            {"train_a": 6, "train_b": 2, "val_a": 2},
            ("--folds", 2),
            "class 'b' has 2 clips, and a fold has one clip to learn from; add clips of other",
        ),
        ({"train_a": 1, "train_b": 1, "val_a": 1}, ("--folds", 5), "class 'b' has one clip in"),
        (
            {"train_a": 2, "train_b": 2},
            ("--folds", 5),
            "4 clips come from 4 recordings, too few for 5 folds; add recordings, or use fewer",
        ),
        (
            {"train_a": 6, "train_b": 6},
            ("--folds", 2, "--set", "training.patience=3"),
            "training.patience = 3: with --folds there is no split to stop on",
        ),
    ],
)
def test_labels_that_cannot_be_learned_are_refused_before_anything_is_decoded(
    empty_files: Callable[..., Path],
    run_cli: RunCli,
    micro_recipe: Path,
    tmp_path: Path,
    classes: dict[str, int],
    options: tuple[object, ...],
    message: str,
) -> None:
    root = empty_files(**classes)
    arguments = ("train", micro_recipe, "--data", root, "--run", tmp_path / "run")
    arguments = (*arguments, "--set", "task=auto")
    assert message in _refused(run_cli(*arguments, *options))
    assert not (tmp_path / "run").exists()


def test_one_label_is_wanted_and_a_clip_has_two(
    run_cli: RunCli, micro_recipe: Path, tmp_path: Path
) -> None:
    rows = ["path,labels,split", "1.mp4,a,train", "2.mp4,a|b,train", "3.mp4,b,val"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    for row in rows[1:]:
        (tmp_path / row.partition(",")[0]).touch()
    arguments = ("--data", tmp_path / "clips.csv", "--set", "task=single")
    for options in ((), ("--folds", 2)):
        found = _refused(run_cli("train", micro_recipe, *arguments, *options))
        assert "2.mp4 has the labels a, b; give each clip one label, or set task = 'multi'" in found


def test_classes_of_several_labels_that_cannot_be_judged_are_told_once(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, tmp_path: Path
) -> None:
    videos = sorted((tiny_folder / "train").rglob("*.mp4"))
    labels = ["a", "a|b", "b", "b|c", "c", "a"]
    rows = [f"{path},{label},train" for path, label in zip(videos, labels, strict=True)]
    rows += [f"{path},a,val" for path in sorted((tiny_folder / "val").rglob("*.mp4"))[:3]]
    (tmp_path / "clips.csv").write_text("\n".join(["path,labels,split", *rows]))
    options = ("--data", tmp_path / "clips.csv", "--run", tmp_path / "run")
    code, _, err = run_cli("train", micro_recipe, *options)
    assert code == 0, err
    notes = [line for line in err.splitlines() if line.startswith("note: ")]
    assert notes == ["note: class 'b' has no clip in 'val'", "note: class 'c' has no clip in 'val'"]


def test_an_empty_class_folder_is_found_by_the_check(
    run_cli: RunCli, empty_files: Callable[..., Path]
) -> None:
    root = empty_files(train_a=1, train_b=0, val_a=1)
    _, out, _ = run_cli("data", "check", root)
    assert "class 'b' has no clips" in out
