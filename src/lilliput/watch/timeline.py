"""From scores to messages: every track's events, as soon as they are certain."""

import hashlib
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lilliput.watch.actions import Actions, EventRule, News
from lilliput.watch.events import BoxAt, Event, Message, WindowScores
from lilliput.watch.hysteresis import Kind, Smoother, Span
from lilliput.watch.windows import Cut
from lilliput.watch.zones import Regions

WHOLE_FRAME = 0  # the track that is the whole picture
_BOXES_PER_SECOND = 5
_MOST_BOXES = 512  # of one event; the older half of a longer one has fewer a second
_FRAMES_REMEMBERED = 1000  # to tell which frame was shown at a moment
_SLACK = 1e-6  # seconds


@dataclass(frozen=True)
class View:
    """What all events of one footage have in common.

    Attributes:
        camera: The camera's name.
        source: The file, device or address, without its password.
        size: Width and height of the picture, px.
        fps: Frames per second.
        regions: The camera's zones.
        class_names: (K,) in the order of the scores.
        rule: How scores become events.
        is_live: Whether watching it again would show something else.
    """

    camera: str
    source: str
    size: tuple[int, int]
    fps: float
    regions: Regions
    class_names: tuple[str, ...]
    rule: EventRule
    is_live: bool = False


@dataclass
class _Actor:
    """A track, and what is known of its actions."""

    start: float
    smoother: Smoother
    actions: Actions
    trail: "_Trail"
    begun: dict[int, tuple[str, int]] = field(default_factory=dict)  # id and first frame, by class

    @property
    def settled(self) -> float:
        return max(self.start, self.actions.settled_seconds)


class _Moment(NamedTuple):
    """When a frame was shown."""

    seconds: float
    frame: int
    taken_at: datetime | None


class Timeline:
    """Turns the scores of one footage into messages.

    Args:
        view: The footage.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._actors: dict[int, _Actor] = {}
        self._moments: deque[_Moment] = deque(maxlen=_FRAMES_REMEMBERED)

    def add(self, made: Cut, scores: Iterable[WindowScores]) -> Iterator[Message]:
        """Takes what one scene has brought; yields what becomes certain, in order."""
        if made.scene is not None:
            frame = made.scene.frame
            self._moments.append(_Moment(frame.seconds, frame.index, frame.taken_at))
            for tracked in made.scene.tracks:
                actor = self._actor(tracked.track, frame.seconds)
                if tracked.is_seen:
                    actor.trail.add(BoxAt(frame.index, frame.seconds, tracked.box))
        for window in scores:
            actor = self._actors[window.track]
            for cell in actor.smoother.add(window):
                yield from self._tell(window.track, actor.actions.add(cell))
            actor.trail.forget(actor.actions.start_seconds)
        for track, end in made.ended.items():
            actor = self._actors[track]
            for cell in actor.smoother.finish(end):
                yield from self._tell(track, actor.actions.add(cell))
            yield from self._tell(track, actor.actions.finish())
            del self._actors[track]

    @property
    def settled_seconds(self) -> float:
        """Until when all events are known; see ``Step``."""
        now = self._moments[-1].seconds if self._moments else 0.0
        return min((actor.settled for actor in self._actors.values()), default=now)

    def _actor(self, track: int, now: float) -> _Actor:
        if track not in self._actors:
            rule = self._view.rule
            smoother = Smoother(now, rule.settings.smoothing_seconds)
            self._actors[track] = _Actor(now, smoother, rule.begin(), _Trail())
        return self._actors[track]

    def _tell(self, track: int, told: Iterable[News]) -> Iterator[Message]:
        return (self._message(track, *news) for news in told)

    def _message(self, track: int, kind: Kind, label: int, span: Span) -> Message:
        view, actor = self._view, self._actors[track]
        action = view.class_names[label]
        started_at, ended_at = self._clock(span.start), self._clock(span.end)
        if kind == "new":
            frame = self._frame_at(span.start)
            # A live source shows something else each time; a file, the same.
            run = started_at.isoformat() if view.is_live and started_at is not None else ""
            parts = (view.camera, view.source, str(track), action, str(frame), run)
            name = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
            actor.begun[label] = name, frame
        event_id, first = actor.begun[label]
        boxes = () if track == WHOLE_FRAME else actor.trail.between(span.start, span.end)
        event = Event(
            event_id=event_id,
            camera=view.camera,
            source=view.source,
            track=track,
            action=action,
            score=span.score,
            start_frame=first,
            end_frame=max(first, self._frame_at(span.end - 2 * _SLACK)),
            start_seconds=span.start,
            end_seconds=span.end,
            started_at=started_at,
            ended_at=ended_at,
            boxes=boxes,
            zones=view.regions.zones_of(*(at.box for at in boxes)),
            frame_size=view.size,
            fps=self._frame_rate(),
        )
        return Message(kind, event)

    def _frame_at(self, seconds: float) -> int:
        """The frame that is shown at a moment; one long gone is told by the frame rate."""
        at = bisect_right(self._moments, seconds + _SLACK, key=lambda moment: moment.seconds) - 1
        if at >= 0:
            return self._moments[at].frame
        first = self._moments[0]
        return max(0, first.frame - round((first.seconds - seconds) * self._frame_rate()))

    def _frame_rate(self) -> float:
        """Frames per second of the source, of which not all need be watched."""
        first, last = self._moments[0], self._moments[-1]
        if last.seconds <= first.seconds:
            return self._view.fps
        return (last.frame - first.frame) / (last.seconds - first.seconds)

    def _clock(self, seconds: float) -> datetime | None:
        now = self._moments[-1]
        if now.taken_at is None:
            return None
        # Time goes on evenly in UTC only: elsewhere an hour is skipped in spring.
        moment = now.taken_at.astimezone(UTC) + timedelta(seconds=seconds - now.seconds)
        return moment.astimezone(now.taken_at.tzinfo)


class _Trail:
    """Where an actor has been: lately a few times a second, before that less often by the hour."""

    def __init__(self) -> None:
        self._older: list[BoxAt] = []
        self._recent: list[BoxAt] = []
        self._gap = 1 / _BOXES_PER_SECOND  # between the older ones

    def add(self, at: BoxAt) -> None:
        if _follows_closely(at, self._recent, 1 / _BOXES_PER_SECOND):
            return
        self._recent.append(at)
        if len(self._recent) <= _MOST_BOXES // 2:
            return
        oldest = self._recent.pop(0)
        if _follows_closely(oldest, self._older, self._gap):
            return
        self._older.append(oldest)
        if len(self._older) > _MOST_BOXES // 2:
            del self._older[1::2]
            self._gap *= 2

    def forget(self, before: float) -> None:
        """Drops what lies before a moment."""
        for boxes in (self._older, self._recent):
            del boxes[: bisect_left(boxes, before - _SLACK, key=lambda at: at.seconds)]
        if not self._older:
            self._gap = 1 / _BOXES_PER_SECOND

    def between(self, start: float, end: float) -> tuple[BoxAt, ...]:
        boxes = (*self._older, *self._recent)
        return tuple(at for at in boxes if start - _SLACK <= at.seconds < end)


def _follows_closely(at: BoxAt, boxes: list[BoxAt], gap: float) -> bool:
    return bool(boxes) and at.seconds - boxes[-1].seconds < gap - _SLACK
