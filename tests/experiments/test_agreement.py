"""What does not go together is refused before anything is scored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.data import LabelSet
from lilliput.errors import DataError
from lilliput.evaluation.scored import load_scores
from lilliput.experiments import run
from lilliput.experiments.agreement import common_thresholds

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def reports(
    micro_file: Path,
    micro_single_file: Path,
    tiny_folder: Path,
    run_cli: RunCli,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """``multi`` and ``single``: report folders of a model of each task."""
    folder = tmp_path_factory.mktemp("reports")
    for name, file in (("multi", micro_file), ("single", micro_single_file)):
        options = ("--data", tiny_folder, "--out", folder / name)
        code, _, err = run_cli("evaluate", file, *options)
        assert code == 0, err
    return folder


@pytest.fixture
def _scoring_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(*_: object, **__: object) -> None:
        raise AssertionError("scored")

    monkeypatch.setattr(run, "score_with_progress", score)


@pytest.mark.usefixtures("_scoring_is_a_mistake")
@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        (
            ("multi", "single"),
            ("--thresholds", "multi"),
            "one of these models gives any number of labels per clip, another one gives one label "
            "per clip; average models of one task",
        ),
        (("single", "multi"), (), "one of these models gives one label per clip, another one"),
        (
            ("multi",),
            ("--thresholds", "single"),
            "single: is of one label per clip, the model gives any number of labels per clip; "
            "give the folder of such a model",
        ),
        (("single",), ("--thresholds", "multi"), "multi: is of any number of labels per clip"),
        (("multi",), ("--baseline", "single"), "single: is of one label per clip, the model"),
    ],
)
def test_other_tasks(
    micro_file: Path,
    micro_single_file: Path,
    reports: Path,
    tiny_folder: Path,
    run_cli: RunCli,
    tmp_path: Path,
    models: tuple[str, ...],
    options: tuple[str, ...],
    message: str,
) -> None:
    files = [{"multi": micro_file, "single": micro_single_file}[name] for name in models]
    given = tuple(reports / word if "-" not in word else word for word in options)
    out = tmp_path / "out.zip"
    for command in ("evaluate",) if "--baseline" in options else ("evaluate", "submit"):
        code, stdout, err = run_cli(command, *files, "--data", tiny_folder, "--out", out, *given)
        assert (code, stdout) == (2, "")
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        assert message in line
        assert not out.exists()


def test_scores_of_other_tasks_are_not_tuned_together(
    reports: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    code, stdout, err = run_cli(
        "tune", reports / "multi", reports / "single", "--out", tmp_path / "out"
    )
    assert (code, stdout) == (2, "")
    assert err.startswith("error: these scores are of models with one label per clip and of others")
    assert not (tmp_path / "out").exists()


def test_other_classes(micro_checkpoint: Checkpoint) -> None:
    labels = LabelSet.from_names(["[Sit]", "run", "wave"])
    with pytest.raises(DataError, match="these models know different classes"):
        common_thresholds([micro_checkpoint, replace(micro_checkpoint, labels=labels)], None)


def test_models_of_one_label_are_averaged(
    micro_single: Checkpoint,
    micro_single_file: Path,
    reports: Path,
    tiny_folder: Path,
    run_cli: RunCli,
    tmp_path: Path,
) -> None:
    """The mean of their probabilities; its most likely class is the label."""
    bias = micro_single.state["head.fc.bias"] + micro_single.state["head.fc.bias"].new_tensor(
        [0.0, 0.75, 0.0]
    )
    other = replace(micro_single, state={**micro_single.state, "head.fc.bias": bias})
    save_checkpoint(other, tmp_path / "other.safetensors")
    files = (micro_single_file, tmp_path / "other.safetensors")
    scores = []
    for models in ((files[0],), (files[1],), files):
        out = tmp_path / str(len(scores))
        options = ("--data", tiny_folder, "--thresholds", reports / "single", "--out", out)
        code, _, err = run_cli("evaluate", *models, *options)
        assert code == 0, err
        scores.append(load_scores(out / "scores.npz"))
    one, two, both = scores
    assert both.task == "single"
    np.testing.assert_allclose(both.scores, (one.scores + two.scores) / 2, atol=1e-7)
    np.testing.assert_allclose(both.scores.sum(axis=1), 1, atol=1e-6)
