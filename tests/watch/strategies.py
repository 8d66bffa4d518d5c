"""Tracks and rules that a property is tried on."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from lilliput.watch.events import WindowScores
from lilliput.watch.settings import EventSettings

repeatable = settings(derandomize=True, deadline=None, max_examples=80)
EIGHTH = 1 / 8  # seconds; sums of them are exact, so that no rounding blurs the rule


@st.composite
def tracks(draw, num_classes=1):
    """Windows of one track, a hop apart or at odd moments, and where the track begins and ends."""
    count = draw(st.integers(1, 14))
    if draw(st.booleans()):
        hops = [draw(st.integers(1, 8))] * count
    else:
        hops = draw(st.lists(st.integers(1, 12), min_size=count, max_size=count))
    start = draw(st.integers(0, 40)) * EIGHTH
    length = draw(st.integers(1, 16)) * EIGHTH
    ends = start + length + np.cumsum([0, *hops[1:]]) * EIGHTH
    row = st.lists(st.integers(0, 10), min_size=num_classes, max_size=num_classes)
    rows = draw(st.lists(row, min_size=count, max_size=count))
    windows = [
        WindowScores(1, end - length, end, np.array(scores) / 10)
        for end, scores in zip(ends.tolist(), rows, strict=True)
    ]
    return start, windows, windows[-1].end_seconds


rules = st.builds(
    EventSettings,
    smoothing_seconds=st.integers(0, 24).map(lambda n: n * EIGHTH),
    offset_ratio=st.sampled_from([1.0, 0.8, 0.5]),
    min_on_seconds=st.integers(0, 20).map(lambda n: n * EIGHTH),
    min_off_seconds=st.integers(0, 20).map(lambda n: n * EIGHTH),
)
onsets = st.sampled_from([0.05, 0.25, 0.5, 0.75])
