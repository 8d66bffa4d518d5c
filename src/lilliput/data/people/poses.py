"""Poses keyed by hand, as angles of the joints, and what their bones' directions are.

Motion capture is thin where surveillance looks: sitting down, falling, lying, bending, waving. So
these are keyed: an action is a few poses and the times between them (``keyed.py``).

Axes of a body that stands upright: x to its left, y up, z forward. All angles are in degrees.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.rotation import about_axis

Array = npt.NDArray[np.floating[Any]]

_ARM = ("forward", "out", "elbow", "twist")
_LEG = ("forward", "out", "knee", "twist", "ankle")
ANGLES = (
    "tilt",  # the whole body about x, forward onto the face
    "roll",  # about z, onto its left side
    "turn",  # about y, to its left
    "bow",  # the trunk, forward
    "side",  # the trunk, to the left
    "wring",  # the shoulders against the hips, to the left
    "nod",  # the head, forward
    *(f"{side}_arm_{angle}" for side in ("left", "right") for angle in _ARM),
    *(f"{side}_leg_{angle}" for side in ("left", "right") for angle in _LEG),
    "lift",  # no angle: how far the lowest joint is off the ground, leg lengths
)
_PLACE = {name: index for index, name in enumerate(ANGLES)}
_TOE = 80.0  # between a shin and its foot


def pose(start: Array | None = None, **angles: float) -> Array:
    """(A,) a pose in the order of ``ANGLES``; what is not given is that of ``start``, or 0.

    ``arms_…`` and ``legs_…`` set both sides.

    Raises:
        KeyError: There is no such angle.
    """
    made = np.zeros(len(ANGLES), np.float32) if start is None else start.copy()
    for name, value in angles.items():
        limb, _, angle = name.partition("_")
        if limb in ("arms", "legs"):
            for side in ("left", "right"):
                made[_PLACE[f"{side}_{limb[:-1]}_{angle}"]] = value
        else:
            made[_PLACE[name]] = value
    return made


def column(poses: Array, name: str) -> Array:
    """(T,) one angle of poses (T, A), a view."""
    return poses[..., _PLACE[name]]


STAND = pose(arms_forward=3, arms_out=6, arms_elbow=8, legs_out=3, legs_forward=1, legs_knee=3)
SIT_CHAIR = pose(bow=5, arms_forward=25, arms_out=8, arms_elbow=55, legs_forward=82, legs_knee=80,
                 legs_out=8)  # fmt: skip
SIT_FLOOR = pose(bow=18, arms_forward=35, arms_out=10, arms_elbow=25, legs_forward=85, legs_knee=25,
                 legs_out=10)  # fmt: skip
CROSS_LEGGED = pose(SIT_FLOOR, legs_out=45, legs_forward=75, legs_knee=125, legs_twist=60)
CROUCH = pose(bow=35, arms_forward=45, arms_out=12, arms_elbow=50, legs_forward=105, legs_knee=135,
              legs_out=18)  # fmt: skip
KNEEL = pose(bow=8, arms_forward=15, arms_out=8, arms_elbow=30, legs_forward=10, legs_knee=95,
             legs_ankle=75)  # fmt: skip
BEND = pose(bow=80, nod=10, arms_forward=72, arms_out=8, arms_elbow=8, legs_forward=8, legs_knee=14,
            legs_out=5)  # fmt: skip
REACH_DOWN = pose(BEND, bow=98, legs_forward=40, legs_knee=55, arms_forward=95)
SQUAT_DOWN = pose(CROUCH, bow=50, arms_forward=45, arms_elbow=5)
FOURS = pose(tilt=78, bow=6, nod=-35, arms_forward=85, arms_elbow=5, legs_forward=75, legs_knee=80,
             arms_out=8, legs_out=8, legs_ankle=75)  # fmt: skip
LIE_BACK = pose(tilt=-88, arms_forward=8, arms_out=18, arms_elbow=15, legs_forward=3, legs_knee=6,
                legs_out=8, legs_ankle=20)  # fmt: skip
LIE_FRONT = pose(tilt=88, arms_forward=3, arms_out=65, arms_elbow=70, arms_twist=-90, legs_out=8,
                 legs_knee=3, legs_ankle=60)  # fmt: skip
LIE_SIDE = pose(roll=88, bow=12, arms_forward=45, arms_elbow=50, legs_forward=28, legs_knee=45,
                legs_ankle=20)  # fmt: skip
LYING: Mapping[str, Array] = {"back": LIE_BACK, "front": LIE_FRONT, "side": LIE_SIDE}


def pose_directions(poses: Array) -> Array:
    """(T, A) angles to (T, 14, 3) directions in the order of the bones."""
    radians = np.radians(poses)
    angle = {name: radians[:, index] for name, index in _PLACE.items()}
    zero = np.zeros(len(poses), np.float32)
    hips = about_axis(angle["turn"], 1) @ about_axis(angle["tilt"], 0)
    hips = hips @ about_axis(-angle["roll"], 2)
    trunk = hips @ about_axis(angle["bow"], 0) @ about_axis(-angle["side"], 2)
    trunk = trunk @ about_axis(angle["wring"], 1)
    head = trunk @ about_axis(angle["nod"], 0)
    up, left = np.array([0, 1, 0], np.float32), np.array([1, 0, 0], np.float32)
    bones: list[Array] = [trunk @ up, head @ up, trunk @ left, hips @ left]
    for side, sign in (("left", 1), ("right", -1)):
        upper, fore = _limb(angle, f"{side}_arm", "elbow", sign, 1)
        bones += [_apply(trunk, upper), _apply(trunk, fore)]
    for side, sign in (("left", 1), ("right", -1)):
        thigh, shin = _limb(angle, f"{side}_leg", "knee", sign, -1)
        toe = np.radians(_TOE) + angle[f"{side}_leg_forward"] - angle[f"{side}_leg_knee"]
        toe = toe - angle[f"{side}_leg_ankle"]
        foot = np.stack([zero, -np.cos(toe), np.sin(toe)], axis=-1)
        bones += [_apply(hips, bone) for bone in (thigh, shin, foot)]
    return np.stack(bones, axis=1).astype(np.float32)


def _limb(
    angle: Mapping[str, Array], limb: str, joint: str, sign: int, way: int
) -> tuple[Array, Array]:
    """Both bones of a limb that hangs down at 0; the second one bends forward or backward."""
    forward, out = angle[f"{limb}_forward"], angle[f"{limb}_out"]
    bend, twist = angle[f"{limb}_{joint}"], angle[f"{limb}_twist"]
    first = np.stack(
        [sign * np.sin(out), -np.cos(forward) * np.cos(out), np.sin(forward) * np.cos(out)], axis=-1
    )
    ahead = np.stack([0 * forward, np.sin(forward), np.cos(forward)], axis=-1)
    across = np.cross(first, ahead) * sign
    bends_to = ahead * np.cos(twist)[:, None] + across * np.sin(twist)[:, None]
    second = first * np.cos(bend)[:, None] + way * bends_to * np.sin(bend)[:, None]
    return first, second


def _apply(matrices: Array, vectors: Array) -> Array:
    turned: Array = (matrices @ vectors[..., None])[..., 0]
    return turned
