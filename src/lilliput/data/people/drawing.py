"""Solids to pixels: farthest first, each shaded as a rounded thing in the light.

A frame's solids are sorted by their distance, so that an arm passes before or behind the trunk as
the person turns. All frames are computed together, and painted one solid of each at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import Solid
from lilliput.data.people.camera import Camera

Array = npt.NDArray[np.floating[Any]]

_MANY_PIXELS = 4_000_000  # of whole pictures; more are painted in parts, to stay in the caches


@dataclass(frozen=True)
class Strokes:
    """P solids in the picture over T frames.

    Attributes:
        start, end: (P, T, 2) middles of both ends, px; x right, y down.
        radii: (P, T, 2) of both ends, px.
        depth: (P, T) distance from the camera, m.
        colour: (P, 3) RGB in 0 to 1.
        opacity: (P,)
    """

    start: Array
    end: Array
    radii: Array
    depth: Array
    colour: Array
    opacity: Array


def project(solids: Sequence[Solid], camera: Camera, path: Array) -> Strokes:
    """Solids as the camera sees them while its picture moves along a path (T, 2), px."""
    ends = np.stack([np.stack([solid.start, solid.end]) for solid in solids], axis=1)
    places, scale, depth = camera.project(ends)
    places = places + path
    radii = np.array([solid.radii for solid in solids], np.float32).T[:, :, None] * scale
    return Strokes(
        start=places[0],
        end=places[1],
        radii=np.moveaxis(radii, 0, -1).astype(np.float32),
        depth=depth.mean(axis=0),
        colour=np.array([solid.colour for solid in solids], np.float32),
        opacity=np.array([solid.opacity for solid in solids], np.float32),
    )


def paint(canvas: Array, strokes: Strokes, edge: float, light: Array, depth: float) -> None:
    """Paints over the canvas, in place.

    Args:
        canvas: (T, S, S, 3) RGB in 0 to 1.
        strokes: What is painted, of the same T frames.
        edge: Width of a soft edge, px.
        light: (2,) in the picture, towards the light.
        depth: How much darker the far side of a round thing is, 0 to 1.
    """
    if strokes.start.size == 0:
        return
    shade = (light * depth).astype(np.float32)
    order = np.argsort(-strokes.depth, axis=0, kind="stable")  # (P, T): farthest first
    frames = np.arange(canvas.shape[0], dtype=np.int64)
    pixels = canvas.reshape(-1, 3)  # a view
    parts = max(1, round(order.size * canvas.shape[1] ** 2 / _MANY_PIXELS))
    for ranks in np.array_split(order, min(parts, len(order))):
        drawn = _cover(strokes, ranks, frames, canvas.shape[1], edge, shade)
        stops = np.searchsorted(drawn.rank, np.arange(len(ranks) + 1))
        for first, stop in pairwise(stops):
            place, weight = drawn.place[first:stop], drawn.weight[first:stop, None]
            below = pixels[place]
            below += weight * (drawn.colour[first:stop] - below)
            pixels[place] = below


@dataclass(frozen=True)
class _Drawn:
    """N pixels that are painted, in the order of their ranks."""

    rank: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]  # in the canvas, all its frames and rows one after the other
    weight: Array
    colour: Array  # (N, 3)


def _cover(
    strokes: Strokes,
    order: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int64],
    size: int,
    edge: float,
    shade: Array,
) -> _Drawn:
    """Which pixels the capsules of some ranks (R, T) cover, by how much, in what color."""
    chosen, frame = order.ravel(), np.tile(frames, len(order))
    start, end = strokes.start[chosen, frame], strokes.end[chosen, frame]
    radii = strokes.radii[chosen, frame]
    reach = radii.max(axis=1, keepdims=True) + edge / 2
    low = np.floor(np.minimum(start, end) - reach).clip(0, size).astype(np.int64)
    high = np.ceil(np.maximum(start, end) + reach).clip(0, size).astype(np.int64)
    width, height = (high - low).T
    # Every pixel of every capsule's window, one after the other.
    area = width * height
    capsule = np.repeat(np.arange(len(area)), area)
    within = np.arange(len(capsule)) - np.repeat(np.cumsum(area) - area, area)
    row = within // np.maximum(width, 1)[capsule]
    column = within - row * width[capsule] + low[capsule, 0]
    row += low[capsule, 1]
    along = end - start
    toward = along / np.maximum((along**2).sum(axis=1, keepdims=True), 1e-6)
    x = (column + np.float32(0.5)).astype(np.float32) - start[capsule, 0]
    y = (row + np.float32(0.5)).astype(np.float32) - start[capsule, 1]
    share = (x * toward[capsule, 0] + y * toward[capsule, 1]).clip(0, 1)
    x -= share * along[capsule, 0]
    y -= share * along[capsule, 1]
    radius = radii[capsule, 0] + share * (radii[:, 1] - radii[:, 0])[capsule]
    cover = (radius - np.sqrt(x * x + y * y)) / np.float32(edge) + np.float32(0.5)
    inside = np.flatnonzero(cover > 0)
    capsule = capsule[inside]
    bright = 1 + (x[inside] * shade[0] + y[inside] * shade[1]) / np.maximum(radius[inside], 1e-3)
    return _Drawn(
        rank=capsule // len(frames),
        place=(frame[capsule] * size + row[inside]) * size + column[inside],
        weight=np.minimum(cover[inside], 1) * strokes.opacity[chosen[capsule]],
        colour=bright[:, None] * strokes.colour[chosen[capsule]],
    )
