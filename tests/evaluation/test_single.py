"""The report on clips with one label."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    top_k_accuracy_score,
)

from lilliput.errors import DataError
from lilliput.evaluation.rendering import print_report, write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.scoring import bootstrap_intervals
from tests.evaluation.page import Page
from tests.evaluation.single import NAMES, make_scored

HISTORY = {"epoch": [1.0, 2.0], "train_loss": [2.0, 1.0], "val_loss": [2.0, 1.5],
           "val_f1": [0.1, 0.4], "val_map": [0.2, 0.5], "val_top1": [0.3, 0.6]}  # fmt: skip


def _report(scored=None, limit=0.3, baseline=None, history=None):
    context = ReportContext("Run", "", {}, history)
    return evaluate_report(scored or make_scored(), np.full(7, limit), context, baseline)


def _given(scored, limit):
    best = scored.scores.argmax(axis=1)
    return np.where(scored.scores.max(axis=1) > limit, best, 7)


def test_scores_are_scikit_learns():
    scored, report = make_scored(), _report()
    truth, given = scored.targets.argmax(axis=1), _given(scored, 0.3)
    found = report["classification"]
    assert report["task"] == "single"
    assert found["top1"] == (truth == given).mean()
    five = top_k_accuracy_score(truth, scored.scores, k=5, labels=np.arange(7))
    assert found["top5"] == pytest.approx(five)
    recalls = [np.mean(given[truth == label] == label) for label in range(6)]
    assert found["mean_class_accuracy"] == pytest.approx(np.mean(recalls))
    expected = confusion_matrix(truth, given, labels=range(8))[:7]
    np.testing.assert_array_equal(report["confusion"], expected)
    assert found["unknown"] == expected[:, -1].sum() / 120
    f1 = f1_score(truth, given, labels=range(7), average="macro", zero_division=0)
    assert report["metrics"]["macro"]["f1"] == pytest.approx(f1)
    assert found["calibration_error"] == pytest.approx(report["reliability"]["error"])


def test_without_unknown_clips_the_mean_class_accuracy_is_the_balanced_one():
    scored = make_scored()
    scored.scores[:, 6] = 0
    truth, given = scored.targets.argmax(axis=1), scored.scores.argmax(axis=1)
    report = _report(scored, limit=0)
    expected = balanced_accuracy_score(truth, given)
    assert report["classification"]["mean_class_accuracy"] == pytest.approx(expected)
    assert report["classification"]["unknown"] == 0


def test_unreadable_clips_are_wrong_whatever_their_class():
    scored = make_scored(num_unreadable=60)
    scored.targets[60:] = np.eye(7, dtype=bool)[0]  # the first of equal scores
    report = _report(scored, limit=0)
    known = replace(
        scored,
        **{
            name: getattr(scored, name)[:60]
            for name in ("clip_ids", "recordings", "sides", "scores", "targets")
        },
    )
    alone = _report(known, limit=0)["classification"]
    found = report["classification"]
    for name in ("top1", "top5"):
        assert found[name] == pytest.approx(alone[name] / 2)
    assert found["unknown"] == 0.5
    assert found["calibration_error"] == pytest.approx(alone["calibration_error"])


def test_intervals_of_the_accuracies():
    scored = make_scored()
    labels = scored.label(np.full(7, 0.3))
    expected = bootstrap_intervals(labels, scored.targets, scored.recordings.tolist())
    intervals = _report()["intervals"]
    for name in ("top1", "mean_class_accuracy", "macro_f1"):
        assert intervals[name] == vars(expected[name])
        assert intervals[name]["low"] < intervals[name]["estimate"] < intervals[name]["high"]


def test_many_labels_have_no_accuracies():
    report = _report(replace(make_scored(), task="multi"))
    assert report["task"] == "multi"
    for name in ("classification", "confusion", "unknown_below", "coverage_curve", "history"):
        assert report[name] is None
    assert "top1" not in report["intervals"]
    assert "top1" not in report["per_resolution"][0]
    assert "confused_with" not in report["per_class"][0]


def test_what_a_class_is_confused_with():
    report = _report()
    matrix = np.array(report["confusion"])
    for index, row in enumerate(report["per_class"]):
        wrong = np.delete(matrix[index], index)
        assert row["confused_clips"] == wrong.max(initial=0)
        if wrong.any():
            assert row["confused_with"] == np.delete([*NAMES, "unknown"], index)[wrong.argmax()]
    assert report["per_class"][6]["confused_with"] is None


def test_clips_with_several_labels_are_named():
    scored = make_scored()
    scored.targets[3, :2] = True
    with pytest.raises(DataError, match=r"clip c3 has [23] labels, but the model gives"):
        _report(scored)


def test_the_comparison_tells_both_accuracies():
    scored = make_scored()
    worse = replace(scored, scores=np.roll(scored.scores, 1, axis=1))
    comparison = _report(baseline=(worse, np.zeros(7)))["comparison"]
    truth = scored.targets.argmax(axis=1)
    assert comparison["top1"] == (truth == _given(scored, 0.3)).mean()
    assert comparison["baseline_top1"] == (truth == worse.scores.argmax(axis=1)).mean()
    with pytest.raises(DataError, match="compare runs of one task"):
        _report(baseline=(replace(worse, task="multi"), np.zeros(7)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    baseline = (make_scored(), np.zeros(7))
    report = _report(baseline=baseline, history=HISTORY)
    return write_report(report, tmp_path_factory.mktemp("single")).parent


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_shows_accuracy_first(page):
    top1 = f"{100 * _report()['classification']['top1']:.1f} %"
    text = " ".join(page.text.split())
    assert page.open == []
    assert text.index(top1) < text.index("top-1 accuracy, 95 % interval") < text.index("Scores")
    assert "threshold a label" not in text
    for word in ("most often confused with", "Certainty", "Probabilities", "Training", NAMES[1]):
        assert word in text
    assert "weighted" not in text
    assert "b" not in page.tags
    assert "Top-1 " in text  # of both runs, in the comparison


def test_the_page_holds_the_pictures_of_one_label(folder, page):
    names = {path.stem for path in folder.glob("*.png")}
    assert names == {
        *("per_class", "per_resolution", "confusion", "coverage", "reliability", "learning"),
    }
    assert len(page.alts) == 6
    assert all(page.alts)


def test_files_beside_the_page(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report == _report(baseline=(make_scored(), np.zeros(7)), history=HISTORY)
    with (folder / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["threshold"]) for row in rows] == [0.3] * 7
    assert rows[6]["confused_with"] == ""


def _printed(report):
    console = Console(file=io.StringIO(), width=120)
    print_report(report, console)
    return console.file.getvalue()


def test_the_terminal_shows_each_score_beside_chance():
    report = _report()
    lines = [line for line in _printed(report).splitlines() if line.startswith("│ ")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    names = [row[0] for row in cells]
    assert names[:4] == ["top-1", "top-5", "mean per-class accuracy", "macro F1"]
    top1, most = report["classification"]["top1"], report["guessers"][0]["top1"]
    assert cells[0][1] == f"{100 * top1:.1f}"
    assert " to " in cells[0][3]
    assert cells[0][2] == f"{100 * most:.1f}"
    assert cells[1][3] == "–"  # there is no interval of top-5
    assert any(row[0] == NAMES[1] for row in cells)


def test_unknown_clips_in_words():
    share = f"{100 * _report()['classification']['unknown']:.1f}"
    printed = _printed(_report())
    assert f"{share} % of the clips are given no class (unknown): no class of theirs" in printed
    assert "Every clip is given a class." in _printed(_report(limit=0))
    assert "they could not be read" in _printed(_report(make_scored(num_unreadable=2), limit=0))
