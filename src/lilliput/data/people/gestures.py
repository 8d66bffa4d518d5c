"""What arms and legs do while a person stands or walks, keyed by hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS
from lilliput.data.people import gait
from lilliput.data.people.keyed import Key, Span, Take, move, play, sway
from lilliput.data.people.poses import STAND, column, pose
from lilliput.data.people.postures import sitting_pose, standing_pose

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator


def wave(rng: Rng) -> Take:
    """One arm raised, or both, the forearm or the whole arm swinging from side to side."""
    time = np.arange(round(rng.uniform(2.5, 4.5) * FPS), dtype=np.float32) / FPS
    base, staying, support = _base(rng)
    poses = np.repeat(base[None], len(time), axis=0) + sway(rng, len(time))
    hertz, whole = rng.uniform(0.9, 2.4), rng.random() < 0.4
    for side in _sides(rng, both=0.3):
        swing = np.sin(2 * np.pi * hertz * time + rng.uniform(0, 0.6))
        out = rng.uniform(95, 150) if whole else rng.uniform(35, 110)
        column(poses, f"{side}_arm_forward")[:] = rng.uniform(0, 40)
        column(poses, f"{side}_arm_twist")[:] = -90
        column(poses, f"{side}_arm_out")[:] = out + (rng.uniform(15, 60) * swing if whole else 0)
        bend = rng.uniform(5, 30) if whole else rng.uniform(65, 110) + rng.uniform(20, 40) * swing
        column(poses, f"{side}_arm_elbow")[:] = bend
    return Take(move(poses), _all(("waving", staying), len(time)), support=support)


def point(rng: Rng) -> Take:
    """An arm is stretched out, held, and taken back."""
    start, staying, support = _base(rng)
    (side,) = _sides(rng, both=0)
    stretched = {"forward": rng.uniform(65, 105), "out": rng.uniform(-10, 80), "elbow": 3.0}
    aimed = pose(start, **{f"{side}_arm_{name}": value for name, value in stretched.items()})
    pointing = ("pointing", staying)
    keys = [
        Key(start, hold=rng.uniform(0.1, 0.6), staying=(staying,)),
        Key(aimed, rng.uniform(0.3, 0.7), pointing, rng.uniform(1, 2.5), pointing),
        Key(start, rng.uniform(0.4, 0.8), (staying,), 0.4, (staying,)),
    ]
    return play(rng, keys, support=support, manner=3)


def phone(rng: Rng) -> Take:
    """A hand at the ear: standing, walking or sitting."""
    (side,) = _sides(rng, both=0)
    ear = {"forward": rng.uniform(25, 60), "out": rng.uniform(10, 40), "elbow": 138.0, "twist": 8.0}
    arm = {f"{side}_arm_{name}": value for name, value in ear.items()}
    seconds = rng.uniform(2.5, 4)
    if rng.random() < 0.3:
        motion = gait.walk(rng, seconds, arms=pose(STAND, **arm))
        return Take(motion, _all(("talking_on_phone", "walking"), len(motion)), "phone")
    start, staying, support = _base(rng)
    keys = [Key(pose(start, **arm), hold=seconds, staying=("talking_on_phone", staying))]
    return play(rng, keys, held="phone", support=support, manner=3)


def carry(rng: Rng) -> Take:
    """A load before the chest, in one hand, or on a shoulder; standing or walking."""
    kind = str(rng.choice(["box", "box", "bag", "shoulder"]))
    (side,) = _sides(rng, both=0)
    if kind == "box":
        arms = {"arms_forward": rng.uniform(5, 40), "arms_elbow": rng.uniform(60, 100)}
    elif kind == "bag":
        arms = {f"{side}_arm_forward": 0.0, f"{side}_arm_elbow": 3.0, f"{side}_arm_out": 10.0}
    else:
        arms = {f"{side}_arm_forward": 70.0, f"{side}_arm_elbow": 130.0, f"{side}_arm_out": 60.0}
    arms["side"] = 0 if kind == "box" else (-1 if side == "left" else 1) * rng.uniform(2, 10)
    held = {"box": "box", "bag": f"{side}_bag", "shoulder": f"{side}_shoulder"}[kind]
    seconds = rng.uniform(2.5, 4)
    if rng.random() < 0.7:
        motion = gait.walk(rng, seconds, arms=pose(STAND, **arms) if kind != "bag" else None)
        return Take(motion, _all(("carrying", "walking"), len(motion)), held)
    keys = [Key(pose(STAND, **arms), hold=seconds, staying=("carrying", "standing"))]
    return play(rng, keys, held=held, manner=3)


def push(rng: Rng) -> Take:
    """Behind a cart, a pram or a heavy thing: both arms ahead, leaning."""
    lean = rng.uniform(5, 35)
    arms = pose(STAND, arms_forward=rng.uniform(30, 75) + lean, arms_elbow=rng.uniform(5, 50))
    motion = gait.walk(rng, rng.uniform(2.5, 4), arms=arms)
    return Take(motion, _all(("pushing", "walking"), len(motion)), "cart")


def hit(rng: Rng) -> Take:
    """Blows with a fist, straight or swung, one after the other."""
    guard = pose(STAND, arms_forward=35, arms_elbow=rng.uniform(95, 125), arms_twist=15, bow=8)
    guard = pose(guard, left_leg_forward=18, right_leg_forward=-12, legs_knee=14, legs_out=8)
    keys = [Key(guard, hold=rng.uniform(0.1, 0.5), staying=("hitting",))]
    for _ in range(int(rng.integers(2, 6))):
        (side,) = _sides(rng, both=0)
        sign = 1 if side == "right" else -1
        swung = rng.random() < 0.4
        fist = {"forward": rng.uniform(70, 95), "out": 60 if swung else 3, "elbow": 20 * swung + 4}
        back = {"forward": -30.0, "elbow": 110.0, "out": 50 if swung else 15}
        drawn = pose(guard, wring=-25 * sign, **{f"{side}_arm_{k}": v for k, v in back.items()})
        struck = pose(guard, wring=30 * sign, bow=rng.uniform(8, 25))
        struck = pose(struck, **{f"{side}_arm_{k}": v for k, v in fist.items()})
        keys += [
            Key(drawn, rng.uniform(0.15, 0.35), ("hitting",)),
            Key(struck, rng.uniform(0.1, 0.18), ("hitting",), 0.06, ("hitting",), ease="drop"),
            Key(guard, rng.uniform(0.2, 0.4), ("hitting",), rng.uniform(0, 0.3), ("hitting",)),
        ]
    return play(rng, keys)


def kick(rng: Rng) -> Take:
    """A leg swings forward, again and again or once."""
    keys = [Key(STAND, hold=rng.uniform(0.1, 0.5), staying=("standing",))]
    for _ in range(int(rng.integers(1, 4))):
        (side,) = _sides(rng, both=0)
        other = "left" if side == "right" else "right"
        arms = {f"{other}_arm_forward": 50.0, f"{side}_arm_forward": -30.0}
        high = rng.uniform(30, 100)
        drawn = {f"{side}_leg_forward": rng.uniform(-35, -10), f"{side}_leg_knee": 70.0}
        struck = {f"{side}_leg_forward": high, f"{side}_leg_knee": rng.uniform(3, 25)}
        keys += [
            Key(pose(STAND, **drawn, **arms, bow=8), rng.uniform(0.25, 0.45), ("kicking",)),
            Key(pose(STAND, **struck, **arms, bow=-high / 6), 0.16, ("kicking",), ease="drop"),
            Key(STAND, rng.uniform(0.3, 0.5), ("kicking",), rng.uniform(0.1, 0.5), ("standing",)),
        ]
    return play(rng, keys)


def throw(rng: Rng) -> Take:
    """Overhand or underhand: the arm swings far, the body with it."""
    (side,) = _sides(rng, both=0)
    sign, over = (1 if side == "right" else -1), rng.random() < 0.7
    back = {"forward": -40.0, "out": 75.0, "elbow": 85.0} if over else {"forward": -65.0}
    end = {"forward": 75.0 if over else 115.0, "out": 10.0, "elbow": 10.0, "twist": 0.0}
    up = {"forward": 150.0 if over else 10.0, "out": 25.0, "elbow": 45.0 if over else 5.0}

    def reach(start: Array, angles: Mapping[str, float], **others: float) -> Array:
        return pose(start, **{f"{side}_arm_{k}": v for k, v in angles.items()}, **others)

    base, staying, support = _base(rng)
    throwing = ("throwing", staying) if support else ("throwing",)
    keys = [Key(base, hold=rng.uniform(0.1, 0.7), staying=(staying,))]
    for _ in range(int(rng.integers(1, 3))):
        drawn = reach(base, back, wring=-35 * sign, bow=-6)
        keys += [
            Key(drawn, rng.uniform(0.35, 0.8), throwing),
            Key(reach(base, up, wring=10 * sign, bow=8), 0.12, throwing, ease="drop"),
            Key(reach(base, end, wring=35 * sign, bow=28), 0.14, throwing),
            Key(base, rng.uniform(0.4, 0.8), throwing, rng.uniform(0.2, 0.6), (staying,)),
        ]
    return play(rng, keys, held=f"{side}_ball", support=support)


def walk(rng: Rng) -> Take:
    """A walk, sometimes with hands that do not swing."""
    arms = standing_pose(rng) if rng.random() < 0.25 else None
    return gait.take(gait.walk(rng, rng.uniform(2.5, 5), arms=arms), "walking")


def run(rng: Rng) -> Take:
    """A run."""
    return gait.take(gait.run(rng, rng.uniform(2.5, 4.5)), "running")


GESTURES: Mapping[str, tuple[Callable[[Rng], Take], ...]] = MappingProxyType(
    {
        "walking": (walk,),
        "running": (run,),
        "waving": (wave,),
        "pointing": (point,),
        "carrying": (carry,),
        "pushing": (push,),
        "hitting": (hit,),
        "kicking": (kick,),
        "throwing": (throw,),
        "talking_on_phone": (phone,),
    }
)
_SEATED = 0.3  # of those whose hands do something


def _base(rng: Rng) -> tuple[Array, str, str | None]:
    """What hands may move from: a pose, what staying in it is called, and what supports it."""
    if rng.random() < _SEATED:
        return sitting_pose(rng, chair=True), "sitting", "chair"
    return standing_pose(rng), "standing", None


def _sides(rng: Rng, both: float) -> tuple[str, ...]:
    if rng.random() < both:
        return ("left", "right")
    return (str(rng.choice(["left", "right"])),)


def _all(labels: tuple[str, ...], frames: int) -> tuple[Span, ...]:
    return tuple(Span(label, 0, frames) for label in labels)
