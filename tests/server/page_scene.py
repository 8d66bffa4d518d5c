"""A small scene whose boxes and scores are known, as a video and as what a watch would tell."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from lilliput.inference.recognizer import Recognizer
from lilliput.server.work import Watch, Watched
from lilliput.video.encode import write_video
from lilliput.watch.actions import EventRule
from lilliput.watch.events import BoxAt, Event, Message, Step, WindowScores
from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.settings import EventSettings

FPS = 10
SIZE = (160, 120)
SECONDS = 8.0
HOP = 0.5
SETTINGS = EventSettings(smoothing_seconds=1.0)


@dataclass(frozen=True)
class Actor:
    """Walks on a straight line; acts in spans of (action, from, to, score)."""

    track: int
    start: float
    end: float
    first: Box
    last: Box
    acts: tuple[tuple[str, float, float, float], ...]

    def box_at(self, seconds: float) -> Box:
        part = (seconds - self.start) / (self.end - self.start)
        return Box(*(a + part * (b - a) for a, b in zip(self.first, self.last, strict=True)))

    def windows(self, names: tuple[str, ...]) -> list[WindowScores]:
        """One every half second, a second long, with some noise below every threshold."""
        noise = np.random.default_rng(self.track)
        windows = []
        for start in np.arange(self.start, self.end - 2 * HOP + 1e-6, HOP):
            scores = noise.uniform(0, 0.05, len(names))
            for action, since, until, score in self.acts:
                if since <= start + HOP < until:
                    scores[names.index(action)] = score
            windows.append(WindowScores(self.track, float(start), float(start) + 2 * HOP, scores))
        return windows


ACTORS = (
    Actor(
        *(1, 0.0, 7.0, Box(10, 50, 30, 100), Box(110, 50, 130, 100)),
        (("activity_walking", 0, 7, 0.9), ("activity_carrying", 3, 5, 0.5)),
    ),
    Actor(
        *(2, 1.0, 8.0, Box(120, 20, 150, 40), Box(120, 20, 150, 40)),
        (("vehicle_moving", 1, 3.6, 0.8), ("vehicle_moving", 5, 8, 0.45)),
    ),
    Actor(
        *(3, 2.0, 6.0, Box(60, 8, 76, 40), Box(70, 60, 86, 92)),
        (("activity_walking", 2, 6, 0.7),),
    ),
)


def write_scene(path: Path) -> Path:
    """The video, each actor a light rectangle."""
    frames = np.full((round(SECONDS * FPS), SIZE[1], SIZE[0], 3), 70, np.uint8)
    for index, frame in enumerate(frames):
        for actor, left, top, right, bottom in _boxes(index / FPS):
            frame[round(top) : round(bottom), round(left) : round(right)] = 90 + 50 * actor.track
    write_video(path, frames, fps=FPS)
    return path


def watch_scene(gate: threading.Event) -> Watch:
    """Tells what is in the scene; of the whole picture if nobody is looked for.

    Half way it waits until the gate is open.
    """

    @contextmanager
    def watch(recognizer: Recognizer, _: Path, detector: str) -> Iterator[Watched]:
        description = recognizer.description
        names = description.labels.class_names
        steps = _steps(names, detector == "none", gate)
        rule = EventRule(description.thresholds, SETTINGS, description.task)
        yield Watched(SIZE, names, rule, steps)

    return watch


def _boxes(seconds: float) -> Iterator[tuple[Actor, float, float, float, float]]:
    for actor in ACTORS:
        if actor.start <= seconds <= actor.end:
            yield actor, *actor.box_at(seconds)


def _steps(names: tuple[str, ...], is_whole: bool, gate: threading.Event) -> Iterator[Step]:
    waiting = [window for actor in ACTORS for window in actor.windows(names)]
    if is_whole:
        waiting = [
            WindowScores(0, window.start_seconds, window.end_seconds, window.scores)
            for window in ACTORS[0].windows(names)
        ]
    for index in range(round(SECONDS * FPS)):
        seconds = index / FPS
        if index == 50:
            assert gate.wait(30)
        tracks = [TrackedBox(actor.track, Box(*sides)) for actor, *sides in _boxes(seconds)]
        if is_whole:
            tracks = [TrackedBox(0, Box(0, 0, *SIZE))]
        ready = tuple(window for window in waiting if window.end_seconds <= seconds)
        waiting = [window for window in waiting if window.end_seconds > seconds]
        told = (Message("new", event_of(names[0])), Message("end", event_of(names[0])))
        frame = Frame(index, seconds, np.zeros((1, 1, 3), np.uint8))
        yield Step(Scene(frame, tuple(tracks)), ready, told if index == 40 else (), (), seconds)
    yield Step(None, tuple(waiting), (), (), SECONDS)


def event_of(
    action: str, number: int = 0, camera: str = "upload", began: datetime | None = None
) -> Event:
    """An event for the database."""
    return Event(
        event_id=f"{camera}-{number}",
        camera=camera,
        source="scene.mp4",
        track=1,
        action=action,
        score=0.5 + number % 50 / 100,
        start_frame=10,
        end_frame=20,
        start_seconds=1.0,
        end_seconds=2.0,
        started_at=began,
        ended_at=began,
        boxes=(BoxAt(10, 1.0, ACTORS[0].box_at(1.0)),),
        zones=(),
        frame_size=SIZE,
        fps=FPS,
    )
