"""Which take shows an action, and which part of it a clip shows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.captured import Captured
from lilliput.data.people.gestures import GESTURES
from lilliput.data.people.join import follow
from lilliput.data.people.keyed import Span, Take
from lilliput.data.people.movements import MOVEMENTS
from lilliput.data.people.postures import POSTURES

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator

KEYED: Mapping[str, tuple[Callable[[Rng], Take], ...]] = MappingProxyType(
    {**POSTURES, **MOVEMENTS, **GESTURES}
)
_CAPTURED_SHARE = 0.6  # of the takes whose action was captured often
_OFTEN = 10  # takes; where there are as many as this, half of that share
_LEAST = 0.4  # of a clip that an action fills; or half of the action lies in it
# What a short captured take is followed by: itself, or its last pose.
_AFTER = MappingProxyType(
    {
        "sitting_down": "sitting",
        "standing_up": "standing",
        "falling": "lying",
        "jumping": "standing",
    }
)
_CYCLES = ("walking", "running", "crawling", "standing", "sitting", "lying", "waving", "crouching")


def draw_take(rng: Rng, captured: Captured, label: str, frames: int) -> Take:
    """A take that shows an action, keyed or captured, of so many frames or more.

    The empty label is of people who do something that has no name here.
    """
    keyed = KEYED.get(label, ())
    found = None
    count = captured.counts.get(label, 0)
    if not keyed or rng.random() < _CAPTURED_SHARE * count / (count + _OFTEN):
        found = captured.draw(rng, label)
    if found is not None:
        return _extend(found, round(1.3 * frames))
    if not keyed:  # nothing was captured: someone stands about
        keyed = KEYED["standing"]
    take = keyed[rng.integers(len(keyed))](rng)
    return _extend(take, round(1.3 * frames))


def choose_window(
    rng: Rng, take: Take, label: str, frames: float, times: int
) -> tuple[Array, frozenset[str]]:
    """A part of a take in which its action is seen.

    Args:
        rng: Draws where.
        take: What is done.
        label: What must be seen; the empty one may be anywhere.
        frames: Length of the part; less where the take is shorter.
        times: How many moments are taken from it.

    Returns:
        (times,) moments in frames of the take, and what is done in the part.
    """
    last = len(take.motion) - 1
    length = min(frames, float(last))
    starts = rng.uniform(0, last - length, 24)
    for start in starts:
        labels = _labels_in(take, start, start + length)
        if label in labels or not label:
            break
    return np.linspace(start, start + length, times).astype(np.float32), labels


def sample(values: Array, moments: Array) -> Array:
    """(T, ...) values at moments between frames, linearly."""
    before = np.minimum(moments.astype(int), len(values) - 2)
    share = (moments - before).reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    between: Array = values[before] * (1 - share) + values[before + 1] * share
    return between


def _labels_in(take: Take, start: float, stop: float) -> frozenset[str]:
    """Actions that fill two fifths of the part, or of which half lies in it."""
    labels = set()
    for span in take.spans:
        inside = min(stop, span.stop) - max(start, span.start)
        if inside >= _LEAST * (stop - start) or inside >= (span.stop - span.start) / 2:
            labels.add(span.label)
    return frozenset(labels)


def _extend(take: Take, frames: int) -> Take:
    """Repeated, or with its last pose kept, until it is long enough."""
    label = take.spans[0].label if take.spans else ""
    whole = take
    while len(whole.motion) < frames and label in _CYCLES:
        whole = follow(whole, take)
    missing = frames - len(whole.motion)
    if missing <= 0:
        return whole
    motion, stop = whole.motion, len(whole.motion)
    kept = replace(
        motion,
        directions=np.concatenate([motion.directions, motion.directions[-1:].repeat(missing, 0)]),
        root=np.concatenate([motion.root, motion.root[-1:].repeat(missing, 0)]),
    )
    after = _AFTER.get(label)
    spans = (*whole.spans, Span(after, stop, stop + missing)) if after else whole.spans
    return replace(whole, motion=kept, spans=spans)
