"""Quality in time and space, by hand and on drawn footage."""

from pathlib import Path

import numpy as np
import pytest

from lilliput.config import Config
from lilliput.data.tubes import ActionTube
from lilliput.errors import DataError
from lilliput.watch.actions import EventRule
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.evaluation import ScoredRecording, ScoredTrack, score_recordings
from lilliput.watch.events import WindowScores
from lilliput.watch.pipeline import Watcher
from lilliput.watch.placing import (
    detections_in_frames,
    evaluate_in_space,
    find_tubelets,
    true_tubelets,
)
from lilliput.watch.scene import Box
from lilliput.watch.settings import EventSettings
from tests.watch.bright import SIZE, BrightOrDark, whole, write_footage

FPS = 8.0
CLASSES = ("walk", "wave")
PLAIN = EventSettings(offset_ratio=1.0, min_on_seconds=0, min_off_seconds=0)
HALF = EventRule((0.5, 0.5), PLAIN)


def recording(boxes: dict[int, Box]) -> ScoredRecording:
    """One track of 2 s; walk is on in its first cell, 0 to 6 frames, then it is 0.2."""
    windows = [
        WindowScores(1, n / 2, n / 2 + 1, np.array(row))
        for n, row in enumerate([[0.9, 0.1], [0.2, 0.1], [0.2, 0.1]])
    ]
    return ScoredRecording("r", FPS, 16, (ScoredTrack(0.0, 2.0, windows, boxes),))


def tube(start: int, count: int, box, action: str = "walk") -> ActionTube:
    return ActionTube(action, start, np.repeat([box], count, axis=0).astype(float))


def test_events_have_the_boxes_of_their_track() -> None:
    boxes = {0: Box(0, 0, 10, 10), 4: Box(8, 0, 18, 10), 5: Box(8, 0, 18, 10)}
    one = recording(boxes)
    smooth = HALF.settings.smoothing_seconds
    (found,) = find_tubelets(one, EventRule((0.3, 0.5), PLAIN))
    assert (found.recording, found.label, found.start_frame) == ("r", 0, 0)
    assert found.boxes[:6, 0].tolist() == [0, 2, 4, 6, 8, 8]
    frames = list(detections_in_frames(one, true_tubelets(one, {}, CLASSES), 2, smooth))
    assert [frame.boxes[0, 0] for frame in frames] == [0, 2, 4, 6, *[8] * 12]
    assert all(frame.scores.shape == (1, 2) for frame in frames)


def test_right_wrong_place_and_cut_off() -> None:
    still = Box(0, 0, 10, 10)
    one = recording({0: still, 15: still})
    rule = EventRule((0.3, 0.5), PLAIN)
    (event,) = find_tubelets(one, rule)
    right = {"r": [tube(0, len(event.boxes), still)]}
    scores = evaluate_in_space([one], right, CLASSES, rule)
    assert (scores.videos[0.5].mean, scores.videos[0.95].mean) == (1, 1)
    wrong = {"r": [tube(0, len(event.boxes), (50, 50, 60, 60))]}
    scores = evaluate_in_space([one], wrong, CLASSES, rule)
    assert (scores.frames.mean, scores.videos[0.2].mean) == (0, 0)
    everywhere = {"r": [tube(0, 99, still)]}  # longer than the recording
    assert evaluate_in_space([one], everywhere, CLASSES, rule).frames.mean == 1
    assert np.isnan(scores.frames.per_class[1])


def test_mistakes() -> None:
    one = recording({0: Box(0, 0, 10, 10)})
    with pytest.raises(DataError, match="does not know the action 'fly'"):
        true_tubelets(one, {"r": [tube(0, 3, (0, 0, 1, 1), "fly")]}, CLASSES)
    with pytest.raises(DataError, match="begins at frame 16, but there are 16"):
        true_tubelets(one, {"r": [tube(16, 3, (0, 0, 1, 1))]}, CLASSES)


def test_watching_keeps_the_boxes(micro_config: Config, tmp_path: Path) -> None:
    path = write_footage(tmp_path / "r.mp4", 4.0, whole((1, 2.5, 235)))
    camera = CameraSettings(name="r", source=str(tmp_path), detector="none")
    watcher = Watcher(BrightOrDark(micro_config), camera)
    (scored,) = score_recordings(watcher, {"r": path})
    (track,) = scored.tracks
    assert set(track.boxes.values()) == {Box(0, 0, *SIZE)}
    assert sorted(track.boxes) == list(range(scored.num_frames))
    bright = {"r": [tube(10, 15, (0, 0, *SIZE), "bright")]}
    scores = evaluate_in_space([scored], bright, watcher.class_names, watcher.rule)
    assert scores.videos[0.5].per_class[0] == 1
    assert scores.frames.per_class[0] > 0.8
