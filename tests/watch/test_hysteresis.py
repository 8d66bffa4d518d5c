"""The rule on a stream, against the same rule with everything at hand."""

import weakref
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lilliput.watch.events import WindowScores
from lilliput.watch.hysteresis import Hysteresis, Smoother
from lilliput.watch.settings import EventSettings
from tests.watch.offline import borders, events_of, smoothed
from tests.watch.strategies import EIGHTH, onsets, repeatable, rules, tracks


def stream(track, onset, rule):
    """What each window, and then the track's end, brings: messages, settled, cells so far."""
    start, windows, end = track
    smoother, state = Smoother(start, rule.smoothing_seconds), Hysteresis(onset, rule)
    cells = []

    def told(fresh):
        for cell in fresh:
            cells.append(cell)
            yield from ((kind, replace(span)) for kind, span in state.add(cell, cell.scores[0]))

    for window in windows:
        yield list(told(smoother.add(window))), state.settled_seconds, list(cells)
    last = [*told(smoother.finish(end)), *((kind, replace(s)) for kind, s in state.finish())]
    yield last, state.settled_seconds, list(cells)


@repeatable
@given(tracks(), st.integers(0, 24))
def test_cells_and_means_are_those_of_the_whole_track(track, width):
    start, windows, end = track
    rule = EventSettings(smoothing_seconds=width * EIGHTH)
    *_, (_, _, cells) = stream(track, 0.5, rule)
    edges = borders(windows, start, end)
    assert [(cell.start, cell.end) for cell in cells] == list(pairwise(edges))
    np.testing.assert_array_equal(
        [cell.scores for cell in cells], smoothed(windows, rule.smoothing_seconds)
    )


@repeatable
@given(tracks(), onsets, rules)
def test_the_stream_ends_with_the_events_of_the_whole_track(track, onset, rule):
    messages = [message for told, _, _ in stream(track, onset, rule) for message in told]
    ended = [(span.start, span.end, span.score) for kind, span in messages if kind == "end"]
    start, windows, end = track
    assert ended == events_of(windows, start, end, 0, onset, rule)


@repeatable
@given(tracks(), onsets, rules)
def test_an_event_is_new_once_goes_on_and_ends_once(track, onset, rule):
    is_told, last = False, None
    for kind, span in [m for told, _, _ in stream(track, onset, rule) for m in told]:
        assert (kind == "new") != is_told
        if kind == "new":
            assert span.end - span.start >= rule.min_on_seconds
            assert last is None or last.end < span.start
        else:  # nothing that was told is taken back
            assert span.start == last.start
            assert span.end >= last.end
            assert span.score >= last.score
        is_told, last = kind != "end", span
    assert not is_told


@repeatable
@given(tracks(), onsets, rules)
def test_what_is_settled_stays(track, onset, rule):
    start, windows, end = track
    final = events_of(windows, start, end, 0, onset, rule)
    known, before = {}, 0.0
    for told, settled, _ in stream(track, onset, rule):
        known.update({span.start: span for _, span in told})
        assert settled >= before
        before = settled
        now = [(s.start, min(s.end, settled)) for s in known.values() if s.start < settled]
        later = [(s.start, min(s.end, settled)) for s in final if s.start < settled]
        assert now == later
    assert settled == end


@repeatable
@given(tracks(), onsets, rules)
def test_nothing_is_settled_later_than_it_must_be(track, onset, rule):
    _, windows, _ = track
    middles = [window.middle for window in windows]
    longest = max([b - a for a, b in pairwise(middles)], default=0)
    pending = rule.min_on_seconds + rule.min_off_seconds
    steps = list(stream(track, onset, rule))[:-1]
    for middle, (_, settled, cells) in zip(middles, steps, strict=True):
        # A cell is certain as soon as a window lies beyond the moving mean around it.
        certain = sum(middle - other > rule.smoothing_seconds / 2 for other in middles)
        assert len(cells) == certain
        if cells:
            lag = rule.smoothing_seconds / 2 + longest / 2 + pending
            assert settled >= middle - lag
            assert settled > cells[-1].end - pending or settled == cells[-1].end


def test_by_hand():
    """Hops of 1 s, cells of 1 s around 1, 2, ...; the first from 0, the last to 9."""
    scores = [0.6, 0.45, 0.1, 0.9, 0.1, 0.1, 0.1, 0.6]
    windows = [WindowScores(1, n, n + 2, np.array([s])) for n, s in enumerate(scores)]
    rule = EventSettings(
        smoothing_seconds=0, offset_ratio=0.8, min_on_seconds=1.2, min_off_seconds=1.1
    )
    messages = [told for told, _, _ in stream((0.0, windows, 9.0), 0.5, rule)]
    kinds = [[(kind, span.start, span.end) for kind, span in told] for told in messages]
    assert kinds == [
        [],
        [("new", 0.0, 1.5)],
        [("update", 0.0, 2.5)],  # 0.45 is not below the offset of 0.4
        [],  # off, but the gap may be closed
        [("update", 0.0, 4.5)],  # and is: it lasts 1 s
        [],
        [("end", 0.0, 4.5)],  # now the gap is 2 s
        [],
        [("new", 7.5, 9.0), ("end", 7.5, 9.0)],
    ]


def test_a_long_track_is_not_remembered():
    smoother, windows = Smoother(0.0, 2.0), []
    for n in range(300):
        window = WindowScores(1, n / 2, n / 2 + 1, np.zeros(1))
        windows.append(weakref.ref(window))
        list(smoother.add(window))
        assert sum(window() is not None for window in windows) < 12
