"""Where events lie in a report's timeline: one lane per action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lilliput.watch.events import Event

CELLS = 400  # of a lane where events are too many to be drawn singly
MAX_ROWS = 5  # of events that overlap in a lane
_TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MAX_TICKS = 6
_MIN_WIDTH = 0.4  # % of the lane, so that short events can be hit


@dataclass(frozen=True)
class Block:
    """One event, or several that lie close together.

    Attributes:
        events: How many.
        first_id: The first of them.
        start_seconds: Of the first.
        end_seconds: Of the last.
        row: In the lane, from 0.
    """

    events: int
    first_id: str
    start_seconds: float
    end_seconds: float
    row: int = 0

    def extent(self, length_seconds: float) -> tuple[float, float]:
        """Left edge and width in % of a lane that shows so many seconds."""
        left = 100 * self.start_seconds / length_seconds
        width = max(_MIN_WIDTH, 100 * self.end_seconds / length_seconds - left)
        return min(left, 100 - width), width


def blocks_of(events: Iterable[Event]) -> list[Block]:
    """One block per event; those that overlap lie in rows below each other."""
    ends: list[float] = []
    blocks = []
    for event in sorted(events, key=lambda event: event.start_seconds):
        start, end = event.start_seconds, event.end_seconds
        row = next((i for i, taken in enumerate(ends) if taken <= start), len(ends))
        row = min(row, MAX_ROWS - 1)
        ends[row : row + 1] = [end]
        blocks.append(Block(1, event.event_id, start, end, row))
    return blocks


class Cells:
    """Counts the events of one action in equal parts of the footage; memory stays the same.

    Args:
        length_seconds: Of the footage.
    """

    def __init__(self, length_seconds: float) -> None:
        self._cell_seconds = length_seconds / CELLS
        self._starts = [0] * CELLS
        self._covered = [False] * CELLS
        self._first: dict[int, str] = {}

    def add(self, event: Event) -> None:
        """Counts an event."""
        first, last = (
            min(CELLS - 1, int(seconds / self._cell_seconds))
            for seconds in (event.start_seconds, event.end_seconds)
        )
        self._starts[first] += 1
        self._first.setdefault(first, event.event_id)
        for cell in range(first, last + 1):
            self._covered[cell] = True

    def blocks(self) -> Iterator[Block]:
        """Runs of cells that hold something."""
        begin = None
        for cell in range(CELLS + 1):
            covered = cell < CELLS and self._covered[cell]
            if covered and begin is None:
                begin = cell
            elif not covered and begin is not None:
                span = (self._cell_seconds * begin, self._cell_seconds * cell)
                yield Block(sum(self._starts[begin:cell]), self._first[begin], *span)
                begin = None


def ticks(length_seconds: float) -> list[int]:
    """Moments to mark on the axis, whole seconds."""
    fitting = (step for step in _TICK_SECONDS if length_seconds / step <= _MAX_TICKS)
    step = next(fitting, _TICK_SECONDS[-1] * (1 + int(length_seconds // 6 // _TICK_SECONDS[-1])))
    return list(range(0, int(length_seconds) + 1, step))
