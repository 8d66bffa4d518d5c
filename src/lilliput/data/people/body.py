"""A person's build and clothes, and the solids that they are drawn with.

A solid is a capsule whose ends may differ in size: limbs, a head (no length), a skirt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import LENGTHS, Motion, find_joints

Array = npt.NDArray[np.floating[Any]]
Colour = tuple[float, float, float]
Light = Literal["day", "night", "infrared", "thermal", "mask"]

_SKIN: tuple[Colour, ...] = ((0.87, 0.68, 0.55), (0.72, 0.52, 0.39), (0.45, 0.31, 0.23))
_HAIR: tuple[Colour, ...] = (
    (0.07, 0.06, 0.06),
    (0.3, 0.2, 0.12),
    (0.6, 0.5, 0.35),
    (0.6, 0.6, 0.6),
)


@dataclass(frozen=True)
class Solid:
    """A capsule that moves.

    Attributes:
        start, end: (T, 3) middles of both ends, m; y points up.
        radii: Of both ends, m.
        colour: RGB in 0 to 1.
        opacity: 1 hides what is behind.
    """

    start: Array
    end: Array
    radii: tuple[float, float]
    colour: Colour
    opacity: float = 1.0


@dataclass(frozen=True)
class Body:
    """What does not move.

    Attributes:
        lengths: Of every bone, m.
        girth: 1 is usual.
        colours: Of skin, hair, shirt, trousers, shoes, and of a bag or a skirt.
        sleeves, legs: Whether forearms and shins are covered.
        dress: What is worn over the thighs.
        backpack, hat: Whether there is one.
    """

    lengths: Mapping[str, float]
    girth: float
    colours: Mapping[str, Colour]
    sleeves: bool
    legs: bool
    dress: Literal["none", "skirt", "coat"]
    backpack: bool
    hat: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, light: Light) -> "Body":
        """Someone, as a camera sees them in this light."""
        height = rng.uniform(0.82, 1.1) if rng.random() < 0.9 else rng.uniform(0.6, 0.8)
        stretch = dict.fromkeys(LENGTHS, height)
        for part in ("arm", "thigh", "shin", "spine", "shoulders", "hips"):
            factor = rng.uniform(0.92, 1.08)
            stretch |= {name: stretch[name] * factor for name in LENGTHS if part in name}
        return cls(
            lengths={name: LENGTHS[name] * factor for name, factor in stretch.items()},
            girth=height * rng.uniform(0.8, 1.35),
            colours=_draw_colours(rng, light),
            sleeves=bool(rng.random() < 0.6),
            legs=bool(rng.random() < 0.8),
            dress="coat" if rng.random() < 0.15 else "skirt" if rng.random() < 0.12 else "none",
            backpack=bool(rng.random() < 0.1),
            hat=bool(rng.random() < 0.12),
        )

    def joints(self, motion: Motion) -> Mapping[str, Array]:
        """(T, 3) of every joint, m, on the ground."""
        return find_joints(motion, self.lengths)

    def solids(self, joints: Mapping[str, Array]) -> list[Solid]:
        """What is drawn, of joints (T, 3)."""
        return [*self._trunk(joints), *self._limbs(joints), *self._head(joints)]

    def _solid(
        self, start: Array, end: Array, radii: tuple[float, float], colour: str, shade: float = 1.0
    ) -> Solid:
        red, green, blue = (shade * value for value in self.colours[colour])
        thick = radii[0] * self.girth, radii[1] * self.girth
        return Solid(start, end, thick, (red, green, blue))

    def _trunk(self, at: Mapping[str, Array]) -> list[Solid]:
        solids = [
            self._solid(at["right_hip"], at["left_hip"], (0.095, 0.095), "trousers"),
            self._solid(at["right_shoulder"], at["left_shoulder"], (0.065, 0.065), "shirt"),
            self._solid(at["pelvis"], at["neck"], (0.125, 0.115), "shirt"),
        ]
        for side in _SIDES:
            hip = 0.7 * at[f"{side}_hip"] + 0.3 * at["pelvis"]
            shoulder = 0.8 * at[f"{side}_shoulder"] + 0.2 * at["neck"]
            solids.append(self._solid(hip, shoulder, (0.085, 0.085), "shirt", 0.95))
        if self.dress != "none":
            colour = "shirt" if self.dress == "coat" else "extra"
            knees = [0.25 * at[f"{side}_hip"] + 0.75 * at[f"{side}_knee"] for side in _SIDES]
            for knee in (*knees, (knees[0] + knees[1]) / 2):
                solids.append(self._solid(at["pelvis"], knee, (0.12, 0.13), colour))
        if self.backpack:
            ahead = chest_facing(at)
            low, high = (share * at["neck"] + (1 - share) * at["pelvis"] for share in (0.35, 0.85))
            solids.append(
                self._solid(low - 0.17 * ahead, high - 0.17 * ahead, (0.12, 0.1), "extra")
            )
        return solids

    def _limbs(self, at: Mapping[str, Array]) -> list[Solid]:
        solids = []
        for side, shade in (("left", 1.0), ("right", 0.92)):
            forearm = "shirt" if self.sleeves else "skin"
            shin = "trousers" if self.legs else "skin"
            elbow, wrist = at[f"{side}_elbow"], at[f"{side}_wrist"]
            knee, ankle = at[f"{side}_knee"], at[f"{side}_ankle"]
            solids += [
                self._solid(at[f"{side}_shoulder"], elbow, (0.055, 0.045), "shirt", shade),
                self._solid(elbow, 0.25 * elbow + 0.75 * wrist, (0.043, 0.036), forearm, shade),
                self._solid(0.2 * elbow + 0.8 * wrist, wrist, (0.04, 0.04), "skin", shade),
                self._solid(at[f"{side}_hip"], knee, (0.085, 0.062), "trousers", shade),
                self._solid(knee, ankle, (0.06, 0.045), shin, shade),
                self._solid(ankle, at[f"{side}_toe"], (0.045, 0.04), "shoes", shade),
            ]
        return solids

    def _head(self, at: Mapping[str, Array]) -> list[Solid]:
        middle, ahead = 0.35 * at["neck"] + 0.65 * at["head"], chest_facing(at)
        up = at["head"] - at["neck"]
        crown = middle + 0.25 * up - 0.02 * ahead
        return [
            self._solid(at["neck"], middle, (0.055, 0.06), "skin", 0.9),
            self._solid(middle + 0.025 * ahead, middle + 0.02 * ahead, (0.1, 0.1), "skin"),
            self._solid(crown, crown - 0.06 * ahead, (0.1, 0.1), "extra" if self.hat else "hair"),
        ]


_SIDES = ("left", "right")


def chest_facing(at: Mapping[str, Array]) -> Array:
    """(T, 3) where the chest faces."""
    across = at["left_shoulder"] - at["right_shoulder"]
    ahead = np.cross(across, at["neck"] - at["pelvis"])
    facing: Array = ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-6)
    return facing


def any_colour(rng: np.random.Generator, brightest: float = 1.0) -> Colour:
    """Mostly dull, as clothes and walls are, now and then vivid."""
    value = brightest * rng.uniform(0.05, 1.0)
    vivid = rng.uniform(0, 0.25) if rng.random() < 0.6 else rng.uniform(0.25, 0.9)
    red, green, blue = value * (1 - vivid * rng.uniform(0, 1, 3))
    return float(red), float(green), float(blue)


def _grey(rng: np.random.Generator, low: float, high: float) -> Colour:
    value = float(rng.uniform(low, high))
    return value, value, value


def _draw_colours(rng: np.random.Generator, light: Light) -> Mapping[str, Colour]:
    names: Sequence[str] = ("skin", "hair", "shirt", "trousers", "shoes", "extra")
    if light == "thermal":  # skin is warmest, clothes hold some of it back
        warm = {"skin": (0.85, 1.0), "hair": (0.6, 0.9), "shoes": (0.4, 0.8)}
        cover = rng.uniform(0.45, 0.85)
        return {name: _grey(rng, *warm.get(name, (cover, cover + 0.15))) for name in names}
    if light == "mask":
        return dict.fromkeys(names, (1.0, 1.0, 1.0))
    if light == "infrared":  # dyes do not count
        return {name: _grey(rng, 0.35, 1.0) for name in names}
    colours = {name: any_colour(rng, 0.6 if name == "trousers" else 1.0) for name in names}
    colours["skin"] = _SKIN[rng.integers(len(_SKIN))]
    colours["hair"] = _HAIR[rng.integers(len(_HAIR))]
    colours["shoes"] = any_colour(rng, 0.4)
    return colours
