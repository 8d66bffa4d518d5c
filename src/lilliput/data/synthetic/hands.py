"""What a person's hands do while the legs stand or walk, and what they hold: ``DOINGS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lilliput.data.synthetic.colours import any_colour
from lilliput.data.synthetic.motion import HANGING, Gait, seconds
from lilliput.data.synthetic.person import Look, Pose, draw_person, shoulders
from lilliput.data.synthetic.shapes import Array, Shape, box, limb, point

_Hands = Callable[[np.random.Generator, Gait, Array], Array]
_Held = Callable[[np.random.Generator, Array, float], list[Shape]]


@dataclass(frozen=True)
class Doing:
    """One thing to do with one's hands.

    Attributes:
        label: The class it makes true, if any.
        hands: From a gait and the time in seconds to both hands, ``(2, T, 2)``.
        held: From both hands' places and the person's facing to what is in them.
    """

    label: str | None
    hands: _Hands
    held: _Held | None = None


def perform(
    rng: np.random.Generator, gait: Gait, doing: str, look: Look | None = None
) -> list[Shape]:
    """A person, a random one by default, that moves by ``gait`` and does one of ``DOINGS``."""
    time = seconds(len(gait.feet)) + rng.uniform(0, 10)
    crouch = 0 * time
    if doing == "squat":
        crouch = 0.5 - 0.5 * np.cos(2 * np.pi * rng.uniform(0.7, 1.1) * time)
    lean = 0.012 * np.sin(2 * np.pi * 0.4 * time) + (0.04 * gait.facing if gait.swing else 0.0)
    hands = DOINGS[doing].hands(rng, gait, time)
    pose = Pose(gait.feet, gait.facing, hands, gait.phase, gait.swing, gait.lift, crouch, lean)
    look = look or Look.draw(rng)
    shapes = draw_person(look, pose)
    held = DOINGS[doing].held
    if held is not None:
        shapes += held(rng, shoulders(pose, look.height) + hands * look.height, gait.facing)
    return shapes


def _hang(_: np.random.Generator, gait: Gait, time: Array) -> Array:
    """Arms hang, or swing against the legs."""
    reach = HANGING[1] - 0.08 * gait.swing
    arms = []
    for side in (0, 1):
        swing = -0.55 * gait.swing * gait.facing * np.sin(gait.phase + np.pi * side)
        idle = 0.012 * np.sin(2 * np.pi * 0.5 * time + 2 * side)
        arms.append(point((2 * side - 1) * 0.03 + swing + idle, reach))
    return np.stack(arms)


def _bag_in_hand(rng: np.random.Generator, gait: Gait, time: Array) -> Array:
    return _with_one_hand(rng, gait, point(0.05 + 0 * time, HANGING[1]))


def _box_in_hands(_: np.random.Generator, gait: Gait, time: Array) -> Array:
    return _before_the_chest(gait, 0.2, 0.2, 0 * time)


def _text(_: np.random.Generator, gait: Gait, time: Array) -> Array:
    return _before_the_chest(gait, 0.17, 0.1, 0.008 * np.sign(np.sin(2 * np.pi * 4 * time)))


def _call(rng: np.random.Generator, gait: Gait, time: Array) -> Array:
    nod = 0.008 * np.sin(2 * np.pi * 0.8 * time)
    return _with_one_hand(rng, gait, point(_outward(gait, 0.05, 0.0) + nod, -0.11))


def _talk(rng: np.random.Generator, gait: Gait, time: Array) -> Array:
    """One hand beats time, while it is one's turn to speak."""
    beat = 0.07 * np.sin(2 * np.pi * rng.uniform(1.2, 2) * time)
    turn = np.clip(0.5 + 2 * np.sin(2 * np.pi * 0.35 * time + rng.uniform(0, 6)), 0, 1)
    return _with_one_hand(
        rng, gait, point(_outward(gait, 0.2, 0.1), 0.2 - 0.06 * turn + beat * turn)
    )


def _wave(rng: np.random.Generator, gait: Gait, time: Array) -> Array:
    """One arm or both wave above the head."""
    angle = 0.5 + 0.75 * np.sin(2 * np.pi * rng.uniform(1.0, 1.8) * time)
    hand = 0.36 * point(np.sin(angle), -np.cos(angle))
    if rng.random() < 0.5:
        return np.stack([hand * point(-1, 1), hand])
    return _with_one_hand(rng, gait, hand)


def _hammer(rng: np.random.Generator, gait: Gait, time: Array) -> Array:
    blow = np.abs(np.sin(np.pi * rng.uniform(1.4, 2.4) * time))
    hand = point(_outward(gait, 0.2, 0.15) + 0.05 * blow, 0.2 - 0.36 * blow)
    return np.stack([0.75 * hand, hand])


def _arms_ahead(_: np.random.Generator, gait: Gait, time: Array) -> Array:
    return _before_the_chest(gait, 0.3, 0.02, 0 * time)


def _with_one_hand(rng: np.random.Generator, gait: Gait, hand: Array) -> Array:
    """The other arm hangs."""
    return np.stack([_hang(rng, gait, seconds(len(hand)))[0], hand])


def _before_the_chest(gait: Gait, ahead: float, down: float, wobble: Array) -> Array:
    """Both hands together in front of the body."""
    inward = 0.08 * (1 - abs(gait.facing))
    ahead *= gait.facing
    return np.stack([point(ahead + inward, down + wobble), point(ahead - inward, down - wobble)])


def _outward(gait: Gait, ahead: float, apart: float) -> float:
    """Ahead for a person in profile, to the side for one seen from the front."""
    return ahead * gait.facing + (apart + 0.03) * (1 - abs(gait.facing))


def _bag(rng: np.random.Generator, hands: Array, _: float) -> list[Shape]:
    half = rng.uniform(0.07, 0.11, 2)
    return [box(hands[1] + point(0, half[1]), half, any_colour(rng), radius=0.02)]


def _parcel(rng: np.random.Generator, hands: Array, _: float) -> list[Shape]:
    half = rng.uniform(0.09, 0.14, 2)
    return [box(hands.mean(axis=0), half, any_colour(rng), radius=0.02)]


def _bright_phone(_: np.random.Generator, hands: Array, facing: float) -> list[Shape]:
    center = hands.mean(axis=0) + point(0.03 * facing, -0.02)
    return [box(center, (0.022, 0.035), (0.75, 0.85, 0.95), radius=0.008)]


def _dark_phone(_: np.random.Generator, hands: Array, facing: float) -> list[Shape]:
    center = hands[1] + point(0.01 * facing, 0)
    return [box(center, (0.018, 0.045), (0.04, 0.04, 0.05), radius=0.01)]


def _tool(_: np.random.Generator, hands: Array, facing: float) -> list[Shape]:
    """A hammer that points up while the hand is up, and ahead when it is down."""
    side = 1 if facing >= 0 else -1
    height = hands[1, :, 1] - hands[1, :, 1].min()
    tilt = 1.2 - 2.2 * height / max(float(height.max()), 1e-3)
    tip = hands[1] + 0.26 * point(side * np.cos(tilt), -np.sin(tilt))
    return [limb(hands[1], tip, 0.018, (0.4, 0.28, 0.15)), box(tip, (0.05, 0.04), (0.3, 0.3, 0.33))]


DOINGS: dict[str, Doing] = {
    "nothing": Doing(None, _hang),
    "talk": Doing(None, _talk),
    "bag": Doing("activity_carrying", _bag_in_hand, _bag),
    "box": Doing("activity_carrying", _box_in_hands, _parcel),
    "text": Doing("specialized_texting_phone", _text, _bright_phone),
    "call": Doing("specialized_talking_phone", _call, _dark_phone),
    "wave": Doing("activity_gesturing", _wave),
    "hammer": Doing("specialized_using_tool", _hammer, _tool),
    "squat": Doing("specialized_miscellaneous", _arms_ahead),
}
