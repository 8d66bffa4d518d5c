"""Standing, sitting, lying and what leads from one to the other, keyed by hand."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS
from lilliput.data.people import gait
from lilliput.data.people.join import follow
from lilliput.data.people.keyed import Key, Span, Take, move, play, sway
from lilliput.data.people.poses import (
    ANGLES,
    CROSS_LEGGED,
    KNEEL,
    LYING,
    SIT_CHAIR,
    SIT_FLOOR,
    STAND,
    column,
    pose,
)

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator

_ARMS: tuple[Mapping[str, float], ...] = (  # what arms do that do nothing
    {},
    {},
    {"arms_forward": 28, "arms_elbow": 95, "arms_twist": 55, "arms_out": 12},  # folded
    {"arms_out": 32, "arms_elbow": 80, "arms_twist": 75, "arms_forward": -12},  # on the hips
    {"arms_out": 14, "arms_elbow": 35, "arms_forward": -8},  # in the pockets
    {"arms_forward": -22, "arms_elbow": 35, "arms_twist": 70},  # behind the back
    {"arms_forward": 18, "arms_elbow": 60, "arms_twist": 40},  # hands before the belly
)


_BUSY: tuple[Mapping[str, float], ...] = (  # what arms do while people sit or stand
    {"forward": 50, "out": 10, "elbow": 125, "twist": 20},  # at the mouth
    {"forward": 70, "out": 12, "elbow": 20, "twist": 0},  # reaching ahead
    {"forward": 35, "out": 14, "elbow": 85, "twist": 25},  # at a table, a book, buttons
    {"forward": 25, "out": 45, "elbow": 80, "twist": -20},  # talking with the hands
    {"forward": 120, "out": 25, "elbow": 100, "twist": 30},  # at the head
)


def standing_pose(rng: Rng) -> Array:
    """Upright, with arms that do one of the usual nothings."""
    upright = pose(STAND, legs_out=rng.uniform(1, 9), bow=rng.uniform(-3, 8))
    upright = pose(upright, nod=rng.uniform(-8, 25), **_ARMS[rng.integers(len(_ARMS))])
    if rng.random() < 0.4:  # the other arm does something else
        other = pose(STAND, **_ARMS[rng.integers(len(_ARMS))])
        arm = [index for index, name in enumerate(ANGLES) if name.startswith("left_arm")]
        upright[arm] = other[arm]
    return upright


def sitting_pose(rng: Rng, *, chair: bool) -> Array:
    """On a chair or on the ground; leaning back or forward, hands in the lap or at work."""
    if not chair:
        seat = CROSS_LEGGED if rng.random() < 0.5 else SIT_FLOOR
        return pose(seat, bow=rng.uniform(-5, 30), nod=rng.uniform(-5, 25))
    seat = pose(
        SIT_CHAIR,
        bow=rng.uniform(-18, 25),
        nod=rng.uniform(-5, 30),
        legs_knee=rng.uniform(60, 95),
        legs_out=rng.uniform(2, 18),
        arms_forward=rng.uniform(5, 60),
        arms_elbow=rng.uniform(20, 95),
        arms_twist=rng.uniform(0, 40),
    )
    if rng.random() < 0.3:  # legs that are crossed, stretched or drawn in
        leg = {"forward": rng.uniform(65, 105), "knee": rng.uniform(20, 115)}
        seat = pose(seat, **{f"left_leg_{name}": float(angle) for name, angle in leg.items()})
    return seat


def busy(rng: Rng, start: Array) -> Array:
    """The same pose with hands at something that has no name here: eating, reading, dressing."""
    arm = _BUSY[rng.integers(len(_BUSY))]
    sides = ("left", "right") if rng.random() < 0.4 else (str(rng.choice(["left", "right"])),)
    angles = {
        f"{side}_arm_{angle}": value + float(rng.normal(0, 12))
        for side in sides
        for angle, value in arm.items()
    }
    return pose(start, nod=rng.uniform(-5, 35), **angles)


def lying_pose(rng: Rng, kind: str | None = None, way: float | None = None) -> Array:
    """On the back, the front or a side (1 is the left one); straight, curled up, knees raised."""
    kind = kind or str(rng.choice(list(LYING)))
    if kind == "side":
        way = way or float(rng.choice([-1, 1]))
        lying = pose(LYING[kind], roll=88 * way, bow=rng.uniform(0, 45))
        lying = pose(lying, legs_forward=rng.uniform(5, 90), tilt=rng.normal(0, 12))
    else:
        lying = pose(LYING[kind], roll=rng.normal(0, 10), side=rng.normal(0, 8))
    for side in ("left", "right"):
        knee = rng.uniform(50, 120) if rng.random() < 0.4 else rng.uniform(2, 40)
        angles = {
            "leg_knee": knee,
            "arm_out": rng.uniform(5, 95),
            "arm_elbow": rng.uniform(0, 115),
        }
        if kind == "back":  # feet stay on the ground
            angles["leg_forward"] = knee * rng.uniform(0.4, 0.6)
        lying = pose(lying, **{f"{side}_{name}": float(value) for name, value in angles.items()})
    return lying


def stand(rng: Rng) -> Take:
    """Standing about; now and then turning, shifting, looking around."""
    keys = [Key(standing_pose(rng), hold=rng.uniform(1, 2), staying=("standing",))]
    for _ in range(int(rng.integers(1, 5))):
        next_ = pose(standing_pose(rng), turn=rng.normal(0, 40), wring=rng.normal(0, 10))
        next_ = busy(rng, next_) if rng.random() < 0.5 else next_
        keys.append(keep(next_, rng, "standing", "standing"))
    return play(rng, keys)


def sit(rng: Rng) -> Take:
    """Sitting, with small changes of the pose."""
    chair = bool(rng.random() < 0.75)
    keys = [Key(sitting_pose(rng, chair=chair), hold=rng.uniform(0.5, 2), staying=("sitting",))]
    for _ in range(int(rng.integers(1, 4))):
        seat = keys[0].pose if rng.random() < 0.5 else sitting_pose(rng, chair=chair)
        if chair and rng.random() < 0.2:  # to a shoe, a bag
            seat = pose(seat, bow=rng.uniform(35, 80), arms_forward=rng.uniform(60, 110))
        elif rng.random() < 0.6:
            seat = busy(rng, seat)
        keys.append(keep(seat, rng, "sitting", "sitting"))
    return play(rng, keys, support="chair" if chair else None)


def lie(rng: Rng) -> Take:
    """Lying still, or nearly."""
    lying, bed = lying_pose(rng), rng.random() < 0.35
    moved = pose(lying, arms_out=rng.uniform(8, 80), nod=rng.uniform(-10, 20))
    keys = [Key(lying, hold=rng.uniform(1, 3), staying=("lying",))]
    keys.append(keep(moved, rng, "lying", "lying"))
    return play(rng, keys, support="bed" if bed else None)


def fiddle(rng: Rng, *, sitting: bool) -> Take:
    """Sitting or standing while hands move to and fro: knitting, stirring, fanning, typing."""
    start = busy(rng, sitting_pose(rng, chair=True) if sitting else standing_pose(rng))
    time = np.arange(round(rng.uniform(2.5, 4.5) * FPS), dtype=np.float32) / FPS
    poses = np.repeat(start[None], len(time), axis=0) + sway(rng, len(time))
    hertz = rng.uniform(0.4, 3)
    for side in ("left", "right"):
        if rng.random() < 0.3:
            continue
        for angle, most in (("forward", 20), ("out", 12), ("elbow", 35), ("twist", 25)):
            swing = np.sin(2 * np.pi * (hertz * time + rng.uniform(0, 1)))
            column(poses, f"{side}_arm_{angle}")[:] += rng.uniform(0, most) * swing
    span = Span("sitting" if sitting else "standing", 0, len(time))
    return Take(move(poses), (span,), support="chair" if sitting else None)


def sit_down(rng: Rng) -> Take:
    """From standing, or from a walk, to a chair or the ground."""
    chair = bool(rng.random() < 0.75)
    seat, upright = sitting_pose(rng, chair=chair), standing_pose(rng)
    seconds = rng.uniform(0.8, 1.8) * (1 if chair else 1.4)
    middle = pose((upright + seat) / 2, bow=rng.uniform(25, 50), arms_forward=rng.uniform(0, 45))
    keys = [
        Key(upright, hold=rng.uniform(0.2, 1.2), staying=("standing",)),
        Key(middle, seconds * 0.6, ("sitting_down",)),
        Key(seat, seconds * 0.4, ("sitting_down",), rng.uniform(0.8, 3), ("sitting",)),
    ]
    take = play(rng, keys, support="chair" if chair else None)
    return take if chair or rng.random() < 0.6 else follow(approach(rng), take)


def stand_up(rng: Rng) -> Take:
    """From a chair or the ground to standing, or into a walk."""
    chair = bool(rng.random() < 0.75)
    seat, upright = sitting_pose(rng, chair=chair), standing_pose(rng)
    seconds = rng.uniform(0.7, 1.6) * (1 if chair else 1.5)
    middle = pose((upright + seat) / 2, bow=rng.uniform(28, 55), arms_forward=rng.uniform(0, 50))
    keys = [
        Key(seat, hold=rng.uniform(0.5, 2.0), staying=("sitting",)),
        Key(middle, seconds * 0.5, ("standing_up",)),
        Key(upright, seconds * 0.5, ("standing_up",), rng.uniform(0.3, 2), ("standing",)),
    ]
    take = play(rng, keys, support="chair" if chair else None)
    return take if chair or rng.random() < 0.6 else follow(take, approach(rng))


def lie_down(rng: Rng) -> Take:
    """Slowly and on purpose, by way of sitting or kneeling: no fall."""
    bed = bool(rng.random() < 0.5)
    first = SIT_FLOOR if rng.random() < 0.6 else KNEEL
    lying = lying_pose(rng)
    keys = [
        Key(standing_pose(rng), hold=rng.uniform(0.2, 0.8), staying=("standing",)),
        Key(first, rng.uniform(1.2, 2.2), hold=rng.uniform(0.2, 1)),
        Key(lying, rng.uniform(1.2, 2.4), hold=rng.uniform(1, 3), staying=("lying",)),
    ]
    return play(rng, keys, support="bed" if bed else None)


def get_up(rng: Rng) -> Take:
    """From lying to standing."""
    first = pose(SIT_FLOOR if rng.random() < 0.6 else KNEEL)
    keys = [
        Key(lying_pose(rng), hold=rng.uniform(0.5, 2), staying=("lying",)),
        Key(first, rng.uniform(0.9, 2), ("standing_up",), rng.uniform(0.1, 0.6), ("standing_up",)),
        Key(standing_pose(rng), rng.uniform(0.9, 1.8), ("standing_up",), 1.0, ("standing",)),
    ]
    return play(rng, keys)


POSTURES: Mapping[str, tuple[Callable[[Rng], Take], ...]] = MappingProxyType(
    {
        "standing": (stand, stand, partial(fiddle, sitting=False)),
        "sitting": (sit, sit, partial(fiddle, sitting=True)),
        "sitting_down": (sit_down,),
        "standing_up": (stand_up, stand_up, get_up),
        "lying": (lie, lie, lie_down),
    }
)


def keep(reached: Array, rng: Rng, moving: str, staying: str) -> Key:
    """A pose that is reached without haste, and kept for a while."""
    return Key(reached, rng.uniform(0.5, 1.4), (moving,), rng.uniform(0.8, 2.5), (staying,))


def approach(rng: Rng) -> Take:
    """A few steps before or after something else."""
    return gait.take(gait.walk(rng, rng.uniform(0.8, 2)), "walking")
