"""The rule that makes events of scores, written down once more: all windows there, no stream."""

from collections.abc import Sequence
from itertools import groupby, pairwise
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


class OneFound(NamedTuple):
    """One event, where there is one action at a time."""

    label: int
    start: float
    end: float
    score: float


def chosen_classes(
    rows: np.ndarray, onsets: Sequence[float], offset_ratio: float
) -> list[int | None]:
    """(N, K) smoothed scores to the class that is on in each cell; None where none is."""
    chosen: list[int | None] = []
    for scores in rows.tolist():
        last = chosen[-1] if chosen else None
        likely = scores.index(max(scores))
        if (
            last is not None
            and not scores[last] < onsets[last] * offset_ratio
            and not scores[last] < scores[likely] * offset_ratio
        ):
            chosen.append(last)
        else:
            chosen.append(likely if scores[likely] > onsets[likely] else None)
    return chosen


def events_of_one(
    windows: Sequence[WindowScores],
    start: float,
    end: float,
    onsets: Sequence[float],
    settings: EventSettings,
) -> list[OneFound]:
    """All events of one track whose actions exclude each other, in order of time.

    A cell belongs to the cells of its class before it, back to the first gap that is too long, or
    to a cell at which another action was told of. It is told of itself if all that lasted long
    enough by then.
    """
    edges = borders(windows, start, end)
    rows = smoothed(windows, settings.smoothing_seconds)
    chosen = chosen_classes(rows, onsets, settings.offset_ratio)
    told: dict[int, list[int]] = {}  # by cell, its class' cells so far
    for at, label in enumerate(chosen):
        if label is None:
            continue
        others = [cell for cell in told if chosen[cell] != label]
        group = [at]
        for before in range(at - 1, max(others, default=-1), -1):
            gap = edges[group[0]] - edges[before + 1]
            if chosen[before] == label and (gap == 0 or gap < settings.min_off_seconds):
                group.insert(0, before)
        if edges[at + 1] - edges[group[0]] >= settings.min_on_seconds:
            told[at] = group
    events = []
    for (label, first), cells in groupby(told, key=lambda at: (chosen[at], told[at][0])):
        *_, last = cells
        score = max(rows[at, label] for at in told[last])
        events.append(OneFound(label, edges[first], edges[last + 1], score))
    return events
