"""What ``watch`` tells: events, the messages about them, and the scores behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np

from lilliput.watch.scene import Box, Scene


class BoxAt(NamedTuple):
    """Where the actor was at one moment of an event."""

    frame: int
    seconds: float
    box: Box


@dataclass(frozen=True)
class Event:
    """One action of one actor, from its onset to its offset.

    Attributes:
        event_id: Unique among all events; the same when the same footage is watched again.
        camera: The camera's name.
        source: The file, device or address, without its password.
        track: The actor; 0 in whole-frame mode.
        action: The class name.
        score: The highest smoothed score so far, in [0, 1].
        start_frame: Its first frame.
        end_frame: Its last frame so far.
        start_seconds: Since the beginning of the footage.
        end_seconds: Likewise; so far, while it goes on.
        started_at: The wall clock at its start, with time zone; None where nothing tells it.
        ended_at: Likewise at its end.
        boxes: Where the actor was, several times a second; empty in whole-frame mode.
        zones: Names of the camera's zones that the actor stood in, in the order of the camera's
            settings.
        frame_size: Width and height of the camera's picture, px.
        fps: Frames per second of the source, of which not all need be watched.
    """

    event_id: str
    camera: str
    source: str
    track: int
    action: str
    score: float
    start_frame: int
    end_frame: int
    start_seconds: float
    end_seconds: float
    started_at: datetime | None
    ended_at: datetime | None
    boxes: tuple[BoxAt, ...]
    zones: tuple[str, ...]
    frame_size: tuple[int, int]
    fps: float


@dataclass(frozen=True)
class Message:
    """News of an event: it began, it goes on, it is over (and final).

    ``new`` comes first and once, then any number of ``update``, then ``end`` once. An event too
    short to be told is never ``new``.
    """

    kind: Literal["new", "update", "end"]
    event: Event


@dataclass(frozen=True)
class Alert:
    """A rule of the camera's settings that an event has met; told once for each event.

    Attributes:
        rule: The rule's name.
        event: The event, as it was known then.
    """

    rule: str
    event: Event


@dataclass(frozen=True)
class WindowScores:
    """What the recogniser says of a stretch of one track.

    Attributes:
        track: The actor.
        start_seconds: Where the window begins.
        end_seconds: Where it ends.
        scores: (K,) in [0, 1].
    """

    track: int
    start_seconds: float
    end_seconds: float
    scores: np.ndarray

    @property
    def middle(self) -> float:
        """The moment that the scores stand for, seconds."""
        return (self.start_seconds + self.end_seconds) / 2


@dataclass(frozen=True)
class Step:
    """Everything that one more frame has brought.

    Attributes:
        scene: The frame and who is in it; None in the last step, when the footage has ended.
        scores: Windows that were recognised.
        messages: News of events, in order.
        alerts: Rules that were met.
        settled_seconds: Every event that begins before this moment is known, and so is its end
            where that lies before it too.
    """

    scene: Scene | None
    scores: tuple[WindowScores, ...]
    messages: tuple[Message, ...]
    alerts: tuple[Alert, ...]
    settled_seconds: float
