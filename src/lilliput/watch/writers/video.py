"""The footage with boxes, actions and the time drawn on it."""

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from lilliput.data.durable import whole_file
from lilliput.video.encode import VideoWriter
from lilliput.watch.events import Event, Step
from lilliput.watch.scene import Box, Scene
from lilliput.watch.writers.boxes import box_at
from lilliput.watch.writers.drawing import Canvas, colour_of, enlargement
from lilliput.watch.writers.output import Output

_MAX_HELD = 1200  # frames; what lies further back is drawn with what is known
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 92)


@dataclass(frozen=True)
class _Held:
    """A frame that waits until the events in it are known."""

    seconds: float
    taken_at: datetime | None
    jpeg: bytes
    boxes: dict[int, Box]


class AnnotatedVideoWriter:
    """``annotated.mp4``: every watched frame at its own time, H.264 without sound.

    Tracks have boxes with their number; an action is written at its track from its start to its
    end, in whole-frame mode in the upper corner. Since an event is known only some time after
    its start, frames wait, compressed, until all events in them are known. Pictures smaller than
    320 px are enlarged.
    """

    def __init__(self, output: Output) -> None:
        self.paths: tuple[Path, ...] = (output.folder / "annotated.mp4",)
        self._enlargement = enlargement(output.size)
        self._fps = output.fps
        self._files = ExitStack()
        self._video: VideoWriter | None = None  # opened by the first frame
        self._held: deque[_Held] = deque()
        self._events: dict[str, Event] = {}
        self._ended: set[str] = set()

    def write(self, step: Step) -> None:
        """Takes a frame, and draws those whose events are known by now."""
        for message in step.messages:
            self._events[message.event.event_id] = message.event
            if message.kind == "end":
                self._ended.add(message.event.event_id)
        if step.scene is not None:
            self._held.append(_hold(step.scene))
        while self._held and (
            self._held[0].seconds < step.settled_seconds or len(self._held) > _MAX_HELD
        ):
            self._draw(self._held.popleft())

    def close(self) -> None:
        """Draws what is left, with what is known, and completes the file."""
        with self._files:
            while self._held:
                self._draw(self._held.popleft())

    def _draw(self, held: _Held) -> None:
        picture = cv2.imdecode(np.frombuffer(held.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        pixels = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        factor = self._enlargement
        if factor > 1:
            pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
        canvas = Canvas(pixels)
        events = self._events_at(held.seconds)
        boxes = dict(held.boxes)
        for event in events:  # a track may be missing from a frame
            box = box_at(event, held.seconds)
            if box is not None:
                boxes.setdefault(event.track, box)
        boxes = {
            track: Box(*(factor * side for side in box)) for track, box in sorted(boxes.items())
        }
        for track, box in boxes.items():
            canvas.draw_box(box, colour_of(track))
        canvas.label_corner([_time_in_words(held)], bottom=True)
        for track, box in boxes.items():
            lines = [_in_words(event) for event in events if event.track == track]
            canvas.label_box(
                box,
                [f"{track} {lines[0]}", *lines[1:]] if lines else [str(track)],
                colour_of(track),
            )
        if whole := [_in_words(event) for event in events if not event.boxes]:
            canvas.label_corner(whole, bottom=False)
        self._video = self._video or self._open((pixels.shape[1], pixels.shape[0]))
        self._video.add(pixels, held.seconds)

    def _open(self, size: tuple[int, int]) -> VideoWriter:
        partial = self._files.enter_context(whole_file(self.paths[0]))
        video = VideoWriter(partial, size, fps=self._fps, crf=23, preset="veryfast")
        return self._files.enter_context(video)

    def _events_at(self, seconds: float) -> list[Event]:
        """Those under way; those that were over earlier are forgotten, for time goes on."""
        for event_id in [e for e in self._ended if self._events[e].end_seconds < seconds]:
            self._ended.remove(event_id)
            del self._events[event_id]
        return sorted(
            (event for event in self._events.values() if event.start_seconds <= seconds),
            key=lambda event: (-event.score, event.action),
        )


def _hold(scene: Scene) -> _Held:
    frame = scene.frame
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR), _JPEG)
    boxes = {tracked.track: tracked.box for tracked in scene.tracks if tracked.track > 0}
    return _Held(frame.seconds, frame.taken_at, jpeg.tobytes(), boxes)


def _in_words(event: Event) -> str:
    return f"{event.action.replace('_', ' ')} {event.score:.2f}"


def _time_in_words(held: _Held) -> str:
    """The wall clock where it is known, else the time since the beginning."""
    if held.taken_at is not None:
        return held.taken_at.isoformat(" ", "seconds")
    minutes, tenths = divmod(int(10 * held.seconds + 1e-6), 600)
    return f"{minutes // 60}:{minutes % 60:02d}:{tenths // 10:02d}.{tenths % 10}"
