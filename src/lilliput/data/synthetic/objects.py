"""Vehicles, doors and carts, as shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lilliput.data.synthetic.colours import any_colour, shaded
from lilliput.data.synthetic.shapes import Array, Colour, Shape, box, disc, limb, point

_GLASS: Colour = (0.12, 0.15, 0.18)
_TYRE: Colour = (0.06, 0.06, 0.06)
_SHADOW: Colour = (0.03, 0.03, 0.04)
TILT = 0.8  # a camera on a mast looks down obliquely: depth shrinks by this


@dataclass(frozen=True)
class Paint:
    """A vehicle's colour, its width over its length, and whether it has a closed back."""

    body: Colour
    width: float
    van: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Paint:
        """A random vehicle."""
        return cls(any_colour(rng), float(rng.uniform(0.38, 0.48)), bool(rng.random() < 0.3))


def vehicle_from_above(paint: Paint, path: Array, heading: Array) -> list[Shape]:
    """A vehicle of length 1 seen from a mast.

    Args:
        paint: Its looks.
        path: Its centre on the ground, ``(T, 2)``, before the camera's tilt.
        heading: Where its bonnet points, radians from x towards y, ``(T,)``.
    """
    ahead = point(np.cos(heading), np.sin(heading))
    side = point(-np.sin(heading), np.cos(heading))
    dark, roof = shaded(paint.body, 0.75), shaded(paint.body, 1.12)
    half_width = paint.width / 2

    def part(forward: float, across: float, length: float, width: float, colour: Colour) -> Shape:
        center = path + forward * ahead + across * side
        return _tilted(center, ahead, side, (length / 2, width / 2), colour)

    shadow = _tilted(path + point(0.0, 0.07), ahead, side, (0.5, half_width), _SHADOW)
    roof_end = -0.45 if paint.van else -0.32
    back = dark if paint.van else _GLASS
    return [
        shadow,
        part(0.0, 0.0, 1.0, paint.width, paint.body),
        part(0.36, 0.0, 0.2, paint.width * 0.8, dark),
        part(0.19, 0.0, 0.12, paint.width * 0.86, _GLASS),
        part((0.13 + roof_end) / 2, 0.0, 0.13 - roof_end, paint.width * 0.78, roof),
        part(roof_end - 0.025, 0.0, 0.05, paint.width * 0.74, back),
        *(part(0.48, s * half_width * 0.7, 0.04, 0.09, (1.0, 0.97, 0.8)) for s in (-1, 1)),
        *(part(-0.48, s * half_width * 0.7, 0.04, 0.09, (0.7, 0.08, 0.06)) for s in (-1, 1)),
    ]


def vehicle_from_the_side(paint: Paint, path: Array, side: int) -> list[Shape]:
    """A vehicle of length 1 that stands on ``path`` ``(T, 2)`` and looks to ``side`` (1 right)."""
    tall = 0.42 if paint.van else 0.3
    cabin = (-0.08, 0.40) if paint.van else (-0.05, 0.27)

    def part(x: float, y: float, half: tuple[float, float], colour: Colour, r: float) -> Shape:
        return box(path + point(side * x, -y), half, colour, radius=r)

    turn = path[:, 0] / 0.085
    spoke = point(np.cos(turn), np.sin(turn))
    wheels: list[Shape] = []
    for x in (-0.3, 0.3):
        hub = path + point(side * x, -0.085)
        wheels += [disc(hub, 0.085, _TYRE), box(hub, (0.055, 0.012), (0.6, 0.6, 0.6), axis=spoke)]
    return [
        part(0.0, 0.0, (0.48, 0.015), _SHADOW, 0.01),
        part(cabin[0], tall - 0.07, (cabin[1] - 0.06, 0.07), paint.body, 0.06),
        part(cabin[0] + 0.03, tall - 0.06, (cabin[1] * 0.75 - 0.03, 0.045), _GLASS, 0.02),
        part(0.0, 0.16, (0.46, 0.06), paint.body, 0.04),
        *wheels,
        part(0.48, 0.17, (0.01, 0.02), (1.0, 0.97, 0.8), 0.01),
        part(-0.48, 0.17, (0.01, 0.02), (0.7, 0.08, 0.06), 0.01),
    ]


def doorway(panel: Colour, opening: Array, hinge: int) -> list[Shape]:
    """A dark doorway, its threshold at the origin, and its panel.

    Args:
        panel: Colour of the door.
        opening: 0 shut to 1 open, ``(T,)``.
        hinge: Side of the hinge, 1 right.
    """
    middle = point(0, -0.56)
    # Swinging towards the viewer, the panel first narrows and then shows on the hinge's far side.
    angle = opening * 0.6 * np.pi
    width = 0.27 * np.cos(angle)
    center = middle + point(hinge * (0.27 - width), 0)
    half = point(np.maximum(np.abs(width), 0.015), 0.56 + 0.05 * np.sin(angle))
    knob = center + point(-hinge * width * 0.8, 0)
    return [
        box(middle, (0.32, 0.6), shaded(panel, 0.6)),
        box(middle, (0.27, 0.56), (0.04, 0.04, 0.05)),
        box(center, half, panel),
        disc(knob, 0.025, (0.85, 0.8, 0.5)),
    ]


def cart(path: Array, colour: Colour, side: int) -> list[Shape]:
    """A loaded trolley on ``path`` whose handle is on ``side``."""
    steel = (0.5, 0.5, 0.52)

    def at(x: float, y: float) -> Array:
        return path + point(x, -y)

    return [
        box(at(0, 0), (0.3, 0.01), _SHADOW, opacity=0.5),
        box(at(0, 0.34), (0.25, 0.16), colour, radius=0.03),
        box(at(0, 0.14), (0.31, 0.03), steel),
        box(at(side * 0.3, 0.36), (0.02, 0.22), steel),
        disc(at(-0.22, 0.06), 0.06, _TYRE),
        disc(at(0.22, 0.06), 0.06, _TYRE),
    ]


def bicycle(ground: Array, colour: Colour, side: int) -> list[Shape]:
    """A bicycle that rides along ``ground`` ``(T, 2)`` to ``side``, its wheels turning."""
    turn = ground[:, 0] / 0.2
    spoke = point(np.cos(turn), np.sin(turn))
    rear, front = (ground + point(side * x, -0.2) for x in (-0.32, 0.32))
    wheels: list[Shape] = []
    for hub in (rear, front):
        wheels += [disc(hub, 0.2, _TYRE), disc(hub, 0.15, (0.55, 0.55, 0.55))]
        wheels += [box(hub, (0.17, 0.015), _TYRE, axis=spoke)]
    steering = front + point(-side * 0.06, -0.32)
    return [*wheels, limb(rear, front, 0.025, colour), limb(front, steering, 0.02, colour)]


def _tilted(
    center: Array, ahead: Array, side: Array, half: tuple[float, float], colour: Colour
) -> Shape:
    """A rectangle on the ground as the tilted camera sees it (its shear is left out)."""
    tilt = point(1, TILT)
    long, wide = ahead * tilt, side * tilt
    stretch = point(np.hypot(*long.T), np.hypot(*wide.T))
    rounding = 0.2 * min(half)
    return box(
        center * tilt,
        stretch * point(*half) - rounding,
        colour,
        axis=long / stretch[:, :1],
        radius=rounding,
    )
