"""What an action is made of: timing, gaits, and a person that moves by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lilliput.data.synthetic.person import Look, Pose, draw_person
from lilliput.data.synthetic.shapes import Array, Shape, point

FPS = 30
HANGING = point(0.0, 0.36)


@dataclass(frozen=True)
class Action:
    """What is seen, back to front, and every class name that is true of it."""

    labels: set[str]
    shapes: list[Shape]


Builder = Callable[[np.random.Generator, int], Action]
"""Draws a scene of so many frames."""


@dataclass(frozen=True)
class Gait:
    """Where a person's feet are and how the legs move; the fields are those of ``Pose``."""

    feet: Array
    facing: float
    phase: Array
    swing: float
    lift: float


def seconds(num_frames: int) -> Array:
    """Time of every frame, in seconds, ``(T,)``."""
    return np.arange(num_frames, dtype=np.float32) / np.float32(FPS)


def eased(num_frames: int, start: float, stop: float) -> Array:
    """0 until the fraction ``start`` of the clip, 1 from ``stop``, smooth between; ``(T,)``."""
    x = np.clip((np.linspace(0, 1, num_frames) - start) / (stop - start), 0, 1)
    eased: Array = (x * x * (3 - 2 * x)).astype(np.float32)
    return eased


def either(rng: np.random.Generator) -> int:
    """-1 or 1: no class prefers a side of the picture."""
    return int(rng.choice((-1, 1)))


def stand(num_frames: int, x: float = 0.0, facing: float = 0.0) -> Gait:
    """Stays on one spot."""
    still = np.zeros(num_frames, np.float32)
    return Gait(point(still + x, still), facing, still, 0.0, 0.0)


def walk(rng: np.random.Generator, num_frames: int) -> Gait:
    """Walks in a random direction."""
    course = rng.uniform(-1.1, 1.1)
    return _go(rng, num_frames, course, speed=rng.uniform(0.6, 0.95), swing=0.42, lift=0.07)


def run(rng: np.random.Generator, num_frames: int) -> Gait:
    """Runs: longer, quicker, higher steps.

    More into the depth than walkers do: the crop holds the whole way, and a runner who crosses it
    would be a few pixels tall.
    """
    course = rng.uniform(0.7, 1.35) * either(rng)
    return _go(rng, num_frames, course, speed=rng.uniform(1.3, 1.8), swing=0.75, lift=0.22)


def walk_along(feet: Array, facing: float, swing: float = 0.4, lift: float = 0.07) -> Gait:
    """Steps along a path ``(T, 2)``; the legs keep time with the ground, so feet do not slide."""
    steps = np.hypot(np.gradient(feet[:, 0]), 2 * np.gradient(feet[:, 1]))
    phase = np.cumsum(steps) * 2 * np.pi / (4 * 0.48 * np.sin(swing))
    return Gait(feet, facing, phase, swing, lift)


def embody(
    rng: np.random.Generator, gait: Gait, far: Array, near: Array, opacity: Array | None = None
) -> list[Shape]:
    """A random person whose hands are held at ``far`` and ``near``, each ``(2,)`` or ``(T, 2)``."""
    still = np.zeros(len(gait.feet), np.float32)
    hands = np.stack([np.broadcast_to(hand, gait.feet.shape) for hand in (far, near)])
    pose = Pose(gait.feet, gait.facing, hands, gait.phase, gait.swing, gait.lift, still, still)
    return draw_person(Look.draw(rng), pose, opacity)


def _go(
    rng: np.random.Generator,
    num_frames: int,
    course: float,
    *,
    speed: float,
    swing: float,
    lift: float,
) -> Gait:
    """A straight way, ``course`` radians off the picture's plane; speed in heights a second."""
    ahead = either(rng) * np.cos(course)
    way = seconds(num_frames) * speed
    # The camera looks down at a slant, so a way into the depth climbs only half as fast.
    return walk_along(point(way * ahead, way * 0.5 * np.sin(course)), ahead, swing, lift)
