"""The actions of one track: any number at a time, or one at a time.

Where a clip has any number of labels, every class comes and goes by itself (``hysteresis.py``).
Where it has one, ``OneAction`` lets a single class be on: an actor who walks does not run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lilliput.task import Task
from lilliput.watch.hysteresis import Cell, Hysteresis, Kind, Span
from lilliput.watch.settings import EventSettings


@dataclass(frozen=True)
class EventRule:
    """How the scores of a track become events.

    Attributes:
        onsets: (K,) scores above which a class goes on.
        settings: The rest of the rule.
        task: How many actions there are at a time.
        hidden: Indices of classes that are not told of.
    """

    onsets: tuple[float, ...]
    settings: EventSettings
    task: Task = "multi"
    hidden: frozenset[int] = frozenset()

    def begin(self) -> "Actions":
        """The actions of a new track."""
        return Actions(self) if self.task == "multi" else OneAction(self)


class News(NamedTuple):
    """What became certain of a class."""

    kind: Kind
    label: int
    span: Span


class Actions:
    """Any number of actions at a time: cells in, spans of classes out.

    Args:
        rule: How scores become events.
    """

    def __init__(self, rule: EventRule) -> None:
        self._classes = [Hysteresis(onset, rule.settings) for onset in rule.onsets]
        self._hidden = rule.hidden
        self._shown = [c for label, c in enumerate(self._classes) if label not in rule.hidden]

    def add(self, cell: Cell) -> Iterator[News]:
        """Takes the next cell; yields what it makes certain."""
        return (news for news in self._add(cell) if news.label not in self._hidden)

    def finish(self) -> Iterator[News]:
        """Ends what is on."""
        for label in range(len(self._classes)):
            if label not in self._hidden:
                yield from self._finish(label)

    @property
    def settled_seconds(self) -> float:
        """Until when it is certain what was on; 0 before the first cell."""
        return min(shown.settled_seconds for shown in self._shown)

    @property
    def start_seconds(self) -> float:
        """Where the first of the spans that are on begins, or the next one may."""
        return min(shown.start_seconds for shown in self._shown)

    def _add(self, cell: Cell) -> Iterator[News]:
        for label, score in enumerate(cell.scores.tolist()):
            for kind, span in self._classes[label].add(cell, score):
                yield News(kind, label, span)

    def _finish(self, label: int) -> Iterator[News]:
        return (News(kind, label, span) for kind, span in self._classes[label].finish())


class OneAction(Actions):
    """One action at a time.

    Every class but the chosen one scores nothing, so a single class is on in each cell. Gaps could
    still be closed over another action: so once one is told of, what was on before is over.

    Args:
        rule: How scores become events.
    """

    def __init__(self, rule: EventRule) -> None:
        super().__init__(rule)
        self._choose = Choice(rule.onsets, rule.settings.offset_ratio)

    def _add(self, cell: Cell) -> Iterator[News]:
        told = list(super()._add(cell._replace(scores=self._choose(cell.scores))))
        current = next((news.label for news in told if news.kind != "end"), None)
        if current is not None:
            for label in range(len(self._classes)):
                told += self._finish(label) if label != current else ()
        yield from sorted(told, key=lambda news: news.kind != "end")  # one ends, then one begins


class Choice:
    """The class that a track's scores stand for, from cell to cell.

    It is the most likely one, if that exceeds its onset. Once chosen, a class stays until it falls
    below its offset, or below ``offset_ratio`` times the score of the most likely one.

    Args:
        onsets: (K,) scores above which a class may be chosen.
        offset_ratio: A class' offset, in onsets.
    """

    def __init__(self, onsets: Sequence[float], offset_ratio: float) -> None:
        self._onsets = onsets
        self._ratio = offset_ratio
        self._chosen: int | None = None

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """(K,) to (K,): all but the score of the chosen class are minus infinity."""
        scores = scores.astype(np.float64)  # as precise as the onsets
        likely = int(scores.argmax())
        if not self._stays(scores, likely):
            self._chosen = likely if scores[likely] > self._onsets[likely] else None
        only = np.full_like(scores, -np.inf)
        if self._chosen is not None:
            only[self._chosen] = scores[self._chosen]
        return only

    def _stays(self, scores: np.ndarray, likely: int) -> bool:
        if self._chosen is None:
            return False
        bound = max(self._onsets[self._chosen], scores[likely])
        return bool(scores[self._chosen] >= bound * self._ratio)
