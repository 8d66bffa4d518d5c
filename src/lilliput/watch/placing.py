"""Quality in time and space: events with boxes, held to annotated tubes (thesis section 2.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lilliput.data.tubes import ActionTube
from lilliput.errors import DataError
from lilliput.scoring.detection import FrameDetections, frame_box_map, video_map
from lilliput.scoring.spans import MeanPrecision
from lilliput.scoring.tubelets import Tubelet
from lilliput.watch.actions import EventRule
from lilliput.watch.evaluation import (
    ScoredRecording,
    ScoredTrack,
    check_actions,
    spans_of_track,
)


@dataclass(frozen=True)
class PlaceScores:
    """How well actions are found where and when they happen.

    Attributes:
        frames: Mean average precision of boxes in single frames at an overlap of 0.5, from the
            smoothed scores of every track and class: no threshold decides.
        videos: Mean average precision of events with their boxes, by the least overlap.
    """

    frames: MeanPrecision
    videos: Mapping[float, MeanPrecision]


def evaluate_in_space(
    recordings: Sequence[ScoredRecording],
    truth: Mapping[str, Sequence[ActionTube]],
    class_names: Sequence[str],
    rule: EventRule,
) -> PlaceScores:
    """Holds what was found in recordings to annotated tubes.

    Raises:
        DataError: An annotated action is no class of the model, or lies behind the end.
    """
    num_classes, width = len(class_names), rule.settings.smoothing_seconds
    true = {one.name: true_tubelets(one, truth, class_names) for one in recordings}
    frames = (
        frame
        for one in recordings
        for frame in detections_in_frames(one, true[one.name], num_classes, width)
    )
    found = [tubelet for one in recordings for tubelet in find_tubelets(one, rule)]
    every = [tubelet for tubelets in true.values() for tubelet in tubelets]
    return PlaceScores(frame_box_map(frames, num_classes), video_map(found, every, num_classes))


def find_tubelets(recording: ScoredRecording, rule: EventRule) -> Iterator[Tubelet]:
    """The events of a recording with the boxes of their tracks; straight lines where unseen."""
    for track in recording.tracks:
        for span in spans_of_track(recording, track, rule) if track.boxes else ():
            first, after = int(span.start), max(int(span.end), int(span.start) + 1)
            boxes = _boxes(track, first, after)
            yield Tubelet(recording.name, span.label, first, boxes, span.score)


def true_tubelets(
    recording: ScoredRecording,
    truth: Mapping[str, Sequence[ActionTube]],
    class_names: Sequence[str],
) -> list[Tubelet]:
    """The annotated tubes of a recording, cut off where it ends.

    Raises:
        DataError: An action is no class of the model, or begins behind the end.
    """
    check_actions({recording.name: truth.get(recording.name, ())}, class_names)
    label = {name: index for index, name in enumerate(class_names)}
    tubelets = []
    for tube in truth.get(recording.name, ()):
        boxes = tube.boxes[: max(0, recording.num_frames - tube.start_frame)]
        if not len(boxes):
            raise DataError(
                f"recording '{recording.name}': {tube.action} begins at frame {tube.start_frame}, "
                f"but there are {recording.num_frames}; give frames, counted from 0"
            )
        tubelets.append(Tubelet(recording.name, label[tube.action], tube.start_frame, boxes))
    return tubelets


def detections_in_frames(
    recording: ScoredRecording, true: Sequence[Tubelet], num_classes: int, smoothing_seconds: float
) -> Iterator[FrameDetections]:
    """Boxes and smoothed scores of all tracks, and the true boxes, frame by frame."""
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(recording.num_frames)]
    there: list[list[tuple[np.ndarray, int]]] = [[] for _ in range(recording.num_frames)]
    for track in recording.tracks:
        for cell in track.cells(smoothing_seconds) if track.boxes else ():
            ends = (round(seconds * recording.fps) for seconds in (cell.start, cell.end))
            first, after = (min(end, recording.num_frames) for end in ends)
            for frame, box in zip(range(first, after), _boxes(track, first, after), strict=True):
                found[frame].append((box, cell.scores))
    for tubelet in true:
        for frame, box in enumerate(tubelet.boxes, start=tubelet.start_frame):
            there[frame].append((box, tubelet.label))
    for seen, right in zip(found, there, strict=True):
        yield FrameDetections(
            np.array([box for box, _ in seen]).reshape(-1, 4),
            np.array([scores for _, scores in seen]).reshape(-1, num_classes),
            np.array([box for box, _ in right]).reshape(-1, 4),
            np.array([label for _, label in right], dtype=np.int64),
        )


def _boxes(track: ScoredTrack, first: int, after: int) -> np.ndarray:
    """(after - first, 4); the first and the last box that are known hold beyond."""
    known = sorted(track.boxes)
    sides = np.array([track.boxes[frame] for frame in known], dtype=np.float64).T
    every = np.arange(first, after)
    return np.stack([np.interp(every, known, side) for side in sides], axis=1)
