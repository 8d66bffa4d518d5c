"""What moves and is no person: a motion detector finds it as well."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import any_colour
from lilliput.data.people.drawing import Strokes, paint
from lilliput.data.people.scenery import clouds

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator


def distract(rng: Rng, canvas: Array, light: Array, *, tracked: bool) -> None:
    """Draws something that moves and is no person, in place.

    Args:
        rng: Draws what, where and how fast.
        canvas: (T, S, S, 3) RGB in 0 to 1.
        light: (2,) direction of the light in the picture.
        tracked: Whether it is what the clip is framed on: large, and in the middle.
    """
    kind = _KINDS[rng.integers(len(_KINDS))]
    kind(rng, canvas, light, tracked)


def _car(rng: Rng, canvas: Array, light: Array, tracked: bool) -> None:
    size = canvas.shape[1]
    length = size * (rng.uniform(0.5, 0.95) if tracked else rng.uniform(0.12, 0.7))
    along = [((-0.45, 0.0), (0.45, 0.0)), ((-0.2, -0.17), (0.15, -0.17))]
    wheels = [((at, 0.15), (at, 0.15)) for at in (-0.3, 0.3)]
    radii = np.array([0.15, 0.13, 0.08, 0.08]) * length
    places, way = _path(rng, canvas, tracked)
    parts = [_part(places, length, way, ends) for ends in along + wheels]
    _blobs(canvas, np.stack(parts), radii, rng, light)


def _animal(rng: Rng, canvas: Array, light: Array, tracked: bool) -> None:
    frames, size = canvas.shape[:2]
    length = size * (rng.uniform(0.4, 0.7) if tracked else rng.uniform(0.12, 0.35))
    steps = 0.13 * np.sin(np.linspace(0, rng.uniform(8, 50), frames))
    places, way = _path(rng, canvas, tracked)
    still = [((-0.4, 0.0), (0.4, 0.0)), ((0.45, -0.12), (0.6, -0.2))]
    legs = [((at, 0.05), (at, 0.42)) for at in (-0.36, 0.34, -0.3, 0.3)]
    parts = [_part(places, length, way, ends) for ends in still + legs]
    for leg, sway in zip(parts[2:], (-steps, steps, steps, -steps), strict=True):
        leg[1, :, 0] += length * sway
    radii = np.array([0.16, 0.1, 0.05, 0.05, 0.05, 0.05]) * length
    _blobs(canvas, np.stack(parts), radii, rng, light)


def _thing(rng: Rng, canvas: Array, light: Array, tracked: bool) -> None:
    """A door, a bag, a trolley, a sign in the wind: some solids that move as one."""
    size, count = canvas.shape[1], int(rng.integers(1, 6))
    length = size * (rng.uniform(0.4, 0.9) if tracked else rng.uniform(0.1, 0.4))
    places, way = _path(rng, canvas, tracked)
    spots = rng.normal(0, 0.25, (count, 2, 2))
    parts = [_part(places, length, way, (tuple(first), tuple(last))) for first, last in spots]
    _blobs(canvas, np.stack(parts), rng.uniform(0.03, 0.25, count) * length, rng, light)


def _leaves(rng: Rng, canvas: Array, light: Array, tracked: bool) -> None:
    frames, size = canvas.shape[:2]
    parts = int(rng.integers(6, 25))
    middle = rng.uniform(0.3, 0.7, 2) if tracked else rng.uniform(0, 1, 2)
    place = size * (middle + rng.normal(0, 0.15, (parts, 1, 2)))
    way = rng.normal(0, 0.02 * size, (parts, 1, 2)) * _waves(rng, frames)
    ends = np.repeat((place + way)[:, None], 2, axis=1)
    _blobs(canvas, ends, rng.uniform(0.01, 0.06, parts) * size, rng, light)


def _curtain(rng: Rng, canvas: Array, light: Array, tracked: bool) -> None:
    frames, size = canvas.shape[:2]
    width = rng.uniform(0.4, 0.8) if tracked else rng.uniform(0.1, 0.4)
    left = (rng.uniform(0, 1 - width) if tracked else rng.uniform(0, 0.8)) * size
    width, folds = width * size, int(rng.integers(2, 7))
    across = left + width * (np.arange(folds)[:, None] + 0.5) / folds
    across = across + 0.05 * size * rng.uniform(0.2, 1) * _waves(rng, frames)[:, 0]
    top = np.stack([across, np.zeros_like(across)], axis=-1)
    drop = np.array([0, rng.uniform(0.5, 1.0) * size])
    radii = np.full(folds, width / folds * 0.7)
    _blobs(canvas, np.stack([top, top + drop], axis=1), radii, rng, light)


def _gleam(rng: Rng, canvas: Array, _: Array, tracked: bool) -> None:
    """A beam of light, or a shadow, that passes; in a mask, what a change of light leaves."""
    size = canvas.shape[1]
    places, _way = _path(rng, canvas, tracked)
    span = np.arange(size) + 0.5
    wide = size * rng.uniform(0.1, 0.5, 2)
    across = np.exp(-(((span - places[:, :1]) / wide[0]) ** 2))
    down = np.exp(-(((span - places[:, 1:]) / wide[1]) ** 2))
    shape = down[:, :, None] * across[:, None, :] * (1 + 0.5 * clouds(rng, size, 5))
    strength = rng.uniform(0.3, 2) if rng.random() < 0.5 else -rng.uniform(0.2, 0.7)
    canvas *= np.clip(1 + strength * shape, 0, None)[..., None].astype(np.float32)


_KINDS: tuple[Callable[[Rng, Array, Array, bool], None], ...] = (
    _car, _car, _animal, _thing, _leaves, _curtain, _gleam,
)  # fmt: skip


def _path(rng: Rng, canvas: Array, tracked: bool) -> tuple[Array, float]:
    """(T, 2) where the middle of it is, px; and whether it goes right, 1, or left, -1."""
    frames, size = canvas.shape[:2]
    low, high = (0.3, 0.7) if tracked else (-0.1, 1.1)
    start, end = rng.uniform(low, high, 2) * size
    row = rng.uniform(0.4, 0.6) if tracked else rng.uniform(0.3, 0.9)
    share = np.linspace(0, 1, frames) ** rng.uniform(0.6, 1.6)
    across = start + (end - start) * share
    return np.stack([across, np.full(frames, row * size)], axis=-1), 1.0 if end >= start else -1.0


def _part(
    places: Array, length: float, way: float, ends: tuple[tuple[float, ...], tuple[float, ...]]
) -> Array:
    """(2, T, 2) both ends of a part that goes along with the whole."""
    return np.stack([places + length * np.array([way * end[0], end[1]]) for end in ends])


def _blobs(canvas: Array, ends: Array, radii: Array, rng: Rng, light: Array) -> None:
    """Draws capsules with ends (P, 2, T, 2), of one color with a little of their own."""
    parts, _, frames, _ = ends.shape
    colour = np.array(any_colour(rng)) * rng.uniform(0.8, 1.15, (parts, 1))
    strokes = Strokes(
        start=ends[:, 0].astype(np.float32),
        end=ends[:, 1].astype(np.float32),
        radii=np.broadcast_to(radii[:, None, None], (parts, frames, 2)).astype(np.float32),
        depth=np.repeat(np.arange(parts, 0, -1.0)[:, None], frames, axis=1),
        colour=colour.astype(np.float32),
        opacity=np.ones(parts, np.float32),
    )
    paint(canvas, strokes, 1.2, light, 0.25)


def _waves(rng: Rng, frames: int) -> Array:
    """(T, 1) a slow movement to and fro."""
    turns = rng.uniform(0.5, 4)
    phase = np.linspace(0, 2 * np.pi * turns, frames) + rng.uniform(0, 6)
    waves: Array = np.sin(phase)[:, None]
    return waves
