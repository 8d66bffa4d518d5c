"""From poses and the times between them to a moving person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS, JOINTS, LENGTHS, Motion, find_joints
from lilliput.data.people.poses import ANGLES, column, pose_directions

Array = npt.NDArray[np.floating[Any]]
Ease = Literal["smooth", "drop", "fast"]

LEG = LENGTHS["left_thigh"] + LENGTHS["left_shin"]
_SWAY = 2.0  # degrees, of people who keep still
_MANNER = 6.0  # degrees, in which one person's poses differ from another's


@dataclass(frozen=True)
class Span:
    """An action and its frames, start to before stop."""

    label: str
    start: int
    stop: int

    def moved(self, frames: int) -> "Span":
        """The same, so many frames later."""
        return replace(self, start=self.start + frames, stop=self.stop + frames)


@dataclass(frozen=True)
class Take:
    """A person who does something.

    Attributes:
        motion: How the body moves, T frames.
        spans: What is done when.
        held: What is in the hands, if anything; see ``things.py``.
        support: What the body rests on, if anything but the ground; likewise.
    """

    motion: Motion
    spans: tuple[Span, ...]
    held: str | None = None
    support: str | None = None


@dataclass(frozen=True)
class Key:
    """A pose that is reached, and kept.

    Attributes:
        pose: (A,) angles.
        seconds: To get there from the pose before; the first one's are not used.
        moving: What getting there is called.
        hold: Seconds to stay.
        staying: What staying is called.
        ease: How to get there: evenly, faster and faster, or quickly and then slower.
    """

    pose: Array
    seconds: float = 0.0
    moving: tuple[str, ...] = ()
    hold: float = 0.0
    staying: tuple[str, ...] = ()
    ease: Ease = "smooth"


def play(
    rng: np.random.Generator,
    keys: Sequence[Key],
    *,
    held: str | None = None,
    support: str | None = None,
    manner: float = _MANNER,
) -> Take:
    """Moves a person from pose to pose, in a manner of its own."""
    style = rng.normal(0, manner, len(ANGLES)).astype(np.float32)
    style[[ANGLES.index(name) for name in ("tilt", "roll", "turn", "lift")]] = 0
    parts: list[Array] = []
    spans: list[Span] = []
    before = keys[0].pose
    for number, key in enumerate(keys):
        start = sum(map(len, parts))
        steps = round(key.seconds * FPS) if number else 0
        parts.append(_ease(before, key.pose, steps, key.ease))
        spans += [Span(label, start, start + steps) for label in key.moving if steps]
        rest = max(round(key.hold * FPS), 0 if number else 1)
        parts.append(np.repeat(key.pose[None], rest, axis=0))
        stays = start + steps
        spans += [Span(label, stays, stays + rest) for label in key.staying if rest]
        before = key.pose
    poses = np.concatenate(parts) + style
    poses += sway(rng, len(poses))
    return Take(move(poses), _joined(spans), held, support)


def move(poses: Array, travel: Array | None = None) -> Motion:
    """Poses (T, A) to a motion: the lowest joint is on the ground, and stays where it is.

    So feet do not slide: what they do drives the body.

    Args:
        poses: T poses.
        travel: (T, 2) how far the body moves along x and z besides, leg lengths.
    """
    still = Motion("keyed", "", pose_directions(poses), np.zeros((len(poses), 3), np.float32))
    joints = find_joints(still, LENGTHS)
    places = np.stack([joints[name] for name in JOINTS], axis=1) / LEG
    lowest = places[..., 1].argmin(axis=1)
    frames = np.arange(len(poses))
    root = np.zeros((len(poses), 3), np.float32)
    root[:, 1] = column(poses, "lift") - places[frames, lowest, 1]
    slid = places[frames[1:], lowest[1:]] - places[frames[:-1], lowest[1:]]
    root[1:, [0, 2]] -= np.cumsum(slid[:, [0, 2]], axis=0)
    if travel is not None:
        root[:, [0, 2]] += travel
    return replace(still, root=root)


def sway(rng: np.random.Generator, frames: int, degrees: float = _SWAY) -> Array:
    """(T, A) small movements of those who keep still: slow waves of each angle."""
    seconds = np.arange(frames, dtype=np.float32)[:, None] / FPS
    waves = np.zeros((frames, len(ANGLES)), np.float32)
    for hertz in (0.25, 0.7):
        rate, phase = rng.uniform(0.6, 1.4, len(ANGLES)), rng.uniform(0, 2 * np.pi, len(ANGLES))
        size = rng.normal(0, degrees / 2, len(ANGLES))
        waves += size * np.sin(2 * np.pi * hertz * rate * seconds + phase)
    for name in ("tilt", "roll", "lift", "turn"):
        column(waves, name)[:] = 0
    return waves.astype(np.float32)


def _ease(before: Array, after: Array, steps: int, ease: Ease) -> Array:
    """(steps, A) on the way; the last one is the pose that is reached."""
    share = np.arange(1, steps + 1, dtype=np.float32)[:, None] / max(steps, 1)
    if ease == "smooth":
        share = share**2 * (3 - 2 * share)
    elif ease == "drop":
        share = share**2.2
    else:
        share = 1 - (1 - share) ** 2
    return before + (after - before) * share


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans of the same action that touch become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.label, one.start)):
        last = joined[-1] if joined else None
        if last and last.label == span.label and last.stop >= span.start:
            joined[-1] = replace(last, stop=max(last.stop, span.stop))
        else:
            joined.append(span)
    return tuple(sorted(joined, key=lambda one: (one.start, one.label)))
