"""A staged run of ``watch``: one actor crosses the picture and does known things, told late."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from lilliput.watch.events import BoxAt, Event, Message, Step
from lilliput.watch.log import EventLog
from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.writers import WRITERS, EventWriter, Output

FPS = 10.0
SIZE = (320, 240)
CLASSES = ("walking", "running", 'a "quoted" <b>class</b> & more')
DELAY_SECONDS = 1.0  # from a moment until it is settled
BEGIN = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def actor(seconds: float) -> Box:
    """Where the actor is: it crosses the picture at 20 px a second."""
    return Box(20 + 20 * seconds, 100, 50 + 20 * seconds, 180)


def event(start: float, end: float, **changes: object) -> Event:
    """An event of the actor, with boxes twice a second."""
    moments = np.arange(start, end + 1e-9, 0.5).tolist()
    values = Event(
        event_id=f"e{start:g}-{end:g}",
        camera="gate",
        source="videos/gate 7.mp4",
        track=3,
        action="walking",
        score=0.75,
        start_frame=round(start * FPS),
        end_frame=round(end * FPS),
        start_seconds=start,
        end_seconds=end,
        started_at=BEGIN + timedelta(seconds=start),
        ended_at=BEGIN + timedelta(seconds=end),
        boxes=tuple(BoxAt(round(s * FPS), s, actor(s)) for s in moments),
        zones=("road", "kerb"),
        frame_size=SIZE,
        fps=FPS,
    )
    return replace(values, **changes)  # type: ignore[arg-type]


def messages_of(events: Sequence[Event], after: float, until: float) -> tuple[Message, ...]:
    """What is told once ``until`` is settled and ``after`` was before."""
    told = []
    for one in events:
        if after <= one.start_seconds < until:
            told.append(Message("new", one))
        if after <= one.end_seconds < until:
            told.append(Message("end", one))
    return tuple(told)


def steps_of(
    events: Sequence[Event], seconds: float, size: tuple[int, int] = SIZE
) -> Iterator[Step]:
    """Grey frames with the actor in white, and news of the events once they are settled."""
    settled = 0.0
    for index in range(round(seconds * FPS)):
        now = index / FPS
        box = actor(now)
        pixels = np.full((size[1], size[0], 3), 90, np.uint8)
        left, top, right, bottom = (round(side) for side in box)
        pixels[top:bottom, left:right] = 230
        scene = Scene(
            Frame(index, now, pixels, BEGIN + timedelta(seconds=now)), (TrackedBox(3, box),)
        )
        told_until = max(0.0, now - DELAY_SECONDS)
        yield Step(scene, (), messages_of(events, settled, told_until), (), told_until)
        settled = told_until
    yield Step(None, (), messages_of(events, settled, seconds + 1), (), seconds + 1)


def output_in(folder: Path, **changes: object) -> Output:
    """Of the staged run."""
    folder.mkdir(parents=True, exist_ok=True)
    values = Output(
        folder=folder,
        log=EventLog(folder / "events.jsonl", resume=False),
        camera="gate",
        source="videos/gate 7.mp4",
        fps=FPS,
        size=SIZE,
        duration_seconds=None,
        class_names=CLASSES,
        starts_at=BEGIN,
    )
    return replace(values, **changes)  # type: ignore[arg-type]


def write(
    names: Sequence[str], events: Sequence[Event], folder: Path, seconds: float = 12.0
) -> list[EventWriter]:
    """Runs the log's writer and those that are named; returns the latter."""
    output = output_in(folder)
    with output.log:
        writers = [WRITERS[name](output) for name in ("jsonl", *names)]
        for step in steps_of(events, seconds):
            for writer in writers:
                writer.write(step)
        for writer in writers:
            writer.close()
    return writers[1:]
