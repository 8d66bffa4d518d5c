import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import EvaluationConfig
from lilliput.errors import DataError
from lilliput.evaluation.report import ReportContext
from lilliput.evaluation.scored import ScoredClips
from lilliput.experiments.run import report_on
from lilliput.experiments.saved import read_report_folder
from lilliput.experiments.tuning import tune_again
from lilliput.scoring import compute_metrics

NAMES = ["[Sit]", "turn_left", "turn_right"]


@pytest.fixture
def scored() -> ScoredClips:
    rng = np.random.default_rng(3)
    scores = rng.dirichlet([0.5] * 3, size=60)
    likely = scores.argmax(axis=1)
    sure = scores.max(axis=1) > 0.6
    truth = np.where(sure, likely, (likely + 1) % 3)  # below 0.6 all are wrong
    ids = np.arange(60).astype(str)
    return ScoredClips(
        *(ids, ids, np.full(60, 16), scores, np.eye(3, dtype=bool)[truth]),
        *(np.array(NAMES), np.array([], str), "single"),
    )


@pytest.fixture
def folder(scored: ScoredClips, tmp_path: Path) -> Path:
    report_on(scored, np.zeros(3), tmp_path / "report", ReportContext("Run", "", {}))
    return tmp_path / "report"


@pytest.fixture
def model(micro_checkpoint: Checkpoint, tmp_path: Path) -> Path:
    config = micro_checkpoint.config.model_copy(update={"task": "single"})
    path = tmp_path / "model.safetensors"
    save_checkpoint(replace(micro_checkpoint, config=config, thresholds=(0.0,) * 3), path)
    return path


def test_the_unknown_threshold_is_tuned_and_written(
    scored: ScoredClips, folder: Path, model: Path, tmp_path: Path
) -> None:
    config = EvaluationConfig(unknown_below="tuned", objective="micro_f1")
    evaluation = tune_again([folder], config, tmp_path / "out", model)
    thresholds = read_report_folder(tmp_path / "out").thresholds
    assert len(set(thresholds)) == 1
    right = scored.targets[np.arange(60), scored.scores.argmax(axis=1)]
    best = scored.scores.max(axis=1)
    assert best[~right].max() <= thresholds[0] < best[right].min()
    reached = evaluation.report["metrics"]["micro"]["f1"]
    for limit in np.linspace(0, 1, 101):
        other = compute_metrics(scored.scores, scored.targets, limit, "single")
        assert reached >= other.micro.f1 - 1e-9
    assert evaluation.report["facts"]["thresholds"] == (
        f"unknown below {thresholds[0]:.3f}, tuned here"
    )
    written = load_checkpoint(model)
    assert written.config.evaluation.unknown_below == thresholds[0]
    assert written.config.evaluation.objective == "micro_f1"
    assert written.config.evaluation.flip  # the views stay
    assert written.config.evaluation.threshold == "global"
    assert list(written.thresholds) == thresholds.tolist()
    accuracy = evaluation.report["classification"]
    assert written.metrics["tuning"]["classification"] == accuracy


def test_the_model_must_be_of_the_scores_task(
    folder: Path, micro_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_checkpoint(micro_checkpoint, path)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"other\.safetensors: gives any number of labels"):
        tune_again([folder], EvaluationConfig(unknown_below="tuned"), tmp_path / "out", path)
    assert path.read_bytes() == before


def test_a_page_of_saved_scores_has_no_strips_and_no_training(folder: Path, tmp_path: Path) -> None:
    page = tune_again([folder], EvaluationConfig(unknown_below=0.5), tmp_path / "out").page
    text = page.read_text(encoding="utf-8")
    assert "Clips to look at" not in text
    assert "learning" not in text
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["unknown_below"], report["history"]) == (0.5, None)
