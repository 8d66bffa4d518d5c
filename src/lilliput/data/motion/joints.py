"""Which joint of a file's skeleton is which of ours, and from joints to a motion.

Names after CMU's skeletons, Mixamo's, 100STYLE's and their like.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import (
    JOINTS,
    Motion,
    find_directions,
    ground,
    resample,
)
from lilliput.errors import DataError

Array = npt.NDArray[np.floating[Any]]

# Candidates, the surest first; `{}` is left or right. Names are compared without what stands
# before a colon, without separators, in small letters.
_NAMES: Mapping[str, Sequence[str]] = {
    "pelvis": ("hips", "hip", "pelvis", "root"),
    "neck": ("neck", "neck1", "lowerneck", "spine3", "chest4", "chest3", "spine2", "thorax"),
    "head": ("headend", "headtopend", "head", "upperneck"),
    "hip": ("{}upleg", "{}hip", "{}femur", "{}thigh"),
    "knee": ("{}leg", "{}knee", "{}tibia", "{}shin", "{}calf"),
    "ankle": ("{}foot", "{}ankle"),
    "toe": ("{}toebase", "{}toe", "{}toes", "{}footend", "{}ankleend"),
    "shoulder": ("{}arm", "{}humerus", "{}upperarm", "{}uparm", "{}shoulder"),
    "elbow": ("{}forearm", "{}elbow", "{}radius", "{}lowerarm"),
    "wrist": ("{}hand", "{}wrist"),
}


def find_names(path: Path, names: Sequence[str]) -> Mapping[str, str]:
    """The file's name of each of our joints.

    Raises:
        DataError: A joint is not found.
    """
    plain = {_plain(name): name for name in reversed(names)}
    found = {}
    for joint in JOINTS:
        side, _, part = joint.partition("_") if "_" in joint else ("", "", joint)
        candidates = [name.format(side) for name in _NAMES[part]]
        candidates += [name.format(side[:1]) for name in _NAMES[part] if side]
        match = next((plain[name] for name in candidates if name in plain), None)
        if match is None:
            raise DataError(
                f"{path}: no joint of its skeleton is a {joint.replace('_', ' ')}; its joints: "
                f"{', '.join(names)}"
            )
        found[joint] = match
    return found


def to_motion(name: str, text: str, places: Mapping[str, Array], fps: float) -> Motion:
    """A motion of 30 frames a second from joints (T, 3) in any unit, y or z up."""
    stacked = {joint: np.asarray(places[joint], np.float64) for joint in JOINTS}
    ankles = (stacked["left_ankle"] + stacked["right_ankle"]) / 2
    upward = np.mean(stacked["neck"] - ankles, axis=0)
    if abs(upward[2]) > abs(upward[1]):  # z is up
        stacked = {joint: at[:, [0, 2, 1]] * [1, 1, -1] for joint, at in stacked.items()}
    leg = np.median(
        np.linalg.norm(stacked["left_hip"] - stacked["left_knee"], axis=1)
        + np.linalg.norm(stacked["left_knee"] - stacked["left_ankle"], axis=1)
    )
    scaled = {
        joint: resample((at / max(float(leg), 1e-6)).astype(np.float32), fps)
        for joint, at in stacked.items()
    }
    middle = (scaled["left_hip"] + scaled["right_hip"]) / 2  # the file's own root may lie above
    directions = find_directions({**scaled, "pelvis": middle}).astype(np.float32)
    return ground(Motion(name, text, directions, middle))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())
