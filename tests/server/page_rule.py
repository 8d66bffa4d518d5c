"""The rule that makes events of scores, word for word, and cases to try it on."""

import random
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

UNIT = 4000  # per second: quarters of a millisecond, so that all borders are whole
Expected = list[tuple[float, float, float]]  # start, end, score


def _events_of(windows, ends, scores, settings, onset):
    """The rule word for word; all times are whole units, so nothing is rounded."""
    middles = [(start + end) // 2 for start, end in windows]
    borders = [(a + b) // 2 for a, b in pairwise(middles)]
    edges = [ends[0], *borders, ends[1]]
    width, ratio, min_on, min_off = settings
    smoothed = [
        np.mean([s for m, s in zip(middles, scores, strict=True) if 2 * abs(m - c) <= width])
        for c in middles
    ]
    events, is_on = [], False
    for cell, score in enumerate(smoothed):
        was_on, is_on = is_on, score > onset or (is_on and not score < onset * ratio)
        if is_on and not was_on:
            events.append([edges[cell], edges[cell + 1], score])
        elif is_on:
            events[-1][1:] = [edges[cell + 1], max(events[-1][2], score)]
    closed: list[list[float]] = []
    for event in events:
        if closed and event[0] - closed[-1][1] < min_off:
            closed[-1][1:] = [event[1], max(closed[-1][2], event[2])]
        else:
            closed.append(event)
    return [event for event in closed if event[1] - event[0] >= min_on]


def _events_of_one(windows, ends, rows, settings, onsets):
    """The rule of one action at a time: each cell by itself, and from it back in time."""
    middles = [(start + end) // 2 for start, end in windows]
    edges = [ends[0], *((a + b) // 2 for a, b in pairwise(middles)), ends[1]]
    width, ratio, min_on, min_off = settings
    rows = np.array(rows)
    smoothed = [rows[[2 * abs(m - c) <= width for m in middles]].mean(axis=0) for c in middles]
    chosen, told, events = [], [], {}
    for cell, scores in enumerate(smoothed):
        last, likely = chosen[-1] if chosen else None, int(scores.argmax())
        least = None if last is None else ratio * max(onsets[last], scores[likely])
        if least is None or scores[last] < least:
            last = likely if scores[likely] > onsets[likely] else None
        chosen.append(last)
        if last is None:
            continue
        begin = max((at + 1 for at in told if chosen[at] != last), default=0)
        group = [cell]
        for before in reversed(range(begin, cell)):
            if chosen[before] == last and edges[group[0]] - edges[before + 1] < max(min_off, 1):
                group.insert(0, before)
        if edges[cell + 1] - edges[group[0]] >= min_on:
            told.append(cell)
            score = max(smoothed[at][last] for at in group)
            events[last, edges[group[0]]] = edges[cell + 1], score
    return [(label, start, *rest) for (label, start), rest in sorted(events.items())]


def random_cases(count: int, seed: int) -> tuple[list[dict[str, Any]], list[Expected]]:
    """Tracks with settings as the page gets them, and their events."""
    draw = random.Random(seed)
    cases, expected = [], []
    for _ in range(count):
        hop, length = draw.choice([400, 1200, 2000]), draw.choice([2000, 4000])
        num_windows = draw.randint(1, 40)
        hops = [hop * draw.choice([1, 1, 1, 2, 7]) for _ in range(num_windows)]
        starts = list(accumulate(hops))
        windows = [(start, start + length) for start in starts]
        ends = (starts[0] - draw.choice([0, 400]), starts[-1] + length + draw.choice([0, 800]))
        scores = [draw.random() for _ in windows]
        seconds = [draw.choice(units) for units in ([0, 2000, 4000, 8000], *[[0, 2000, 4000]] * 2)]
        ratio = draw.choice([0.5, 0.8, 1.0])
        settings = (seconds[0], ratio, *seconds[1:])
        onset = draw.uniform(0.2, 0.9)
        expected.append(_events_of(windows, ends, scores, settings, onset))
        cases.append(
            {
                "track": _track_of(windows, ends, scores),
                "settings": {
                    "smoothing_seconds": seconds[0] / UNIT,
                    "offset_ratio": ratio,
                    "min_on_seconds": seconds[1] / UNIT,
                    "min_off_seconds": seconds[2] / UNIT,
                },
                "onset": onset,
            }
        )
    return cases, expected


def random_cases_of_one(count: int, seed: int) -> tuple[list[dict[str, Any]], list[Expected]]:
    """The same for actions that exclude each other; an event begins with its class."""
    cases, _ = random_cases(count, seed)
    draw = np.random.default_rng(seed)
    expected = []
    for case in cases:
        track, settings = case["track"], case["settings"]
        rows = draw.dirichlet([0.6] * 4, len(track["windows"])).tolist()
        for window, scores in zip(track["windows"], rows, strict=True):
            window["scores"] = scores
        case["onsets"] = draw.uniform(0.2, 0.6, 4).tolist()
        windows = [(w["start_seconds"], w["end_seconds"]) for w in track["windows"]]
        ends = (track["start_seconds"], track["end_seconds"])
        seconds = [settings[f"{key}_seconds"] for key in ("smoothing", "min_on", "min_off")]
        units = [[round(second * UNIT) for second in pair] for pair in (*windows, ends, seconds)]
        width, *least = units.pop()
        rule = (width, settings["offset_ratio"], *least)
        *spans, limits = units
        expected.append(_events_of_one(spans, limits, rows, rule, case["onsets"]))
    return cases, expected


def _track_of(windows, ends, scores):
    """As the server tells it, with two classes."""
    return {
        "start_seconds": ends[0] / UNIT,
        "end_seconds": ends[1] / UNIT,
        "windows": [
            {"start_seconds": start / UNIT, "end_seconds": end / UNIT, "scores": [-1, score]}
            for (start, end), score in zip(windows, scores, strict=True)
        ],
    }
