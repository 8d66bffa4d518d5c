import io

import numpy as np
import pytest

from lilliput.evaluation.breakdown import rows_per_side
from lilliput.evaluation.plots import draw_figures, draw_per_class, draw_per_side
from lilliput.evaluation.plots.confusion import draw_confusion
from lilliput.evaluation.plots.learning import draw_learning
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips
from tests.evaluation.single import NAMES, make_scored

TARGETS = np.array([[1, 0, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]], bool)
SCORES = np.array([[0.9, 0.1, 0.1], [0.2, 0.7, 0.1], [0.8, 0.8, 0.1], [0.6, 0.1, 0.1]])


def _figures(thresholds=(0.5, 0.5, 0.5)):
    scored = ScoredClips(
        clip_ids=np.arange(4).astype(str),
        recordings=np.array(list("abcd")),
        sides=np.array([10, 15, 70, 70]),
        scores=SCORES,
        targets=TARGETS,
        class_names=np.array(["$bad_{math$", "walk", "rare"]),
        unreadable=np.array([], dtype=str),
    )
    return draw_figures(evaluate_report(scored, np.array(thresholds), ReportContext("", "", {})))


def test_bars_of_the_classes_are_shares_of_all_their_clips():
    axes = _figures()["per_class"].axes[0]
    widths = [[bar.get_width() for bar in container] for container in axes.containers]
    starts = [[bar.get_x() for bar in container] for container in axes.containers]
    # Most frequent first. Recognised, missed, false alarm: 2 1 1, then 1 0 1, then 0 1 0.
    np.testing.assert_allclose(np.transpose(widths), [[50, 25, 25], [50, 0, 50], [0, 100, 0]])
    np.testing.assert_allclose(np.transpose(starts), [[0, 50, 75], [0, 50, 50], [0, 0, 100]])


def test_numbers_stand_beside_their_class():
    axes = _figures()["per_class"].axes[0]
    (numbers,) = axes.child_axes
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["$bad_{math$", "walk", "rare"]
    assert [t.get_text() for t in numbers.get_yticklabels()] == [
        "2 · 1 · 1",
        "1 · 0 · 1",
        "0 · 1 · 0",
    ]


def test_an_absent_class_says_so():
    counts = {"support": 0, "true_positives": 0, "false_positives": 0, "false_negatives": 0}
    row = {"name": "never", "absent": True, **counts}
    (numbers,) = draw_per_class({"per_class": [row]}).axes[0].child_axes
    assert [tick.get_text() for tick in numbers.get_yticklabels()] == ["absent"]


def test_bars_of_the_sizes():
    axes = _figures()["per_resolution"].axes[0]
    macro, micro = ([bar.get_height() for bar in container] for container in axes.containers)
    # 0–20 px: classes 0 and 2 with F1 2/3 and 0; 1 hit, 2 predicted, 3 annotated.
    assert (macro[0], micro[0]) == (pytest.approx(100 / 3), pytest.approx(100 * 2 / 5))
    # 60–80 px: classes 0 and 1 with F1 2/3 and 1; 2 hits, 3 predicted, 2 annotated.
    assert (macro[3], micro[3]) == (pytest.approx(100 * 5 / 6), pytest.approx(80))
    labels = [tick.get_text() for tick in axes.get_xticklabels()]
    assert (labels[0], labels[1]) == ("0–20\n2 clips", "20–40\n0 clips")
    numbers = [text.get_text() for text in axes.texts]
    assert numbers[:7] == ["33", "", "", "83", "", "", ""]  # nothing, not 0, for an empty group


def test_the_curve_and_the_one_threshold_in_use():
    axes = _figures()["thresholds"].axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["in use: 0.500"].get_xdata()) == [0.5, 0.5]
    curve = dict(zip(lines["F1"].get_xdata(), lines["F1"].get_ydata(), strict=True))
    assert curve[0.5] == pytest.approx(100 * (2 / 3 + 2 / 3 + 0) / 3)
    assert lines["recall"].get_ydata()[0] == 100 and lines["recall"].get_ydata()[-1] == 0


def test_the_curve_and_thresholds_of_the_classes_own():
    axes = _figures((0.7, 0.5, 0.7))["thresholds"].axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["in use, per class"].get_xdata()) == [0.5, 0.7]
    # Above 0.7 the first class loses its false alarm: F1 2·2/(2+3).
    assert lines["F1 with these"].get_ydata()[0] == pytest.approx(100 * (0.8 + 2 / 3 + 0) / 3)


@pytest.fixture(scope="module")
def single():
    return evaluate_report(make_scored(), np.full(7, 0.3), ReportContext("", "", {}))


def test_the_confusion_matrix_has_its_counts_and_names(single):
    axes = draw_confusion(single).axes[0]
    counts = np.array(single["confusion"])
    shown = {tuple(reversed(text.get_position())): text.get_text() for text in axes.texts}
    assert shown == {place: str(n) for place, n in np.ndenumerate(counts) if n}
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == NAMES
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [*NAMES, "unknown"]


@pytest.mark.parametrize("num_classes", [2, 30, 60])
def test_confusion_matrices_of_any_size(num_classes):
    counts = np.column_stack([np.eye(num_classes, dtype=int) * 1200, np.zeros(num_classes, int)])
    names = [{"name": f"$a_{{{index}"} for index in range(num_classes)]
    figure = draw_confusion({"confusion": counts.tolist(), "per_class": names})
    figure.savefig(io.BytesIO(), dpi=30)
    axes = figure.axes[0]
    assert len(axes.get_xticklabels()) == num_classes  # no clip is unknown
    assert len(axes.texts) == (num_classes if num_classes <= 40 else 0)


def test_the_coverage_in_use_lies_on_its_curve(single):
    axes = draw_figures(single)["coverage"].axes[0]
    curve, used = axes.lines
    assert used.get_label() == "in use: unknown below 0.300"
    (answered,), (right,) = used.get_data()
    place = int(np.argmin(np.abs(curve.get_xdata() - answered)))
    assert curve.get_xdata()[place] == pytest.approx(answered)
    assert curve.get_ydata()[place] == pytest.approx(right)


def test_bars_and_lines_of_the_reliability(single):
    bars, counts = draw_figures(single)["reliability"].axes
    bins = single["reliability"]["bins"]
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == [100 * (one["accuracy"] or 0) for one in bins]
    assert [bar.get_height() for bar in counts.patches] == [one["count"] for one in bins]
    lines = [line.get_ydata()[0] for line in bars.lines if len(line.get_xdata()) == 2][:-1]
    assert lines == [100 * one["confidence"] for one in bins if one["count"]]


@pytest.mark.parametrize("task", ["single", "multi"])
def test_learning_curves(task):
    top1 = [0.5, 0.75] if task == "single" else [None, None]
    samples = [None, None] if task == "single" else [0.75, 0.8]
    history = {"epoch": [1, 2], "train_loss": [2, 1], "val_loss": [2, None],
               "val_f1": [0.25, 0.5], "val_map": [0.5, 0.5], "val_top1": top1,
               "val_samples_f1": samples}  # fmt: skip
    loss, scores = draw_learning({"history": history, "task": task}).axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    curves = {line.get_label(): list(line.get_ydata()) for line in scores.lines}
    expected = {"macro F1": [25, 50], "mAP": [50, 50]}
    other = {"top-1": [50, 75]} if task == "single" else {"samples F1 at 0.5": [75, 80]}
    assert curves == expected | other


def test_all_figures_render(single):
    assert set(draw_figures(single)) == {
        *("per_class", "per_resolution", "confusion", "coverage", "reliability"),
    }
    for figure in [*_figures().values(), *draw_figures(single).values()]:
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=30)
        assert png.getvalue().startswith(b"\x89PNG")


def test_figure_4_16_has_a_point_for_every_size_of_clips() -> None:
    targets = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0], [1, 0]], dtype=bool)
    labels = np.array([[1, 0], [0, 0], [0, 1], [1, 0], [0, 0], [0, 0]], dtype=bool)
    scored = ScoredClips(
        clip_ids=np.array(list("abcdef")),
        recordings=np.array(list("abcdef")),
        sides=np.array([64, 10, 64, 64, 30, 0]),  # the last of unknown size
        scores=labels.astype(np.float32),
        targets=targets,
        class_names=np.array(["x", "y"]),
        unreadable=np.array([], dtype=str),
    )
    rows = rows_per_side(labels, scored)
    assert [(row["side"], row["clips"]) for row in rows] == [(10, 1), (30, 1), (64, 3)]
    # At 64 px class x is right twice, class y once of twice.
    assert rows[2]["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert rows[1]["macro_f1"] is None  # no label in any clip of 30 px
    axes, counts = draw_per_side(rows).axes
    macro, micro = axes.lines
    np.testing.assert_allclose(macro.get_xdata(), [10, 64])
    np.testing.assert_allclose(macro.get_ydata(), [0, 100 * 5 / 6])
    np.testing.assert_allclose(micro.get_ydata(), [0, 100 * 6 / 7])
    assert [bar.get_height() for bar in counts.patches] == [1, 1, 3]
