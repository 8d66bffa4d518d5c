from pathlib import Path

import numpy as np
import pytest

from lilliput.experiments.figures import draw_curves, draw_runs, draw_training, read_curves


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
    axes = draw_curves({"short": np.array([[0.5]])}).axes[0]
    assert axes.lines[0].get_marker() == "o"
