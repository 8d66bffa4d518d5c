"""A person with moving limbs, as shapes. The unit is the person's usual height, y points down."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lilliput.data.synthetic.colours import any_colour, shaded
from lilliput.data.synthetic.shapes import Array, Colour, Shape, box, disc, limb, point

_LEG, _SHOULDER, _HEAD = 0.48, 0.80, 0.92  # heights above the ground
_UPPER_ARM = 0.19  # as long as the forearm
_HAIR: tuple[Colour, ...] = ((0.08, 0.07, 0.06), (0.3, 0.2, 0.12), (0.6, 0.5, 0.35))
_SKIN: tuple[Colour, ...] = ((0.87, 0.68, 0.55), (0.72, 0.52, 0.39), (0.45, 0.31, 0.23))


@dataclass(frozen=True)
class Look:
    """What does not move: size, build and colours."""

    height: float
    girth: float
    shirt: Colour
    trousers: Colour
    skin: Colour
    hair: Colour

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Look:
        """A random passer-by."""
        return cls(
            height=float(rng.uniform(0.92, 1.08)),
            girth=float(rng.uniform(0.85, 1.25)),
            shirt=any_colour(rng),
            trousers=any_colour(rng, brightest=0.6),
            skin=_SKIN[rng.integers(len(_SKIN))],
            hair=_HAIR[rng.integers(len(_HAIR))],
        )


@dataclass(frozen=True)
class Pose:
    """What moves.

    Attributes:
        feet: Point on the ground between the feet, ``(T, 2)``.
        facing: 1 looks right, -1 left, 0 at the camera or away from it.
        hands: Both hands relative to the shoulders, in the picture's plane, ``(2, T, 2)``.
        phase: Of the gait, in radians; standing people keep 0, ``(T,)``.
        swing: Angle of the legs at full stride, in radians; 0 stands.
        lift: How far a foot leaves the ground, in heights.
        crouch: 0 upright to 1 on the heels, ``(T,)``.
        lean: Sideways offset of the shoulders from the hips, ``(T,)``.
    """

    feet: Array
    facing: float
    hands: Array
    phase: Array
    swing: float
    lift: float
    crouch: Array
    lean: Array


def shoulders(pose: Pose, height: float) -> Array:
    """Both shoulders, ``(2, T, 2)``; the far one first."""
    hips = _hips(pose, height)
    top = hips + point(pose.lean, -(_SHOULDER - _LEG) * (1 - 0.25 * pose.crouch)) * height
    apart = 0.10 * (1 - 0.75 * abs(pose.facing)) * height
    return np.stack([top - point(apart, 0), top + point(apart, 0)])


def draw_person(look: Look, pose: Pose, opacity: Array | None = None) -> list[Shape]:
    """The person's shapes, back to front."""
    size, girth = look.height, look.height * look.girth
    hips, sockets = _hips(pose, size), shoulders(pose, size)
    neck = sockets.mean(axis=0)
    rise = point(0, -(_HEAD - _SHOULDER) * size)
    forward = point(0.03 * pose.facing * size, 0)
    sleeve, shade = shaded(look.shirt, 0.85), shaded(look.trousers, 0.8)

    arms = [_arm(sockets[i], pose.hands[i] * size, 0.035 * girth, sleeve, look) for i in (0, 1)]
    shapes = [
        box(pose.feet, (0.16 * size, 0.02 * size), (0.05, 0.05, 0.06), radius=0.02, opacity=0.35),
        *arms[0],
        *_leg(pose, hips, 0, size, girth, shade),
        *_leg(pose, hips, 1, size, girth, look.trousers),
        limb(hips, neck + point(0, 0.04 * size), 0.085 * girth, look.shirt),
        disc(neck + rise, 0.075 * size, look.hair),
        disc(neck + rise + forward + point(0, 0.015 * size), 0.055 * size, look.skin),
        *arms[1],
    ]
    if opacity is None:
        return shapes
    return [replace(shape, opacity=shape.opacity * opacity) for shape in shapes]


def _hips(pose: Pose, height: float) -> Array:
    rise = _LEG * np.cos(pose.swing * np.sin(pose.phase)) * (1 - 0.55 * pose.crouch)
    return pose.feet - point(0, rise) * height


def _leg(
    pose: Pose, hips: Array, side: int, size: float, girth: float, colour: Colour
) -> list[Shape]:
    phase = pose.phase + np.pi * side
    stride = _LEG * np.sin(pose.swing * np.sin(phase))
    raised = np.maximum(np.cos(phase), 0) if pose.swing else np.zeros_like(phase)
    spread = (0.06 + 0.02 * pose.crouch) * (1 - 0.6 * abs(pose.facing)) * (2 * side - 1)
    foot = pose.feet + point(spread + pose.facing * stride, -pose.lift * raised) * size
    foot[:, 1] -= 0.02 * size
    bend = pose.facing * (0.5 * pose.lift * raised + 0.18 * pose.crouch)
    bend = bend + spread * 2 * pose.crouch
    knee = (hips + foot) / 2 + point(bend, 0) * size
    return [limb(hips, knee, 0.055 * girth, colour), limb(knee, foot, 0.045 * girth, colour)]


def _arm(shoulder: Array, reach: Array, radius: float, colour: Colour, look: Look) -> list[Shape]:
    """Two links of equal length that bend as far as the hand's distance demands."""
    link = _UPPER_ARM * look.height
    distance = np.maximum(np.hypot(reach[:, 0], reach[:, 1]), 1e-4)[:, None]
    along = reach / distance
    distance = np.minimum(distance, 2 * link)
    bend = np.sqrt(np.maximum(link**2 - (distance / 2) ** 2, 0))
    # The elbow falls on the lower side; a hanging arm bends outwards.
    across = along[:, ::-1] * point(-1, 1)
    across = across * np.where(across[:, 1:] < 0, -1, 1)
    elbow = shoulder + along * distance / 2 + across * bend
    hand = shoulder + along * distance
    return [
        limb(shoulder, elbow, radius, colour),
        limb(elbow, hand, 0.8 * radius, look.skin),
    ]
