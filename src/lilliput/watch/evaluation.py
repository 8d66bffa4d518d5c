"""Quality in time: whole recordings are watched, and their events held to annotated ones.

The scores of the windows are kept, so that other settings can be tried without recognising again.
"""

import csv
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lilliput.data.spans import COLUMNS, ActionSpan
from lilliput.data.tubes import ActionTube
from lilliput.errors import DataError
from lilliput.scoring.detection import temporal_map
from lilliput.scoring.matching import DetectionScores
from lilliput.scoring.spans import MeanPrecision, Span, event_f1, frame_map
from lilliput.watch.actions import EventRule
from lilliput.watch.events import WindowScores
from lilliput.watch.footage import open_footage
from lilliput.watch.hysteresis import Cell, Smoother
from lilliput.watch.pipeline import Watcher
from lilliput.watch.scene import Box

_SLACK = 1e-6  # frames


@dataclass
class ScoredTrack:
    """One track and the scores of its windows; times in seconds.

    Attributes:
        start: When it is first there.
        end: When it is last seen.
        windows: Its windows' scores, in order.
        boxes: Where it is seen, by frame.
    """

    start: float
    end: float
    windows: list[WindowScores] = field(default_factory=list)
    boxes: dict[int, Box] = field(default_factory=dict)
    _cells: dict[float, list[Cell]] = field(default_factory=dict)

    def cells(self, smoothing_seconds: float) -> list[Cell]:
        """The smoothed scores, once all windows are there; made once for each width."""
        if smoothing_seconds not in self._cells:
            smoother = Smoother(self.start, smoothing_seconds)
            cells = [cell for window in self.windows for cell in smoother.add(window)]
            self._cells[smoothing_seconds] = cells + list(smoother.finish(self.end))
        return self._cells[smoothing_seconds]


@dataclass(frozen=True)
class ScoredRecording:
    """A recording that was watched.

    Attributes:
        name: The recording.
        fps: Frames per second of the file.
        num_frames: Its length.
        tracks: Who was in it.
    """

    name: str
    fps: float
    num_frames: int
    tracks: tuple[ScoredTrack, ...]


@dataclass(frozen=True)
class TimeScores:
    """How well actions are found when they happen.

    Attributes:
        frames: Mean average precision of single frames, from the smoothed scores.
        events: Precision, recall and F1 of events, by the least temporal IoU of a match.
        temporal: Mean average precision of events, likewise.
    """

    frames: MeanPrecision
    events: Mapping[float, DetectionScores]
    temporal: Mapping[float, MeanPrecision]


def score_recordings(
    watcher: Watcher,
    recordings: Mapping[str, Path],
    progress: Callable[[], None] = lambda: None,
) -> list[ScoredRecording]:
    """Watches every recording and keeps the scores of its windows.

    Raises:
        VideoError: A recording cannot be read.
    """
    scored = []
    for name, path in recordings.items():
        tracks: dict[int, ScoredTrack] = {}
        rate, last = 0.0, -1
        with open_footage(watcher.camera.model_copy(update={"source": str(path)})) as footage:
            for step in watcher.watch(footage):
                if step.scene is not None:
                    frame, last = step.scene.frame, step.scene.frame.index
                    # Footage may leave frames out; annotations count them all.
                    rate = last / frame.seconds if last > 0 else footage.fps
                    for tracked in step.scene.tracks:
                        track = tracks.setdefault(
                            tracked.track, ScoredTrack(frame.seconds, frame.seconds)
                        )
                        if tracked.is_seen:
                            track.end = frame.seconds + 1 / footage.fps
                            track.boxes[frame.index] = tracked.box
                for window in step.scores:
                    tracks[window.track].windows.append(window)
            scored.append(ScoredRecording(name, rate, last + 1, tuple(tracks.values())))
        progress()
    return scored


def find_spans(recording: ScoredRecording, rule: EventRule) -> Iterator[Span]:
    """The events of a recording, in whole frames; of each track by class."""
    for track in recording.tracks:
        yield from spans_of_track(recording, track, rule)


def spans_of_track(
    recording: ScoredRecording, track: ScoredTrack, rule: EventRule
) -> Iterator[Span]:
    """The events of one track, in whole frames, by class."""
    cells, actions = track.cells(rule.settings.smoothing_seconds), rule.begin()
    told = [news for cell in cells for news in actions.add(cell)]
    ended = [news for news in (*told, *actions.finish()) if news.kind == "end"]
    for _, label, span in sorted(ended, key=lambda news: news.label):
        first = np.floor(span.start * recording.fps + _SLACK)
        after = np.ceil(span.end * recording.fps - _SLACK)
        yield Span(recording.name, label, first, after, span.score)


def write_found(
    path: Path,
    recordings: Sequence[ScoredRecording],
    class_names: Sequence[str],
    rule: EventRule,
) -> None:
    """Writes the events of recordings: annotated actions' columns, and their scores."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*COLUMNS, "score"))
        for recording in recordings:
            for span in sorted(find_spans(recording, rule), key=lambda s: s.start):
                frames = int(span.start), int(span.end) - 1
                name = class_names[span.label]
                writer.writerow((recording.name, *frames, name, f"{span.score:.4f}"))


def evaluate_in_time(
    recordings: Sequence[ScoredRecording],
    truth: Mapping[str, Sequence[ActionSpan]],
    class_names: Sequence[str],
    rule: EventRule,
    ious: Sequence[float] = (0.3, 0.5),
) -> TimeScores:
    """Holds what was found in recordings to what is annotated.

    Raises:
        DataError: An annotated action is no class of the model, or nothing was watched.
    """
    true = true_spans(recordings, truth, class_names)
    found = [span for recording in recordings for span in find_spans(recording, rule)]
    width = rule.settings.smoothing_seconds
    scores = [frame_scores(recording, len(class_names), width) for recording in recordings]
    targets = np.zeros((sum(map(len, scores)), len(class_names)), dtype=bool)
    names: list[Hashable] = [recording.name for recording in recordings]
    first = dict(zip(names, np.cumsum([0, *map(len, scores)]), strict=False))
    for span in true:
        rows = slice(*(int(first[span.recording] + frame) for frame in (span.start, span.end)))
        targets[rows, span.label] = True
    return TimeScores(
        frame_map(np.concatenate(scores), targets),
        {iou: event_f1(found, true, len(class_names), min_iou=iou) for iou in ious},
        temporal_map(found, true, len(class_names)),
    )


def frame_scores(
    recording: ScoredRecording, num_classes: int, smoothing_seconds: float
) -> np.ndarray:
    """(F, K) smoothed scores of every frame, the highest of all tracks; 0 where there is none."""
    scores = np.zeros((recording.num_frames, num_classes))
    for track in recording.tracks:
        for cell in track.cells(smoothing_seconds):
            first, after = (round(seconds * recording.fps) for seconds in (cell.start, cell.end))
            part = scores[first:after]
            np.maximum(part, cell.scores, out=part)
    return scores


def true_spans(
    recordings: Sequence[ScoredRecording],
    truth: Mapping[str, Sequence[ActionSpan]],
    class_names: Sequence[str],
) -> list[Span]:
    """The annotated actions of these recordings, cut off where the recording ends.

    Raises:
        DataError: An action is no class of the model.
    """
    check_actions(
        {recording.name: truth.get(recording.name, ()) for recording in recordings}, class_names
    )
    label = {name: index for index, name in enumerate(class_names)}
    spans = []
    for recording in recordings:
        for span in truth.get(recording.name, ()):
            if span.start_frame >= recording.num_frames:
                raise DataError(
                    f"recording '{recording.name}': {span.action} begins at frame "
                    f"{span.start_frame}, but there are {recording.num_frames}; give frames, "
                    "counted from 0"
                )
            after = min(span.end_frame + 1, recording.num_frames)
            spans.append(Span(recording.name, label[span.action], span.start_frame, after))
    return spans


def check_actions(
    truth: Mapping[str, Sequence[ActionSpan | ActionTube]], class_names: Sequence[str]
) -> None:
    """Compares annotated actions with those that a model knows.

    Raises:
        DataError: The model does not know one.
    """
    for recording, spans in truth.items():
        for span in spans:
            if span.action not in class_names:
                raise DataError(
                    f"recording '{recording}': the model does not know the action "
                    f"'{span.action}'; it knows: {', '.join(class_names)}"
                )
