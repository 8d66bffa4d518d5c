"""Solids to pixels: farthest first, each shaded as a rounded thing in the light.

A frame's solids are sorted by their distance, so that an arm passes before or behind the trunk as
the person turns. All frames are painted together, one solid of each at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import Solid
from lilliput.data.people.camera import Camera

Array = npt.NDArray[np.floating[Any]]

_Windows = tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], int]


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


def project(solids: Sequence[Solid], camera: Camera) -> Strokes:
    """Solids as the camera sees them."""
    ends = np.stack([np.stack([solid.start, solid.end]) for solid in solids], axis=1)
    places, scale, depth = camera.project(ends)
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
    frames = np.arange(canvas.shape[0])
    order = np.argsort(-strokes.depth, axis=0, kind="stable")
    for rank in order:
        _paint_one(
            canvas,
            strokes.start[rank, frames],
            strokes.end[rank, frames],
            strokes.radii[rank, frames],
            strokes.colour[rank],
            strokes.opacity[rank],
            edge,
            (light * depth).astype(np.float32),
        )


def _paint_one(
    canvas: Array,
    start: Array,
    end: Array,
    radii: Array,
    colour: Array,
    opacity: Array,
    edge: float,
    shade: Array,
) -> None:
    """One capsule of each frame, in a window of the same size around each."""
    size = canvas.shape[1]
    seen, corner, side = _find_windows(start, end, radii.max(axis=1, keepdims=True) + edge, size)
    if not seen.any():
        return
    start, end, radii, colour, opacity = (
        part[seen] for part in (start, end, radii, colour, opacity)
    )
    span = np.arange(side)
    x, y = (
        (corner[:, i, None] + span + 0.5 - start[:, i, None]).astype(np.float32) for i in (0, 1)
    )
    along = (end - start).astype(np.float32)
    toward = along / np.maximum((along**2).sum(axis=1, keepdims=True), 1e-6)
    share = (x * toward[:, :1])[:, None, :] + (y * toward[:, 1:])[:, :, None]  # (N, H, W)
    np.clip(share, 0, 1, out=share)
    off_x = x[:, None, :] - share * along[:, 0, None, None]
    off_y = y[:, :, None] - share * along[:, 1, None, None]
    radius = share * (radii[:, 1] - radii[:, 0])[:, None, None] + radii[:, 0, None, None]
    cover = radius - np.sqrt(off_x**2 + off_y**2)
    cover = cover / np.float32(edge) + np.float32(0.5)
    inside = cover > 0
    number = np.nonzero(inside)[0]
    weight = np.minimum(cover[inside], 1) * opacity[number]
    lean = off_x[inside] * shade[0] + off_y[inside] * shade[1]
    bright = 1 + lean / np.maximum(radius[inside], 1e-3)
    first = (np.flatnonzero(seen) * size + corner[:, 1]) * size + corner[:, 0]
    place = (first[:, None, None] + (span * size)[:, None] + span)[inside]
    pixels = canvas.reshape(-1, 3)  # a view
    below = pixels[place]
    below += weight[:, None] * (bright[:, None] * colour[number] - below)
    pixels[place] = below


def _find_windows(start: Array, end: Array, reach: Array, size: int) -> _Windows:
    """Frames (T,) that show the capsule, the corners (N, 2) of a window in each, and its side."""
    low = np.floor(np.minimum(start, end) - reach).astype(np.int64)
    high = np.ceil(np.maximum(start, end) + reach).astype(np.int64) + 1
    seen = np.asarray((high > 0).all(axis=1) & (low < size).all(axis=1))
    if not seen.any():
        return seen, low[:0], 0
    low, high = low[seen], high[seen]
    side = int(min(size, (high.clip(0, size) - low.clip(0, size)).max()))
    return seen, np.clip(low, 0, size - side), side
