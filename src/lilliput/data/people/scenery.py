"""What is behind people and before them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import Light, any_colour

Array = npt.NDArray[np.floating[Any]]


def background(rng: np.random.Generator, size: int, horizon: float, light: Light) -> Array:
    """A room or a street without anyone.

    Args:
        rng: Draws it.
        size: Side S, px.
        horizon: Row at which the ground ends, px; it may lie outside the picture.
        light: Thermal pictures have little texture.

    Returns:
        (S, S, 3) RGB in 0 to 1.
    """
    if light == "mask":
        return np.zeros((size, size, 3), np.float32)
    grain = 0.3 if light == "thermal" else 1.0
    ground, wall = (_flat(rng, light) for _ in range(2))
    rows = np.arange(size)[:, None, None]
    # A wall stands before the horizon, or there is none.
    foot = horizon + rng.uniform(0, 0.4) * size if rng.random() < 0.8 else horizon
    canvas = np.where(rows < foot, wall, ground) * np.ones((size, size, 1), np.float32)
    for _ in range(int(rng.integers(0, 3))):
        _slope(rng, canvas, light)
    for _ in range(int(rng.integers(0, 12))):
        _block(rng, canvas, light)
    for cells, strength in ((2, 0.3), (5, 0.2), (13, 0.15), (31, 0.12)):
        noise = clouds(rng, size, cells) * strength * rng.uniform(0, 1.2) * grain
        canvas *= 1 + noise[..., None]
    if rng.random() < 0.25:
        canvas *= 1 + grain * _pattern(rng, size)[..., None]
    if light in ("day", "night") and rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 5))):
            _bright(rng, canvas, strongest=1.5 if light == "day" else 6.0)
    picture: Array = np.clip(canvas, 0, 6).astype(np.float32)
    return picture


def clouds(rng: np.random.Generator, size: int, cells: int) -> Array:
    """(S, S) smooth noise in -1 to 1 with so many bumps a side."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
    at = np.linspace(0, cells, size, endpoint=False)
    low = at.astype(int)
    weight = (at - low).astype(np.float32)
    rows = grid[low] * (1 - weight)[:, None] + grid[low + 1] * weight[:, None]
    smooth: Array = rows[:, low] * (1 - weight) + rows[:, low + 1] * weight
    return smooth


def occlude(rng: np.random.Generator, canvas: Array) -> None:
    """Bars, a table's edge or leaves before everyone, in place; (T, S, S, 3)."""
    size = canvas.shape[1]
    for _ in range(int(rng.integers(1, 4))):
        thick = max(1, round(size * rng.uniform(0.03, 0.16)))
        at = int(rng.integers(0, size))
        colour = np.array(any_colour(rng), np.float32)
        if rng.random() < 0.55:
            canvas[:, :, at : at + thick] = colour
        else:
            low = round(size * rng.uniform(0.6, 0.95))
            left, right = sorted(rng.integers(0, size + 1, 2))
            canvas[:, low : low + 2 * thick, left:right] = colour


def _flat(rng: np.random.Generator, light: Light) -> Array:
    if light == "thermal":
        return np.full(3, rng.uniform(0.1, 0.45), np.float32)
    return np.array(any_colour(rng, 0.9), np.float32)


def _block(rng: np.random.Generator, canvas: Array, light: Light) -> None:
    """A door, a window, a shelf, a box on the ground."""
    size = canvas.shape[0]
    width, height = (max(1, round(size * rng.uniform(0.05, 0.5))) for _ in range(2))
    left, top = (int(rng.integers(-side // 2, size)) for side in (width, height))
    block = canvas[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    share = rng.uniform(0.4, 1.0) * (0.3 if light == "thermal" else 1.0)
    block += share * (_flat(rng, light) - block)
    if rng.random() < 0.25:  # folds, boards, books
        block *= 1 + _pattern(rng, size)[: block.shape[0], : block.shape[1], None]


def _slope(rng: np.random.Generator, canvas: Array, light: Light) -> None:
    """Where a wall, a roof or a path runs away from the camera: a straight edge across."""
    size = canvas.shape[0]
    angle, at = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9, 2) * size
    span = np.arange(size)
    side = (span - at[0]) * np.cos(angle) + (span[:, None] - at[1]) * np.sin(angle)
    share = rng.uniform(0.3, 1.0) * (0.3 if light == "thermal" else 1.0)
    canvas += (share * np.clip(side + 0.5, 0, 1))[..., None] * (_flat(rng, light) - canvas)


def _bright(rng: np.random.Generator, canvas: Array, strongest: float) -> None:
    """A window, a lamp or a sign, brighter than all else."""
    size = canvas.shape[0]
    width, height = (max(1, round(size * rng.uniform(0.02, 0.2))) for _ in range(2))
    left, top = int(rng.integers(0, size)), int(rng.integers(0, max(1, round(0.7 * size))))
    canvas[top : top + height, left : left + width] = rng.uniform(0.8, strongest)


def _pattern(rng: np.random.Generator, size: int) -> Array:
    """Tiles, boards or stripes; (S, S)."""
    step = rng.uniform(2.5, 12)
    at = (np.arange(size) + rng.uniform(0, step)) % step < max(1.0, step * rng.uniform(0.1, 0.5))
    lines = at.astype(np.float32) * rng.uniform(-0.35, 0.35)
    kind = rng.integers(3)
    rows, columns = lines[:, None] * (kind != 0), lines[None] * (kind != 1)
    pattern: Array = rows + columns + np.zeros((size, size), np.float32)
    return pattern
