"""What a person holds, and what a person rests on, as solids."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS
from lilliput.data.people.body import Colour, Solid, any_colour, chest_facing
from lilliput.data.people.keyed import Span

Array = npt.NDArray[np.floating[Any]]
Joints = Mapping[str, Array]
_DOWN = np.array([0, -1, 0], np.float32)
_GRAVITY = 9.8 / FPS**2  # m a frame, each frame


def hold(rng: np.random.Generator, thing: str, at: Joints) -> list[Solid]:
    """The solids of a thing in someone's hands.

    Args:
        rng: Draws its size and color.
        thing: One of ``HELD``; ``left_`` or ``right_`` before it says in which hand.
        at: (T, 3) of the joints of who holds it, m.
    """
    side, _, kind = thing.rpartition("_")
    return HELD[kind](rng, at, side or "right")


def support(
    rng: np.random.Generator, thing: str, at: Joints, spans: tuple[Span, ...]
) -> list[Solid]:
    """The solids of a chair, a bed or a ladder where the body comes to rest on it.

    Args:
        rng: Draws its kind and color.
        thing: One of ``SUPPORTS``.
        at: (T, 3) of the joints of who rests, m.
        spans: When is done what: a chair stands where someone sits.
    """
    resting = [span for span in spans if span.label in ("sitting", "lying", "climbing")]
    frame = (resting[-1].start + resting[-1].stop) // 2 if resting else 0
    there = {name: places[frame] for name, places in at.items()}
    return SUPPORTS[thing](rng, there, len(at["pelvis"]))


def _box(rng: np.random.Generator, at: Joints, _: str) -> list[Solid]:
    size, ahead = rng.uniform(0.1, 0.2), chest_facing(at)
    left, right = at["left_wrist"] + size * ahead, at["right_wrist"] + size * ahead
    return [Solid(left, right, (size, size), any_colour(rng))]


def _bag(rng: np.random.Generator, at: Joints, side: str) -> list[Solid]:
    wrist, size = at[f"{side}_wrist"], rng.uniform(0.07, 0.15)
    low = wrist + _DOWN * rng.uniform(0.15, 0.4)
    return [Solid(wrist + 0.1 * _DOWN, low, (0.6 * size, size), any_colour(rng))]


def _shoulder(rng: np.random.Generator, at: Joints, side: str) -> list[Solid]:
    shoulder, size = at[f"{side}_shoulder"] - 0.13 * _DOWN, rng.uniform(0.05, 0.16)
    ahead = chest_facing(at) * rng.uniform(0.15, 0.7)
    return [Solid(shoulder - ahead, shoulder + ahead, (size, size), any_colour(rng))]


def _phone(rng: np.random.Generator, at: Joints, _: str) -> list[Solid]:
    hands = [at[f"{one}_wrist"] for one in ("left", "right")]
    hand = max(hands, key=lambda places: float(places[:, 1].mean()))  # the one at the ear
    dark = any_colour(rng, 0.2)
    return [Solid(hand - 0.07 * _DOWN, hand + 0.03 * _DOWN, (0.03, 0.03), dark)]


def _ball(rng: np.random.Generator, at: Joints, side: str) -> list[Solid]:
    """In the hand until it moves fastest, in the air from then on."""
    hand = at[f"{side}_wrist"].copy()
    if len(hand) > 2:
        steps = np.diff(hand, axis=0)
        leaves = int(np.linalg.norm(steps, axis=1).argmax()) + 1
        time = np.arange(len(hand) - leaves, dtype=np.float32)[:, None]
        start, speed = hand[leaves], 1.3 * steps[leaves - 1]
        hand[leaves:] = start + speed * time + _DOWN * _GRAVITY * time**2 / 2
    size = rng.uniform(0.04, 0.13)
    return [Solid(hand, hand, (size, size), any_colour(rng))]


def _cart(rng: np.random.Generator, at: Joints, _: str) -> list[Solid]:
    ahead = chest_facing(at) * np.array([1, 0, 1], np.float32)
    across = (at["left_hip"] - at["right_hip"]) * rng.uniform(1, 2)
    grip = (at["left_wrist"] + at["right_wrist"]) / 2
    low, size = rng.uniform(0.2, 0.5), rng.uniform(0.12, 0.25)
    middle = grip + ahead * rng.uniform(0.25, 0.6)
    middle[:, 1] = low + size
    colour = any_colour(rng)
    body = Solid(middle - across / 2, middle + across / 2, (size, size), colour)
    return [body, *(Solid(grip + s * across / 2, middle + s * across / 2, (0.03, 0.04), colour)
                    for s in (-1, 1))]  # fmt: skip


def _lifted(rng: np.random.Generator, at: Joints, _: str) -> list[Solid]:
    """On the ground until a hand is at its lowest, in the hand from then on."""
    hand = at["right_wrist"].copy()
    taken = int(hand[:, 1].argmin())
    hand[:taken] = hand[taken] * np.array([1, 0, 1], np.float32)
    size = rng.uniform(0.05, 0.14)
    hand[:, 1] += size / 2
    return [Solid(hand, hand, (size, size), any_colour(rng))]


def _chair(rng: np.random.Generator, at: Joints, frames: int) -> list[Solid]:
    """A stool, a chair, a bench, a sofa or the edge of a bed; now and then a table before it."""
    colour, soft = any_colour(rng), rng.random() < 0.4
    across = (at["left_hip"] - at["right_hip"]) * rng.uniform(1.6, 6 if soft else 2.2)
    ahead = np.cross(across, -_DOWN)
    ahead = 0.22 * ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    thick = 0.14 if soft else 0.04
    seat = at["pelvis"] + _DOWN * (0.09 + thick)
    parts = [(seat + s * across / 2 - ahead, seat + s * across / 2 + ahead) for s in (-1, 0, 1)]
    parts += [(seat - ahead - across / 2, seat - ahead + across / 2)]
    if soft:  # as deep as a sofa, or as a bed
        deep = rng.uniform(1.5, 4) * ahead
        parts += [(seat - deep - across / 2, seat - deep + across / 2)]
    if rng.random() < 0.75:
        back = [seat - ahead - _DOWN * height for height in (0.25, 0.45)]
        parts += [(point - across / 2, point + across / 2) for point in back]
    solids = [_still(start, end, thick, colour, frames) for start, end in parts]
    if rng.random() < 0.15:
        board = seat + rng.uniform(2, 3.5) * ahead - 0.3 * _DOWN
        solids.append(_still(board - across, board + across, 0.05, any_colour(rng), frames))
    for s in (-1, 1):
        for edge in (-1, 1):
            corner = seat + s * across / 2 + edge * ahead
            floor = corner * np.array([1, 0, 1], np.float32)
            solids.append(_still(corner, floor, 0.02 + 0.1 * soft, colour, frames))
    return solids


def _bed(rng: np.random.Generator, at: Joints, frames: int) -> list[Solid]:
    feet = (at["left_ankle"] + at["right_ankle"]) / 2
    level = np.array([1, 0, 1], np.float32)
    along = (at["head"] - feet) * level
    across = np.cross(along, _DOWN)
    across = 0.3 * across / max(float(np.linalg.norm(across)), 1e-6)
    top = min(float(places[1]) for places in at.values()) - 0.2
    middle = (at["head"] + feet) / 2 * level - _DOWN * top
    colour = any_colour(rng)
    return [
        _still(middle + s * across - 0.55 * along, middle + s * across + 0.55 * along, 0.17, colour,
               frames)
        for s in (-1.3, 0, 1.3)
    ]  # fmt: skip


def _ladder(rng: np.random.Generator, at: Joints, frames: int) -> list[Solid]:
    """Rails and rungs before the climber, or a fence."""
    across = (at["left_hip"] - at["right_hip"]) * rng.uniform(1.2, 2)
    ahead = np.cross(across, -_DOWN)
    ahead = rng.uniform(0.3, 0.45) * ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    foot = (at["pelvis"] + ahead) * np.array([1, 0, 1], np.float32)
    colour, top = any_colour(rng), float(at["pelvis"][1]) + 2.2
    solids = [
        _still(foot + s * across, foot + s * across - _DOWN * top, 0.03, colour, frames)
        for s in (-1, 1)
    ]
    for height in np.arange(0.2, top, rng.uniform(0.25, 0.4)):
        rung = foot - _DOWN * float(height)
        solids.append(_still(rung - across, rung + across, 0.02, colour, frames))
    return solids


def _still(start: Array, end: Array, radius: float, colour: Colour, frames: int) -> Solid:
    first, last = (
        np.repeat(place[None].astype(np.float32), frames, axis=0) for place in (start, end)
    )
    return Solid(first, last, (radius, radius), colour)


HELD: Mapping[str, Callable[[np.random.Generator, Joints, str], list[Solid]]] = MappingProxyType(
    {
        "box": _box,
        "bag": _bag,
        "shoulder": _shoulder,
        "phone": _phone,
        "ball": _ball,
        "cart": _cart,
        "lifted": _lifted,
    }
)
SUPPORTS: Mapping[str, Callable[[np.random.Generator, Joints, int], list[Solid]]] = (
    MappingProxyType({"chair": _chair, "bed": _bed, "ladder": _ladder})
)
