"""Where a clip was filmed: the picture behind the actors, which knows nothing of the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lilliput.data.synthetic.colours import any_colour
from lilliput.data.synthetic.shapes import Array, Colour, box, draw

SIDE = 256  # px of the whole view, of which a clip shows a part


@dataclass(frozen=True)
class Scene:
    """A camera's view.

    Attributes:
        seed: Of the data set.
        number: Four digits, as in VIRAT's names.
        kind: A key of ``KINDS``.
    """

    seed: int
    number: int
    kind: str


def view(scene: Scene) -> Array:
    """The empty scene in daylight, RGB in 0..1, ``(3, SIDE, SIDE)``."""
    rng = np.random.default_rng([scene.seed, scene.number])
    canvas = np.empty((3, 1, SIDE, SIDE), np.float32)
    canvas[:] = np.array(any_colour(rng, brightest=0.75), np.float32)[:, None, None, None]
    KINDS[scene.kind](rng, canvas)
    for _ in range(rng.integers(3, 9)):
        _clutter(rng, canvas)
    light = 1 + 0.25 * _clouds(rng, 2) + 0.18 * _clouds(rng, 24) + 0.1 * _clouds(rng, 96)
    daylight: Array = np.clip(canvas[:, 0] * light, 0, 1)
    return daylight


def look_at(scene: Scene, rng: np.random.Generator, size: int, blur: float) -> Array:
    """A random square part of the view, scaled to ``size`` px, ``(3, size, size)``."""
    part = rng.uniform(90, 220)
    x, y = rng.uniform(0, SIDE - part, 2)
    return look_at_part(scene, (x, y), (part, part), (size, size), blur)


def look_at_part(
    scene: Scene,
    corner: tuple[float, float],
    extent: tuple[float, float],
    size: tuple[int, int],
    blur: float,
) -> Array:
    """A rectangle of the view, scaled to ``size`` (width, height) px, ``(3, height, width)``.

    Every pixel is the mean over a square, ``blur`` pixels wide, which a table of sums gives at
    the price of four look-ups.
    """
    sums = _summed_view(scene)
    for axis in (1, 2):  # down, then across
        start, part, pixels = corner[2 - axis], extent[2 - axis], size[2 - axis]
        centers = start + (np.arange(pixels) + 0.5) * part / pixels
        half = max(0.5, blur * part / pixels / 2)
        low, high = np.maximum(centers - half, 0), np.minimum(centers + half, SIDE)
        shape = (-1, 1) if axis == 1 else (-1,)
        sums = (_between(sums, high, axis) - _between(sums, low, axis)) / (high - low).reshape(
            shape
        )
    return sums.astype(np.float32)


@lru_cache(maxsize=32)
def _summed_view(scene: Scene) -> Array:
    """Sums over the view above and left of each corner, ``(3, SIDE + 1, SIDE + 1)``."""
    sums = np.zeros((3, SIDE + 1, SIDE + 1))
    sums[:, 1:, 1:] = view(scene).astype(np.float64).cumsum(axis=1).cumsum(axis=2)
    return sums


def _between(values: Array, at: Array, axis: int) -> Array:
    """Linear interpolation along one axis at fractional indices."""
    low = np.minimum(at.astype(np.intp), values.shape[axis] - 2)
    weight = (at - low).reshape((-1, 1) if axis % values.ndim == values.ndim - 2 else (-1,))
    below = np.take(values, low, axis)
    between: Array = below + weight * (np.take(values, low + 1, axis) - below)
    return between


def _clouds(rng: np.random.Generator, cells: int) -> Array:
    """Smooth noise of about unit range with ``cells`` bumps per side, ``(SIDE, SIDE)``."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1))
    at = np.linspace(0, cells, SIDE, endpoint=False)
    return _between(_between(grid, at, 0), at, 1)


def _stripe(canvas: Array, x: float, y: float, half: tuple[float, float], colour: Colour) -> None:
    draw(canvas, box((x, y), half, colour), 1.5)


def _clutter(rng: np.random.Generator, canvas: Array) -> None:
    """A post, bin, bush, crate or parked thing with its shadow."""
    x, y = rng.uniform(0, SIDE, 2)
    half = rng.uniform(4, 22, 2)
    angle = rng.uniform(0, np.pi)
    axis = (np.cos(angle), np.sin(angle)) if rng.random() < 0.5 else (1.0, 0.0)
    shadow = box((x + 4, y + half[1] * 0.4), half, (0.05, 0.05, 0.06), axis=axis, opacity=0.4)
    draw(canvas, shadow, 6.0)
    draw(canvas, box((x, y), half, any_colour(rng), axis=axis, radius=rng.uniform(0, 8)), 1.5)


def _road(rng: np.random.Generator, canvas: Array) -> None:
    grey = float(rng.uniform(0.25, 0.5))
    slope = rng.uniform(-0.5, 0.5)
    axis = (np.cos(slope), np.sin(slope))
    y = rng.uniform(0.3, 0.7) * SIDE
    draw(canvas, box((SIDE / 2, y), (SIDE, 70), (grey, grey, grey), axis=axis), 2.0)
    for i in np.arange(-6, 7):
        center = (SIDE / 2 + 44 * i * axis[0], y + 44 * i * axis[1])
        draw(canvas, box(center, (12, 2), (0.85, 0.85, 0.8), axis=axis), 1.5)


def _parking(rng: np.random.Generator, canvas: Array) -> None:
    grey = float(rng.uniform(0.3, 0.55))
    canvas[:] = grey
    gap = rng.uniform(28, 50)
    for x in np.arange(rng.uniform(0, gap), SIDE, gap):
        for y in (50, 200):
            _stripe(canvas, x, y, (1.5, 38), (0.85, 0.85, 0.8))


def _lawn(rng: np.random.Generator, canvas: Array) -> None:
    green = np.array([0.22, 0.42, 0.16], np.float32) * rng.uniform(0.7, 1.4)
    canvas[:] = green[:, None, None, None] * (1 + 0.25 * _clouds(rng, 64))
    slope = rng.uniform(0, np.pi)
    axis = (np.cos(slope), np.sin(slope))
    draw(canvas, box(rng.uniform(60, 200, 2), (SIDE, 22), any_colour(rng, 0.7), axis=axis), 4.0)


def _tiles(rng: np.random.Generator, canvas: Array) -> None:
    gap = rng.uniform(14, 36)
    joint = (np.arange(SIDE) + rng.uniform(0, gap)) % gap < 1.5
    _paint(canvas, joint[:, None] | joint[None, :], any_colour(rng, 0.5))


def _room(rng: np.random.Generator, canvas: Array) -> None:
    """A wall above a floor, with posters and a bench."""
    edge = rng.uniform(90, 180)
    _stripe(canvas, SIDE / 2, SIDE, (SIDE, SIDE - edge), any_colour(rng, 0.8))
    _stripe(canvas, SIDE / 2, edge, (SIDE, 3), any_colour(rng, 0.5))
    for x in rng.uniform(0, SIDE, 5):
        _stripe(canvas, x, edge - rng.uniform(30, 70), (10, 16), any_colour(rng))
    _stripe(canvas, rng.uniform(40, 220), edge + 18, (35, 6), any_colour(rng, 0.5))


def _bricks(rng: np.random.Generator, canvas: Array) -> None:
    height = rng.uniform(8, 14)
    y, x = np.mgrid[:SIDE, :SIDE]
    shifted = x + (y // height % 2) * 1.1 * height
    _paint(canvas, (y % height < 1.5) | (shifted % (2.2 * height) < 1.5), any_colour(rng))


def _paint(canvas: Array, where: npt.NDArray[np.bool_], colour: Colour) -> None:
    canvas[:, 0, where] = np.array(colour, np.float32)[:, None]


KINDS: dict[str, Callable[[np.random.Generator, Array], None]] = {
    "road": _road,
    "parking": _parking,
    "lawn": _lawn,
    "tiles": _tiles,
    "room": _room,
    "bricks": _bricks,
}
