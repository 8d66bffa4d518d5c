"""A watch without a recogniser's work: one figure walks through, one class comes and goes.

``python -m tests.server.stand_in [PORT]`` serves it, for work on the page.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lilliput.inference.recognizer import Recognizer
from lilliput.server.work import Watch, Watched
from lilliput.watch.actions import EventRule
from lilliput.watch.events import BoxAt, Event, Message, Step, WindowScores
from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.settings import EventSettings

FPS = 10.0
SIZE = (64, 48)


def stand_in(num_frames: int = 20, gate: threading.Event | None = None, pause: float = 0) -> Watch:
    """A watch of so many frames; before each it waits until the gate is open, if there is one."""

    @contextmanager
    def watch(recognizer: Recognizer, path: Path, detector: str) -> Iterator[Watched]:
        assert path.is_file()
        description = recognizer.description
        names = description.labels.class_names
        rule = EventRule(description.thresholds, EventSettings(), description.task)
        yield Watched(SIZE, names, rule, _steps(names, num_frames, gate, pause))

    return watch


def _steps(
    names: tuple[str, ...], num_frames: int, gate: threading.Event | None, pause: float
) -> Iterator[Step]:
    idle = threading.Event()
    for index in range(num_frames):
        if gate is not None:
            assert gate.wait(30)
        if pause:
            idle.wait(pause)
        seconds = index / FPS
        frame = Frame(index, seconds, np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
        left = 40 * index / num_frames
        box = Box(left, 8, left + 12, 40)
        scores, messages = (), ()
        if index % 5 == 4:
            row = np.linspace(0.1, 0.6, len(names), dtype=np.float32)
            row[0] = 0.9 if num_frames / 4 < index < 3 * num_frames / 4 else 0.05
            scores = (WindowScores(1, max(0.0, seconds - 0.9), seconds + 0.1, row),)
        if index == num_frames // 4:
            messages = (Message("new", _event(names[0], index, index, box)),)
        elif index == num_frames // 2:
            messages = (Message("update", _event(names[0], num_frames // 4, index, box)),)
        elif index == 3 * num_frames // 4:
            messages = (Message("end", _event(names[0], num_frames // 4, index, box)),)
        yield Step(Scene(frame, (TrackedBox(1, box),)), scores, messages, (), seconds)
    yield Step(None, (), (), (), num_frames / FPS)


def _event(action: str, start: int, end: int, box: Box) -> Event:
    return Event(
        event_id="upload-1-0",
        camera="upload",
        source="/secret/path/of/the/upload",
        track=1,
        action=action,
        score=0.9,
        start_frame=start,
        end_frame=end,
        start_seconds=start / FPS,
        end_seconds=end / FPS,
        started_at=None,
        ended_at=None,
        boxes=(BoxAt(start, start / FPS, box),),
        zones=(),
        frame_size=SIZE,
        fps=FPS,
    )


def _serve() -> None:
    import uvicorn

    from lilliput.server.app import create_app
    from lilliput.server.settings import ServerSettings

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    settings = ServerSettings(port=port, database=sys.argv[2] if len(sys.argv) > 2 else None)
    app = create_app(settings, Recognizer.load("synthetic"), stand_in(100, pause=0.05))
    uvicorn.run(app, port=port)


if __name__ == "__main__":
    _serve()
