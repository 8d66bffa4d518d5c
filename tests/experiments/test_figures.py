from pathlib import Path

import numpy as np
import pytest

from lilliput.experiments.figures import draw_panels, draw_runs, draw_training, read_curves


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two seeds of two epochs."""
    for seed, scores in enumerate(((0.2, 0.4), (0.3, 0.6))):
        rows = [f"{epoch},{f1},{f1 / 2},{f1 / 4}" for epoch, f1 in enumerate(scores, start=1)]
        head = "epoch,val_f1,val_precision,val_recall"
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    return [tmp_path / "0", tmp_path / "1"]


def test_curves_are_read_by_seed(folders: list[Path]) -> None:
    np.testing.assert_allclose(read_curves(folders, "val_f1"), [[0.2, 0.4], [0.3, 0.6]])
    np.testing.assert_allclose(read_curves(folders, "val_recall"), [[0.05, 0.1], [0.075, 0.15]])


def test_several_seeds_are_a_mean_in_a_band(folders: list[Path]) -> None:
    figure = draw_runs({"both": folders, "one": folders[:1]}, "val_f1")
    axes = figure.axes[0]
    both, one = axes.lines
    np.testing.assert_allclose(both.get_ydata(), [25, 50])
    np.testing.assert_allclose(one.get_ydata(), [20, 40])
    (band,) = axes.collections  # one seed has none
    (path,) = band.get_paths()
    heights = path.vertices[:, 1]
    assert heights.max() == pytest.approx(50 + 20 / 2**0.5)
    assert axes.get_ylabel() == "validation macro F1, %"


def test_training_shows_three_scores(folders: list[Path]) -> None:
    axes = draw_training(folders[:1]).axes[0]
    assert [line.get_label() for line in axes.lines] == [
        "macro F1", "macro precision", "macro recall",
    ]  # fmt: skip
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [10, 20])


def test_a_single_epoch_is_seen() -> None:
    axes = draw_panels({"score": {"short": np.array([[0.5]])}}).axes[0]
    assert axes.lines[0].get_marker() == "o"


def _note(folder: Path, column: str, values: list[str]) -> None:
    path = folder / "history.csv"
    head, *rows = path.read_text().splitlines()
    rows = [f"{row},{value}" for row, value in zip(rows, values, strict=True)]
    path.write_text("\n".join([f"{head},{column}", *rows]) + "\n")


def test_f1_is_drawn_over_samples_too_where_every_training_has_it(folders: list[Path]) -> None:
    runs = {"red": folders[:1], "blue": folders[1:]}
    assert len(draw_runs(runs, "val_f1").axes) == 1  # trainings of before it was noted
    _note(folders[0], "val_samples_f1", ["0.7", "0.8"])
    assert len(draw_runs(runs, "val_f1").axes) == 1
    _note(folders[1], "val_samples_f1", ["0.6", "0.9"])
    macro, samples = draw_runs(runs, "val_f1").axes
    assert (macro.get_ylabel(), samples.get_ylabel()) == (
        "validation macro F1, %", "validation samples F1, %",
    )  # fmt: skip
    np.testing.assert_allclose(samples.lines[0].get_ydata(), [70, 80])
    np.testing.assert_allclose(samples.lines[1].get_ydata(), [60, 90])
    assert len(draw_runs(runs, "val_recall").axes) == 1


def test_figure_4_6_has_the_training_clips_beside_the_validation_clips(folders: list[Path]) -> None:
    _note(folders[0], "train_f1", ["nan", "0.5"])  # resumed: began before it was noted
    assert len(draw_training(folders[:1]).axes) == 1
    _note(folders[1], "train_f1", ["0.4", "0.5"])
    _, others = draw_training(folders[1:]).axes
    assert [line.get_label() for line in others.lines] == ["training, macro F1"]
    np.testing.assert_allclose(others.lines[0].get_ydata(), [40, 50])
