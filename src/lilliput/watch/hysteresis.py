"""From the scores of a track's windows to events: smoothing, onset and offset, minimum durations.

Each window stands for its cell of time, which reaches half way to its neighbours' middles; the
first cell begins with the track, the last one ends with it. A class is on from the first cell
whose smoothed score exceeds its onset until the first that falls below its offset. Then gaps
shorter than ``min_off_seconds`` are closed, and events shorter than ``min_on_seconds`` left out,
as pyannote.audio does for speech (Bredin et al., ICASSP 2020). All of it works on a stream: a
span is told as soon as nothing can undo it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from lilliput.watch.events import WindowScores
from lilliput.watch.settings import EventSettings

_SLACK = 1e-6  # seconds; sums of hops are not exact


class Cell(NamedTuple):
    """A stretch of a track, and the smoothed scores (K,) that hold for it."""

    start: float
    end: float
    scores: np.ndarray


class Smoother:
    """Averages the windows of one track around each of them.

    Args:
        start_seconds: Where the track begins.
        width_seconds: Of the moving average; a window's neighbours up to half of it away count.
    """

    def __init__(self, start_seconds: float, width_seconds: float) -> None:
        self._half = width_seconds / 2 + _SLACK
        self._border = start_seconds  # of the next cell
        self._windows: deque[WindowScores] = deque()
        self._next = 0  # of the windows, whose cell comes next

    def add(self, window: WindowScores) -> Iterator[Cell]:
        """Takes the next window in time; yields the cells that no later one can change."""
        self._windows.append(window)
        while self._windows[self._next].middle < window.middle - self._half:
            following = self._windows[self._next + 1]
            yield self._cell((self._windows[self._next].middle + following.middle) / 2)

    def finish(self, end_seconds: float) -> Iterator[Cell]:
        """Yields the cells that are left when the track ends."""
        while self._next < len(self._windows):
            is_last = self._next == len(self._windows) - 1
            pair = list(self._windows)[self._next : self._next + 2]
            end = max(end_seconds, self._border) if is_last else sum(w.middle for w in pair) / 2
            yield self._cell(end)

    def _cell(self, end: float) -> Cell:
        middle = self._windows[self._next].middle
        near = [w.scores for w in self._windows if abs(w.middle - middle) <= self._half]
        cell = Cell(self._border, end, np.mean(near, axis=0))
        self._border = end
        self._next += 1
        while self._windows and self._windows[0].middle < middle - 2 * self._half:
            self._windows.popleft()
            self._next -= 1
        return cell


@dataclass
class Span:
    """A class that is on; the fields are those of ``Event``."""

    start: float
    end: float
    score: float
    is_told: bool = False


Kind = Literal["new", "update", "end"]


class Hysteresis:
    """One class of one track: cells in, spans out.

    Args:
        onset: The score above which it goes on.
        settings: The rest of the rule.
    """

    def __init__(self, onset: float, settings: EventSettings) -> None:
        self._onset = onset
        self._offset = onset * settings.offset_ratio
        self._min_on = settings.min_on_seconds - _SLACK
        self._min_off = settings.min_off_seconds - _SLACK
        self._is_on = False
        self._span: Span | None = None
        self._now = 0.0

    def add(self, cell: Cell, score: float) -> Iterator[tuple[Kind, Span]]:
        """Takes the next cell; yields what it makes certain."""
        self._now = cell.end
        self._is_on = score > self._onset or (self._is_on and score >= self._offset)
        since = cell.start if self._is_on else cell.end
        if self._span is not None and since - self._span.end >= max(self._min_off, _SLACK):
            yield from self.finish()
        if not self._is_on:
            return
        if self._span is None:
            self._span = Span(cell.start, cell.end, score)
        span = self._span
        span.end, span.score = cell.end, max(span.score, score)
        if span.end - span.start >= self._min_on:
            kind: Kind = "update" if span.is_told else "new"
            span.is_told = True
            yield kind, span

    def finish(self) -> Iterator[tuple[Kind, Span]]:
        """Ends what is on."""
        span, self._span = self._span, None
        if span is not None and span.is_told:
            yield "end", span

    @property
    def settled_seconds(self) -> float:
        """Until when it is certain what was on; 0 before the first cell."""
        if self._span is None or (self._span.is_told and self._is_on):
            return self._now
        return self._span.end if self._span.is_told else self._span.start

    @property
    def start_seconds(self) -> float:
        """Where the span that is on begins, or the next one may."""
        return self._now if self._span is None else self._span.start
