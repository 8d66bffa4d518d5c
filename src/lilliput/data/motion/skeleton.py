"""How a person moves, as the directions of fourteen bones over time.

Directions leave out how long the bones are, so that any body can wear any motion: motion capture
of an actor, an animation with short limbs, and poses that were keyed by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

FPS = 30  # of every motion
# Bones with the joints at both ends, parents first; a girdle has its parent in the middle.
BONES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "spine": ("pelvis", "neck"),
        "head": ("neck", "head"),
        "shoulders": ("right_shoulder", "left_shoulder"),
        "hips": ("right_hip", "left_hip"),
        "left_upper_arm": ("left_shoulder", "left_elbow"),
        "left_forearm": ("left_elbow", "left_wrist"),
        "right_upper_arm": ("right_shoulder", "right_elbow"),
        "right_forearm": ("right_elbow", "right_wrist"),
        "left_thigh": ("left_hip", "left_knee"),
        "left_shin": ("left_knee", "left_ankle"),
        "left_foot": ("left_ankle", "left_toe"),
        "right_thigh": ("right_hip", "right_knee"),
        "right_shin": ("right_knee", "right_ankle"),
        "right_foot": ("right_ankle", "right_toe"),
    }
)
GIRDLES: Mapping[str, str] = MappingProxyType({"shoulders": "neck", "hips": "pelvis"})
# Of a common body, m.
LENGTHS: Mapping[str, float] = MappingProxyType(
    {
        "spine": 0.50,
        "head": 0.22,
        "shoulders": 0.36,
        "hips": 0.20,
        **{f"{side}_upper_arm": 0.29 for side in ("left", "right")},
        **{f"{side}_forearm": 0.32 for side in ("left", "right")},
        **{f"{side}_thigh": 0.43 for side in ("left", "right")},
        **{f"{side}_shin": 0.43 for side in ("left", "right")},
        **{f"{side}_foot": 0.20 for side in ("left", "right")},
    }
)
JOINTS = (
    "pelvis", "neck", "head", "left_shoulder", "right_shoulder", "left_hip", "right_hip",
    "left_elbow", "left_wrist", "right_elbow", "right_wrist", "left_knee", "left_ankle",
    "left_toe", "right_knee", "right_ankle", "right_toe",
)  # fmt: skip


@dataclass(frozen=True)
class Motion:
    """A take of one person, 30 frames a second; y points up, the ground is at 0.

    Attributes:
        name: Of the take.
        text: What its source says of it.
        directions: (T, 14, 3) unit vectors, in the order of ``BONES``.
        root: (T, 3) place of the pelvis, in leg lengths (hip to ankle).
    """

    name: str
    text: str
    directions: Array
    root: Array

    def __len__(self) -> int:
        """Frames T."""
        return len(self.root)

    def cut(self, frames: slice) -> "Motion":
        """A part of the take."""
        return replace(self, directions=self.directions[frames], root=self.root[frames])

    def mirrored(self) -> "Motion":
        """The take as a mirror shows it: left and right are exchanged."""
        names = list(BONES)
        order = [names.index(_other_side(name)) for name in names]
        flip = np.array([-1, 1, 1], self.directions.dtype)
        directions = self.directions[:, order] * flip
        for girdle in GIRDLES:  # still from right to left
            directions[:, names.index(girdle)] *= -1
        return replace(self, directions=directions, root=self.root * flip)


def find_joints(motion: Motion, lengths: Mapping[str, float]) -> Mapping[str, Array]:
    """Where the joints of a body are.

    Args:
        motion: T frames.
        lengths: Of every bone in ``BONES``; the unit of the result.

    Returns:
        (T, 3) for every name in ``JOINTS``.
    """
    leg = lengths["left_thigh"] + lengths["left_shin"]
    bones = dict(zip(BONES, np.moveaxis(motion.directions, 1, 0), strict=True))
    joints: dict[str, Array] = {"pelvis": motion.root * leg}
    for name, (start, end) in BONES.items():
        reach = bones[name] * lengths[name]
        if name in GIRDLES:
            middle = joints[GIRDLES[name]]
            joints[start], joints[end] = middle - reach / 2, middle + reach / 2
        else:
            joints[end] = joints[start] + reach
    return joints


def lowest(motion: Motion, lengths: Mapping[str, float]) -> Array:
    """(T,) height of the lowest joint above the ground, leg lengths."""
    heights: Array = np.min(
        [places[:, 1] for places in find_joints(motion, lengths).values()], axis=0
    )
    return heights / (lengths["left_thigh"] + lengths["left_shin"])


def ground(motion: Motion) -> Motion:
    """The motion with its lowest joint on the ground, but for one frame of fifty."""
    root = motion.root.copy()
    root[:, 1] -= np.percentile(lowest(motion, LENGTHS), 2)
    return replace(motion, root=root)


def find_directions(joints: Mapping[str, Array]) -> Array:
    """(T, 14, 3) unit vectors from joints (T, 3); the other way round.

    A bone without length points up.
    """
    vectors = np.stack([joints[end] - joints[start] for start, end in BONES.values()], axis=1)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    up = np.array([0, 1, 0], vectors.dtype)
    return np.where(lengths > 1e-6, vectors / np.maximum(lengths, 1e-6), up)


def resample(values: Array, fps: float, wanted: float = FPS) -> Array:
    """(T, ...) values at another rate, linearly between frames; the last one stays the last."""
    if fps == wanted or len(values) < 2:
        return values
    times = np.arange(0, len(values) - 1 + 1e-3, fps / wanted)
    before = np.minimum(times.astype(int), len(values) - 2)
    share = np.minimum(times - before, 1).reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    mixed: Array = values[before] * (1 - share) + values[before + 1] * share
    return mixed


def normalize(vectors: Array) -> Array:
    """Unit vectors along the last axis."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Array = vectors / np.maximum(lengths, 1e-6)
    return unit


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    return "left_" + name.removeprefix("right_") if name.startswith("right_") else name
