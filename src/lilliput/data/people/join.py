"""One take after the other, without a jump."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import BONES, FPS, Motion, normalize
from lilliput.data.people.keyed import Take

Array = npt.NDArray[np.floating[Any]]
_HIPS = list(BONES).index("hips")


def follow(first: Take, second: Take, within: float = 0.35) -> Take:
    """The second take goes on where the first one ends, facing the same way.

    Args:
        first: What it holds or rests on counts where the second has none.
        second: The same.
        within: Seconds in which the one pose becomes the other.
    """
    second_motion = turn(second.motion, heading(first.motion, -1) - heading(second.motion, 0))
    start, end = second_motion.root[0], first.motion.root[-1]
    moved = second_motion.root + (end - start) * np.array([1, 0, 1], np.float32)
    directions = second_motion.directions.copy()
    steps = min(round(within * FPS), len(second_motion) - 1)
    share = np.linspace(1, 0, steps + 1, dtype=np.float32)[:-1]
    share = share**2 * (3 - 2 * share)
    last = first.motion.directions[-1]
    mixed = directions[:steps] + (last - directions[:steps]) * share[:, None, None]
    directions[:steps] = normalize(mixed)
    moved[:steps, 1] += (end[1] - moved[:steps, 1]) * share
    joined = Motion(
        second.motion.name,
        second.motion.text,
        np.concatenate([first.motion.directions, directions]).astype(np.float32),
        np.concatenate([first.motion.root, moved]).astype(np.float32),
    )
    spans = first.spans + tuple(span.moved(len(first.motion)) for span in second.spans)
    return Take(joined, spans, first.held or second.held, first.support or second.support)


def turn(motion: Motion, radians: float) -> Motion:
    """The motion turned about the vertical axis, from z towards x."""
    cos, sin = np.cos(radians), np.sin(radians)
    matrix = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)
    return replace(motion, directions=motion.directions @ matrix.T, root=motion.root @ matrix.T)


def heading(motion: Motion, frame: int) -> float:
    """Where the hips face, radians from z towards x."""
    across = motion.directions[frame, _HIPS]  # to the left: forward is a quarter turn from it
    return float(np.arctan2(-across[2], across[0]))
