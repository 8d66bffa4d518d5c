from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from lilliput.data import read_dataset
from lilliput.data.describe import RESOLUTION_GROUPS, describe, resolution_group
from lilliput.data.plots import plot_class_resolutions, plot_clips_per_class


@pytest.mark.parametrize(
    ("side", "group"),
    [
        (1, "0–20"),
        (19, "0–20"),
        (20, "20–40"),
        (99, "80–100"),
        (100, "100–128"),
        (128, "100–128"),
        (129, ">128"),
        (2160, ">128"),
    ],
)
def test_resolution_groups(side: int, group: str) -> None:
    assert RESOLUTION_GROUPS[resolution_group(side)] == group


def test_counts_by_hand(tiny: Path, make_video: Callable[..., Path]) -> None:
    videos = tiny / "videos/train/VIRAT_S_000101_a"
    make_video(videos / "0.mp4", frames=7, size=(44, 30))  # labels: a
    (videos / "1.mp4").write_bytes(b"no video")  # labels: b and a
    ticks: list[None] = []
    description = describe(read_dataset(tiny), lambda: ticks.append(None))
    train, val, test = description.splits.values()
    assert len(ticks) == 7
    assert (train.clips, train.readable) == (4, 3)
    assert train.frames == (5.0, 4, 7)  # (7 + 4 + 4) / 3
    assert train.sides_px == (16, 44)
    assert train.clips_per_resolution == (2, 1, 0, 0, 0, 0, 0)
    assert train.labels_per_clip == 1.25
    assert train.multi_label is True
    assert train.clips_per_class == (2, 3)  # b: clips 1, 2; a: clips 0, 1, 3
    # Readable only: b in clip 2; a in clips 0 (30 px) and 3.
    assert train.class_resolutions == ((1, 0, 0, 0, 0, 0, 0), (1, 1, 0, 0, 0, 0, 0))
    assert val.multi_label is False
    assert val.clips_per_class == (1, 1)
    assert (test.clips, test.labelled, test.clips_per_class) == (1, False, None)
    assert len(description.unreadable) == 1
    assert "VIRAT_S_000101_a/1.mp4" in description.unreadable[0]


def test_split_without_any_readable_clip(tiny: Path) -> None:
    for path in (tiny / "videos/val").rglob("*.mp4"):
        path.unlink()
    val = describe(read_dataset(tiny)).splits["val"]
    assert (val.clips, val.readable, val.frames, val.sides_px) == (2, 0, (0.0, 0, 0), (0, 0))


def test_figures_show_the_counts(tiny: Path, tmp_path: Path) -> None:
    description = describe(read_dataset(tiny))
    figure = plot_clips_per_class(description)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b", "a"]  # a on top: 4 > 3
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [[2, 3], [1, 1]]
    figure.savefig(tmp_path / "a.png")
    assert np.ptp(imread(tmp_path / "a.png")[..., :3]) > 0.5
    (axes,) = plot_class_resolutions(description).axes
    assert [[bar.get_width() for bar in bars] for bars in axes.containers] == [[1, 1]]


def test_figures_of_unreadable_clips(tiny: Path, tmp_path: Path) -> None:
    for path in tiny.rglob("*.mp4"):
        path.unlink()
    description = describe(read_dataset(tiny))
    assert len(description.unreadable) == 7
    for plot in (plot_clips_per_class, plot_class_resolutions):
        plot(description).savefig(tmp_path / "a.png")
        assert (tmp_path / "a.png").stat().st_size > 0
