"""Actions that may overlap and actions that may not: the stream, against everything at hand."""

from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.watch.actions import Actions, Choice, EventRule, OneAction
from lilliput.watch.hysteresis import Cell, Smoother
from lilliput.watch.settings import EventSettings
from tests.watch.offline import (
    OneFound,
    borders,
    chosen_classes,
    events_of,
    events_of_one,
    smoothed,
)
from tests.watch.strategies import onsets, repeatable, rules, tracks

NUM_CLASSES = 3
three_onsets = st.tuples(*[onsets] * NUM_CLASSES)
three = tracks(num_classes=NUM_CLASSES)


def stream(track, rule: EventRule):
    """What each window, and then the track's end, brings: news, and what is settled."""
    start, windows, end = track
    smoother, actions = Smoother(start, rule.settings.smoothing_seconds), rule.begin()

    def told(cells):
        for cell in cells:
            yield from (news._replace(span=replace(news.span)) for news in actions.add(cell))

    for window in windows:
        yield list(told(smoother.add(window))), actions.settled_seconds
    last = [*told(smoother.finish(end)), *actions.finish()]
    yield last, actions.settled_seconds


def ended(track, rule: EventRule) -> list[OneFound]:
    news = [one for told, _ in stream(track, rule) for one in told if one.kind == "end"]
    return [OneFound(label, span.start, span.end, span.score) for _, label, span in news]


def offline(track, rule: EventRule) -> list[OneFound]:
    start, windows, end = track
    if rule.task == "single":
        return events_of_one(windows, start, end, rule.onsets, rule.settings)
    return [
        OneFound(label, *event)
        for label, onset in enumerate(rule.onsets)
        for event in events_of(windows, start, end, label, onset, rule.settings)
    ]


both_tasks = pytest.mark.parametrize("task", ["multi", "single"])


@both_tasks
@repeatable
@given(three, three_onsets, rules)
def test_the_stream_ends_with_the_events_of_the_whole_track(task, track, onsets, settings):
    rule = EventRule(onsets, settings, task)
    found = ended(track, rule)
    if task == "multi":
        found.sort(key=lambda event: (event.label, event.start))
    assert found == offline(track, rule)


@repeatable
@given(three, three_onsets, rules)
def test_one_action_at_a_time_and_all_that_lasts_is_told(track, onsets, settings):
    start, windows, end = track
    events = ended(track, EventRule(onsets, settings, "single"))
    for one, next_one in pairwise(events):
        assert one.end <= next_one.start
    edges = borders(windows, start, end)
    rows = smoothed(windows, settings.smoothing_seconds)
    chosen = chosen_classes(rows, onsets, settings.offset_ratio)
    for label, cells in groupby(range(len(windows)), key=chosen.__getitem__):
        first, *_, last = [*cells] * 2
        if label is None or edges[last + 1] - edges[first] < settings.min_on_seconds:
            continue
        assert any(
            event.label == label and event.start <= edges[first] and edges[last + 1] <= event.end
            for event in events
        )
    for event in events:
        assert chosen[edges.index(event.start)] == event.label
        assert chosen[edges.index(event.end) - 1] == event.label


@both_tasks
@repeatable
@given(three, three_onsets, rules)
def test_an_event_is_new_once_goes_on_and_ends_once(task, track, onsets, settings):
    on = {}
    for kind, label, span in [
        n for t, _ in stream(track, EventRule(onsets, settings, task)) for n in t
    ]:
        assert (kind == "new") != (label in on)
        if kind == "new":
            assert span.end - span.start >= settings.min_on_seconds
        else:  # nothing that was told is taken back
            last = on.pop(label)
            assert span.start == last.start
            assert span.end >= last.end
            assert span.score >= last.score
        if kind != "end":
            on[label] = span
        assert task == "multi" or len(on) <= 1  # what ends is told before what begins
    assert on == {}


@both_tasks
@repeatable
@given(three, three_onsets, rules, st.sets(st.integers(0, NUM_CLASSES - 1), max_size=2))
def test_what_is_settled_stays(task, track, onsets, settings, hidden):
    rule = EventRule(onsets, settings, task, frozenset(hidden))
    final = [event for event in offline(track, rule) if event.label not in hidden]
    known, before = {}, 0.0
    for told, settled in stream(track, rule):
        known.update({(label, span.start): span for _, label, span in told})
        assert settled >= before
        before = settled
        now = {
            (k, s.start, min(s.end, settled)) for (k, _), s in known.items() if s.start < settled
        }
        later = {(e.label, e.start, min(e.end, settled)) for e in final if e.start < settled}
        assert now == later
    assert settled == track[2]


@both_tasks
@repeatable
@given(three, three_onsets, rules, st.sets(st.integers(0, NUM_CLASSES - 1), max_size=2))
def test_hidden_classes_change_nothing_of_the_others(task, track, onsets, settings, hidden):
    rule = EventRule(onsets, settings, task)
    kept = [event for event in ended(track, rule) if event.label not in hidden]
    assert ended(track, replace(rule, hidden=frozenset(hidden))) == kept


def run(actions: Actions, *rows: tuple[float, ...], seconds: float = 1.0):
    cells = [
        Cell(n * seconds, (n + 1) * seconds, np.array(row, np.float32))
        for n, row in enumerate(rows)
    ]
    told = [[(k, label, s.start, s.end) for k, label, s in actions.add(cell)] for cell in cells]
    return told, [(label, s.start, s.end) for _, label, s in actions.finish()]


A, B, NONE = (0.9, 0.1), (0.1, 0.9), (0.2, 0.2)


def rule_of(**changes: float) -> EventRule:
    plain = {"offset_ratio": 0.5, "min_on_seconds": 0.0, "min_off_seconds": 0.0}
    return EventRule((0.4, 0.4), EventSettings(**(plain | changes)), "single")


def test_a_class_stays_until_another_is_more_likely_by_the_ratio():
    choice = Choice((0.4, 0.4), 0.5)
    rows = [(0.3, 0.39), (0.41, 0.4), (0.3, 0.6), (0.3, 0.61), (0.2, 0.2), (0.19, 0.19), (0.3, 0.3)]
    chosen = [np.flatnonzero(np.isfinite(choice(np.array(row)))).tolist() for row in rows]
    assert chosen == [[], [0], [0], [1], [1], [], []]


def test_a_likelier_class_below_its_own_onset_leaves_it_unknown():
    choice = Choice((0.3, 0.8), 0.5)
    assert np.isfinite(choice(np.array([0.32, 0.1]))).tolist() == [True, False]
    assert not np.isfinite(choice(np.array([0.32, 0.7]))).any()


def test_an_onset_is_exceeded_not_reached():
    assert not np.isfinite(Choice((0.5, 0.5), 1.0)(np.array([0.5, 0.5], np.float32))).any()


def test_one_ends_before_the_next_begins():
    told, left = run(OneAction(rule_of(min_off_seconds=5.0)), A, A, B)
    assert told[2] == [("end", 0, 0.0, 2.0), ("new", 1, 2.0, 3.0)]
    assert left == [(1, 2.0, 3.0)]


def test_a_gap_is_closed_over_what_is_too_short_to_be_told():
    told, left = run(OneAction(rule_of(min_on_seconds=1.5, min_off_seconds=1.5)), A, A, B, A)
    assert [news for news in told if news][-1] == [("update", 0, 0.0, 4.0)]
    assert left == [(0, 0.0, 4.0)]


def test_a_gap_is_not_closed_over_another_action():
    told, left = run(OneAction(rule_of(min_on_seconds=1.0, min_off_seconds=9.0)), A, B, A)
    assert told[1][0] == ("end", 0, 0.0, 1.0)
    assert told[2] == [("end", 1, 1.0, 2.0), ("new", 0, 2.0, 3.0)]
    assert left == [(0, 2.0, 3.0)]


def test_who_alternates_does_what_was_first_long_enough():
    rule = rule_of(min_on_seconds=2.5, min_off_seconds=1.5)
    assert run(OneAction(rule), A, B, A, B, A, B)[1] == [(0, 0.0, 5.0)]


def test_nothing_stays_on_at_an_onset_of_zero():
    rule = EventRule((0.0, 0.0), EventSettings(min_on_seconds=0, min_off_seconds=0), "single")
    told, left = run(OneAction(rule), A, B, B)
    assert told[1] == [("end", 0, 0.0, 1.0), ("new", 1, 1.0, 2.0)]
    assert left == [(1, 1.0, 3.0)]
