"""Walking, running, crawling and climbing, as cycles of poses (after Bruderlin and Calvert 1989).

A cycle is drawn anew for each person: how fast, how far, how bent, how much the arms swing.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS, Motion
from lilliput.data.people.keyed import Span, Take, move, sway
from lilliput.data.people.poses import ANGLES, FOURS, STAND, column

Array = npt.NDArray[np.floating[Any]]


def walk(rng: np.random.Generator, seconds: float, *, arms: Array | None = None) -> Motion:
    """A walk of any kind: strolling to brisk, upright or stooped.

    Args:
        rng: Draws the manner.
        seconds: How long.
        arms: (A,) a pose whose arms do not swing: hands in pockets, on a load, at a phone.
    """
    rate, stride = rng.uniform(0.65, 1.15), rng.uniform(16, 30)
    phase = _phase(rng, seconds, rate)
    poses = _start(rng, STAND, len(phase))
    _legs(poses, phase, stride, knee=rng.uniform(40, 65), lead=4)
    _arms(poses, phase, rng.uniform(0.3, 1.2) * stride, elbow=rng.uniform(5, 30), still=arms)
    column(poses, "bow")[:] += rng.uniform(-2, 14)
    column(poses, "side")[:] += rng.uniform(0, 4) * np.sin(phase)
    column(poses, "wring")[:] += rng.uniform(2, 9) * np.sin(phase)
    _wander(rng, poses)
    motion = move(poses + sway(rng, len(poses), 1.0))
    # Two steps a cycle, each as long as the legs part; feet that roll off go further than joints.
    pace = 4 * rate * np.sin(np.radians(stride)) * rng.uniform(0.8, 1.05)
    return _travelling(motion, _ahead(poses, pace))


def run(rng: np.random.Generator, seconds: float) -> Motion:
    """A run, from a jog to a sprint: bent arms, high heels, both feet off the ground."""
    speed = rng.uniform(0, 1)
    phase = _phase(rng, seconds, 1.2 + 0.5 * speed + rng.uniform(-0.1, 0.1))
    poses = _start(rng, STAND, len(phase))
    stride = 24 + 18 * speed + rng.uniform(-3, 5)
    _legs(poses, phase, stride, knee=75 + 40 * speed + rng.uniform(-10, 10), lead=12 + 10 * speed)
    elbow = rng.uniform(65, 110)
    _arms(poses, phase, rng.uniform(0.7, 1.3) * stride, elbow=elbow)
    column(poses, "bow")[:] += rng.uniform(4, 16) + 6 * speed
    column(poses, "wring")[:] += rng.uniform(4, 12) * np.sin(phase)
    flight = np.maximum(np.cos(2 * phase), 0)  # both feet are off the ground twice a cycle
    column(poses, "lift")[:] += (0.04 + 0.08 * speed) * flight
    _wander(rng, poses)
    in_the_air = _ahead(poses, 0.5 + 1.1 * speed)
    return move(poses + sway(rng, len(poses), 1.0), in_the_air)


def crawl(rng: np.random.Generator, seconds: float) -> Motion:
    """On hands and knees."""
    phase = _phase(rng, seconds, rng.uniform(0.5, 0.9))
    poses = _start(rng, FOURS, len(phase))
    for side, sign in (("left", 1), ("right", -1)):
        swing = sign * np.sin(phase)
        column(poses, f"{side}_leg_forward")[:] += rng.uniform(12, 22) * swing
        column(poses, f"{side}_arm_forward")[:] -= rng.uniform(12, 22) * swing
        column(poses, f"{side}_arm_elbow")[:] += 25 * np.maximum(-sign * np.cos(phase), 0)
    _wander(rng, poses)
    motion = move(poses + sway(rng, len(poses), 1.0))
    # Which knee or hand carries the weight cannot be told.
    return _travelling(motion, _ahead(poses, rng.uniform(0.3, 0.9)))


def climb(rng: np.random.Generator, seconds: float) -> Motion:
    """Up a ladder, a fence or a steep wall: arms and legs reach in turn, the body rises."""
    phase = _phase(rng, seconds, rng.uniform(0.4, 0.75))
    poses = _start(rng, STAND, len(phase))
    for side, sign in (("left", 1), ("right", -1)):
        up = 0.5 + 0.5 * sign * np.sin(phase)
        column(poses, f"{side}_leg_forward")[:] = 15 + 75 * up
        column(poses, f"{side}_leg_knee")[:] = 20 + 80 * up
        column(poses, f"{side}_arm_forward")[:] = 105 + 55 * (1 - up)
        column(poses, f"{side}_arm_elbow")[:] = 20 + 50 * up
    column(poses, "bow")[:] += rng.uniform(0, 15)
    motion = move(poses + sway(rng, len(poses), 1.0))
    rise = rng.uniform(0.25, 0.5) * float(rng.choice([1, 1, -1]))  # leg lengths a cycle; or down
    root = motion.root * np.array([0.3, 1, 0.3], np.float32)
    root[:, 1] = 1.1 + (phase - phase[0]) / (2 * np.pi) * rise
    root[:, 1] -= min(0.0, float(root[:, 1].min()) - 1.0)
    return replace(motion, root=root)


def take(motion: Motion, label: str, support: str | None = None) -> Take:
    """A motion that is the same action from start to end."""
    return Take(motion, (Span(label, 0, len(motion)),), support=support)


def _phase(rng: np.random.Generator, seconds: float, hertz: float) -> Array:
    """(T,) of the cycle, radians."""
    time = np.arange(max(2, round(seconds * FPS)), dtype=np.float32) / FPS
    unevenness = 0.15 * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * time + rng.uniform(0, 6))
    phase: Array = 2 * np.pi * hertz * (time + unevenness / 2) + rng.uniform(0, 2 * np.pi)
    return phase.astype(np.float32)


def _start(rng: np.random.Generator, pose: Array, frames: int) -> Array:
    style = rng.normal(0, 3, len(ANGLES)).astype(np.float32)
    poses = np.repeat((pose + style)[None], frames, axis=0)
    for name in ("tilt", "roll", "turn", "lift"):
        column(poses, name)[:] = pose[ANGLES.index(name)]
    return poses


def _legs(poses: Array, phase: Array, stride: float, knee: float, lead: float) -> None:
    """Thighs swing; a knee bends while its leg comes forward."""
    for side, sign in (("left", 1), ("right", -1)):
        swing, forward = sign * np.sin(phase), sign * np.cos(phase)
        column(poses, f"{side}_leg_forward")[:] += lead + stride * swing
        bend = np.maximum(forward * 0.85 - 0.2 * swing, 0)
        column(poses, f"{side}_leg_knee")[:] += 4 + knee * bend
        column(poses, f"{side}_leg_ankle")[:] += 25 * np.maximum(-swing, 0) * (bend > 0)


def _arms(
    poses: Array, phase: Array, swing: float, elbow: float, still: Array | None = None
) -> None:
    for side, sign in (("left", 1), ("right", -1)):
        if still is not None:
            for angle in ("forward", "out", "elbow", "twist"):
                name = f"{side}_arm_{angle}"
                column(poses, name)[:] = still[ANGLES.index(name)]
            continue
        column(poses, f"{side}_arm_forward")[:] -= sign * swing * np.sin(phase)
        column(poses, f"{side}_arm_elbow")[:] += elbow + 0.3 * swing * np.maximum(
            -sign * np.sin(phase), 0
        )


def _travelling(motion: Motion, way: Array) -> Motion:
    """The same with another way over the ground, (T, 2) leg lengths."""
    root = motion.root.copy()
    root[:, [0, 2]] = way
    return replace(motion, root=root)


def _ahead(poses: Array, pace: float) -> Array:
    """(T, 2) the way along x and z at so many leg lengths a second."""
    heading = np.radians(column(poses, "turn"))
    way: Array = np.cumsum(np.stack([np.sin(heading), np.cos(heading)], axis=-1), axis=0)
    return way * np.float32(pace / FPS)


def _wander(rng: np.random.Generator, poses: Array) -> None:
    """The heading drifts, or turns a corner."""
    time = np.arange(len(poses), dtype=np.float32) / FPS
    heading = rng.normal(0, 8) * time
    if rng.random() < 0.2:
        corner = rng.uniform(0, time[-1])
        heading += rng.choice([-1, 1]) * rng.uniform(40, 120) / (1 + np.exp(-4 * (time - corner)))
    column(poses, "turn")[:] += heading.astype(np.float32)
