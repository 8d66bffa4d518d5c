"""Uncertain clips become a data set that training takes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint, Description
from lilliput.config import Config
from lilliput.data import LabelSet, read_dataset
from lilliput.data.task import find_task
from lilliput.errors import ConfigError
from lilliput.video.decode import decode_video
from lilliput.video.normalisation import KINETICS
from lilliput.watch.events import WindowScores
from lilliput.watch.scene import Box, Frame
from lilliput.watch.settings import EventSettings
from lilliput.watch.uncertain import UncertainClips
from lilliput.watch.windows import TrackWindow

FPS = 8


def model_of(config: Config, *names: str) -> Description:
    labels = LabelSet.from_names(names or ("walk", "wave"))
    return Description(
        config=config,
        labels=labels,
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.5,) * len(labels),
    )


def window_of(track: int, first: int, side: int = 20, count: int = 8) -> TrackWindow:
    rng = np.random.default_rng([track, first])
    frames = tuple(
        Frame(first + n, (first + n) / FPS, rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        for n in range(count)
    )
    start = first / FPS
    return TrackWindow(track, start, start + count / FPS, frames, Box(3, 5, 3 + side, 5 + side), ())


def offer(clips: UncertainClips, camera: str, window: TrackWindow, *scores: float) -> None:
    found = WindowScores(window.track, window.start_seconds, window.end_seconds, np.array(scores))
    clips.of(camera)(window, found)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_only_what_is_near_a_threshold_is_saved(micro_config: Config, tmp_path: Path) -> None:
    settings = EventSettings(onset={"wave": 0.75})
    clips = UncertainClips(tmp_path, model_of(micro_config), settings, margin=0.125)
    offer(clips, "gate", window_of(1, 0), 0.1, 0.2)
    offer(clips, "gate", window_of(2, 0), 0.9, 0.5)
    assert (clips.num_saved, rows_of(tmp_path)) == (0, [])
    offer(clips, "gate", window_of(3, 0), 0.55, 0.1)
    offer(clips, "gate", window_of(4, 0), 0.9, 0.8)
    offer(clips, "gate", window_of(5, 0), 0.46, 0.7)
    assert clips.num_saved == 3
    kept = [(row["group"], row["labels"], row["uncertain"]) for row in rows_of(tmp_path)]
    assert kept == [
        ("gate/3", "walk", "walk"),
        ("gate/4", "walk|wave", "wave"),
        ("gate/5", "|", "walk"),
    ]


def test_of_one_label_the_lead_counts(micro_single: Checkpoint, tmp_path: Path) -> None:
    model = model_of(micro_single.config, "walk", "wave", "sit")
    settings = EventSettings(onset=dict.fromkeys(("walk", "wave", "sit"), 0.4))
    clips = UncertainClips(tmp_path, model, settings, margin=0.0625)
    offer(clips, "gate", window_of(1, 0), 0.9, 0.06, 0.04)
    offer(clips, "gate", window_of(2, 0), 0.1, 0.3, 0.2)  # below, and by far
    assert rows_of(tmp_path) == []
    offer(clips, "gate", window_of(3, 0), 0.48, 0.03, 0.49)
    offer(clips, "gate", window_of(4, 0), 0.22, 0.42, 0.36)
    offer(clips, "gate", window_of(5, 0), 0.31, 0.35, 0.34)
    kept = [(row["group"], row["labels"], row["uncertain"]) for row in rows_of(tmp_path)]
    assert kept == [
        ("gate/3", "sit", "walk"),
        ("gate/4", "wave", "wave"),
        ("gate/5", "wave", "sit"),
    ]


def test_clips_of_one_label_stay_a_set_of_one_label(
    micro_single: Checkpoint, tmp_path: Path
) -> None:
    clips = UncertainClips(tmp_path, model_of(micro_single.config), EventSettings())
    for track in range(1, 25):
        offer(clips, "gate", window_of(track, 0, 14, 4), 0.49 - 0.02 * (track % 2), 0.48)
    dataset = read_dataset(tmp_path / "manifest.csv")
    assert dataset.problems == ()
    assert find_task(dataset, ("train", "val"), "auto") == "single"


def test_of_windows_that_overlap_one_is_saved(micro_config: Config, tmp_path: Path) -> None:
    clips = UncertainClips(tmp_path, model_of(micro_config), EventSettings())
    camera = clips.of("gate")
    for first in (0, 4, 8, 12, 16):
        for track in (1, 2):
            if (first, track) == (0, 2):
                continue
            window = window_of(track, first)
            scores = WindowScores(
                track, window.start_seconds, window.end_seconds, np.array([0.5, 0.0])
            )
            camera(window, scores)
    assert [row["id"] for row in rows_of(tmp_path)] == [
        "gate/1/0", "gate/2/4", "gate/1/8", "gate/2/12", "gate/1/16"
    ]  # fmt: skip


@pytest.mark.parametrize(("side", "even"), [(20, 20), (21, 20), (2, 2)])
def test_clips_are_the_crops_of_the_window(
    micro_config: Config, tmp_path: Path, side: int, even: int
) -> None:
    clips = UncertainClips(tmp_path, model_of(micro_config), EventSettings())
    window = window_of(1, 0, side=side)
    offer(clips, "gate", window, 0.5, 0.0)
    (row,) = rows_of(tmp_path)
    video = decode_video(tmp_path / row["path"])
    assert video.fps == FPS
    found = video[:].permute(0, 2, 3, 1).numpy()
    assert found.shape == (8, even, even, 3)
    # 4:2:0 keeps the brightness; noise has lost its colours.
    luma = np.array([0.299, 0.587, 0.114])
    true = np.stack([crop[:even, :even] for crop in window.crops()])
    assert np.corrcoef((found @ luma).ravel(), (true @ luma).ravel())[0, 1] > 0.9


def test_a_single_px_is_no_clip(micro_config: Config, tmp_path: Path) -> None:
    clips = UncertainClips(tmp_path, model_of(micro_config), EventSettings())
    offer(clips, "gate", window_of(1, 0, side=1), 0.5, 0.0)
    assert rows_of(tmp_path) == []


def fill(folder: Path, config: Config) -> int:
    clips = UncertainClips(folder, model_of(config), EventSettings())
    for track in range(1, 25):
        for first in (0, 16):
            offer(clips, "gate", window_of(track, first, 14, 4), 0.45 + 0.1 * (track % 2), 0.55)
    return clips.num_saved


def test_the_data_set_is_read_and_trained_on(
    micro_config: Config, micro_recipe: Path, tmp_path: Path, run_cli
) -> None:
    folder = tmp_path / "uncertain"
    assert fill(folder, micro_config) == 48
    before = (folder / "manifest.csv").read_bytes()
    assert fill(folder, micro_config) == 0  # the same footage again: nothing new
    assert (folder / "manifest.csv").read_bytes() == before
    dataset = read_dataset(folder / "manifest.csv")
    assert dataset.problems == ()
    assert dataset.labels.class_names == ("walk", "wave")
    splits = {split: {c.recording for c in clips} for split, clips in dataset.splits.items()}
    assert set(splits) == {"train", "val"}
    assert not splits["train"] & splits["val"]  # no actor is in both
    assert len(splits["val"]) < len(splits["train"])
    assert sum(map(len, dataset.splits.values())) == 48
    labels = {c.clip_id: c.labels for clips in dataset.splits.values() for c in clips}
    assert labels["gate/1/0"] == (0, 1)
    assert labels["gate/2/16"] == (1,)
    code, _, err = run_cli(
        "train", micro_recipe, "--data", folder / "manifest.csv", "--run", tmp_path / "run"
    )
    assert code == 0, err
    assert (tmp_path / "run" / "best.safetensors").is_file()


@pytest.mark.parametrize("name", ["a|b", " a", "a "])
def test_a_name_that_a_manifest_cannot_hold(
    micro_config: Config, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigError, match="cannot stand in a manifest") as error:
        UncertainClips(tmp_path, model_of(micro_config, "walk", name), EventSettings())
    assert "\n" not in str(error.value)
