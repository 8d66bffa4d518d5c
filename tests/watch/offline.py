"""The rule that makes events of scores, written down once more: all windows there, no stream."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lilliput.watch.events import WindowScores
from lilliput.watch.settings import EventSettings


class Found(NamedTuple):
    """One event of one class."""

    start: float
    end: float
    score: float


def borders(windows: Sequence[WindowScores], start: float, end: float) -> list[float]:
    """Where the cells of the windows begin, and where the last one ends."""
    middles = [window.middle for window in windows]
    halfways = [(one + other) / 2 for one, other in pairwise(middles)]
    return [start, *halfways, end]


def smoothed(windows: Sequence[WindowScores], width: float) -> np.ndarray:
    """(N, K): the mean of all windows whose middles lie within half the width."""
    return np.array(
        [
            np.mean([w.scores for w in windows if abs(w.middle - v.middle) <= width / 2], axis=0)
            for v in windows
        ]
    )


def events_of(
    windows: Sequence[WindowScores],
    start: float,
    end: float,
    label: int,
    onset: float,
    settings: EventSettings,
) -> list[Found]:
    """All events of one class of one track."""
    if not windows:
        return []
    edges = borders(windows, start, end)
    found: list[Found] = []
    is_on = False
    for at, score in enumerate(smoothed(windows, settings.smoothing_seconds)[:, label].tolist()):
        if score > onset:
            is_on = True
        elif score < onset * settings.offset_ratio:
            is_on = False
        if is_on:
            found.append(Found(edges[at], edges[at + 1], score))
    joined: list[Found] = []
    for one in found:
        gap = one.start - joined[-1].end if joined else np.inf
        if gap == 0 or gap < settings.min_off_seconds:
            last = joined.pop()
            one = Found(last.start, one.end, max(last.score, one.score))
        joined.append(one)
    return [one for one in joined if one.end - one.start >= settings.min_on_seconds]
