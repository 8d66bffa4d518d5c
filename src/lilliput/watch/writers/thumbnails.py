"""A small picture of every event, from footage that has passed when the event becomes known."""

import base64
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from lilliput.watch.crops import cut, square_around
from lilliput.watch.events import Event, Step
from lilliput.watch.scene import Scene

_SIDE = 96  # px
_CONTEXT = 1.2  # side of a crop, in longer sides of its actor's box
_EVERY_SECONDS = 0.5
_KEPT_SECONDS = 30.0  # behind what is settled
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 80)


@dataclass(frozen=True)
class _Picture:
    seconds: float
    track: int
    jpeg: bytes


class Thumbnails:
    """Keeps pictures of the last seconds, and one of each event.

    The picture of an event is of its middle, where that is not too far back when the event ends;
    else of the middle of what was known when it was first told. In whole-frame mode it shows the
    whole frame.

    Args:
        limit: Events that get a picture; later ones have none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._recent: deque[_Picture] = deque()
        self._of_event: dict[str, _Picture] = {}
        self._next_seconds = 0.0

    def write(self, step: Step) -> None:
        """Takes pictures of a step, and gives its events theirs."""
        if step.scene is not None and step.scene.frame.seconds >= self._next_seconds:
            self._next_seconds = step.scene.frame.seconds + _EVERY_SECONDS
            self._recent.extend(_pictures_of(step.scene))
        for message in step.messages:
            if message.kind != "update":
                self._choose(message.event)
        while self._recent and self._recent[0].seconds < step.settled_seconds - _KEPT_SECONDS:
            self._recent.popleft()

    def uri(self, event_id: str) -> str | None:
        """The picture of an event as a data URI; None where there is none."""
        picture = self._of_event.get(event_id)
        if picture is None:
            return None
        return "data:image/jpeg;base64," + base64.b64encode(picture.jpeg).decode()

    def _choose(self, event: Event) -> None:
        known = self._of_event.get(event.event_id)
        if known is None and len(self._of_event) >= self._limit:
            return
        track = event.track if event.boxes else 0
        middle = (event.start_seconds + event.end_seconds) / 2
        choice = min(
            (picture for picture in self._recent if picture.track == track),
            key=lambda picture: abs(picture.seconds - middle),
            default=None,
        )
        if choice is None or not event.start_seconds - 1 <= choice.seconds <= event.end_seconds + 1:
            return
        if known is None or abs(choice.seconds - middle) < abs(known.seconds - middle):
            self._of_event[event.event_id] = choice


def _pictures_of(scene: Scene) -> list[_Picture]:
    """One of each actor, and one of the whole frame where there is no actor."""
    pixels, seconds = scene.frame.pixels, scene.frame.seconds
    size = (pixels.shape[1], pixels.shape[0])
    actors = [tracked for tracked in scene.tracks if tracked.track > 0]
    if not actors:
        return [_Picture(seconds, 0, _to_jpeg(pixels))]
    return [
        _Picture(
            seconds,
            tracked.track,
            _to_jpeg(cut(pixels, square_around(tracked.box, _CONTEXT, size))),
        )
        for tracked in actors
    ]


def _to_jpeg(pixels: np.ndarray) -> bytes:
    scale = _SIDE / min(pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
    return cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), _JPEG)[1].tobytes()
