"""The one primitive that everything is drawn with: a moving, rounded, oriented box.

A disc is a box without extent and a limb is a box without width, so one signed distance
serves heads, arms, doors and lorries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Colour = tuple[float, float, float]


def point(x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
    """Coordinates ``(..., 2)`` of one point, or of a moving one."""
    return np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Shape:
    """A rounded box over T frames; x points right, y down, the unit is the caller's.

    Shape:
        - center, axis (unit vector of the first side), half (half sides): ``(T, 2)``
        - radius (rounding, added outside), opacity: ``(T,)``
        - colour: RGB in 0..1
    """

    center: Array
    axis: Array
    half: Array
    radius: Array
    opacity: Array
    colour: Colour

    def placed(self, origin: Array, scale: float) -> Shape:
        """The same shape in pixels, ``origin`` being the picture's upper left corner."""
        return replace(
            self,
            center=(self.center - origin) * np.float32(scale),
            half=self.half * np.float32(scale),
            radius=self.radius * np.float32(scale),
        )

    def mirrored(self) -> Shape:
        """The shape seen in a mirror: x becomes -x."""
        flip = point(-1, 1)
        return replace(self, center=self.center * flip, axis=self.axis * flip)

    def at(self, frames: slice | npt.NDArray[np.intp]) -> Shape:
        """The shape at some of its frames, in their order."""
        return replace(
            self,
            center=self.center[frames],
            axis=self.axis[frames],
            half=self.half[frames],
            radius=self.radius[frames],
            opacity=self.opacity[frames],
        )

    def reversed(self) -> Shape:
        """The shape with time running backwards."""
        return self.at(slice(None, None, -1))

    def reach(self) -> Array:
        """Half the upright bounding box per frame, ``(T, 2)``."""
        across = np.abs(self.axis)
        return self.half[:, :1] * across + self.half[:, 1:] * across[:, ::-1] + self.radius[:, None]


def box(
    center: npt.ArrayLike,
    half: npt.ArrayLike,
    colour: Colour,
    *,
    axis: npt.ArrayLike = (1.0, 0.0),
    radius: npt.ArrayLike = 0.0,
    opacity: npt.ArrayLike = 1.0,
) -> Shape:
    """A rounded box; whatever does not change over time may be given once."""
    center, half, axis = (np.asarray(a, np.float32) for a in (center, half, axis))
    frames = max(a.shape[0] if a.ndim == 2 else 1 for a in (center, half, axis))
    frames = max(frames, *(np.size(a) for a in (radius, opacity)))
    center, half, axis = (np.broadcast_to(a, (frames, 2)) for a in (center, half, axis))
    radius, opacity = (
        np.broadcast_to(np.asarray(a, np.float32), (frames,)) for a in (radius, opacity)
    )
    return Shape(center, axis, half, radius, opacity, colour)


def limb(start: Array, end: Array, radius: float, colour: Colour) -> Shape:
    """A capsule between two moving points ``(T, 2)``."""
    along = end - start
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    half = np.concatenate([length / 2, np.zeros_like(length)], axis=1)
    return box((start + end) / 2, half, colour, axis=along / length, radius=radius)


def disc(center: npt.ArrayLike, radius: float, colour: Colour) -> Shape:
    """A filled circle."""
    return box(center, (0.0, 0.0), colour, radius=radius)


def bounds(shapes: Sequence[Shape]) -> tuple[Array, Array]:
    """Upper left and lower right corner ``(2,)`` of everything over all frames."""
    low = np.min([(s.center - s.reach()).min(axis=0) for s in shapes], axis=0)
    high = np.max([(s.center + s.reach()).max(axis=0) for s in shapes], axis=0)
    return low, high


def draw(canvas: Array, shape: Shape, edge_px: float) -> None:
    """Paints a shape, placed in pixels, over the canvas in place.

    Only a window that follows the shape is touched; that is what makes rendering quick.

    Args:
        canvas: RGB in 0..1.
        shape: Placed in pixels.
        edge_px: Width of the soft edge: 1 for plain anti-aliasing, more for a blurred lens.

    Shape:
        - canvas: ``(3, T, H, W)``
    """
    height, width = canvas.shape[2:]
    reach = shape.reach().max(axis=0) + edge_px / 2 + 1
    w, h = min(width, int(np.ceil(2 * reach[0]))), min(height, int(np.ceil(2 * reach[1])))
    corner = np.floor(shape.center - point(w / 2 - 0.5, h / 2 - 0.5)).astype(np.intp)
    corner = np.clip(corner, 0, [width - w, height - h])

    alpha = _coverage(shape, corner, w, h, edge_px)
    windows = np.lib.stride_tricks.sliding_window_view(canvas, (h, w), axis=(2, 3), writeable=True)
    place = (slice(None), np.arange(canvas.shape[1]), corner[:, 1], corner[:, 0])
    patch = windows[place]
    colour = np.array(shape.colour, np.float32)[:, None, None, None]
    windows[place] = patch + alpha * (colour - patch)


def _coverage(shape: Shape, corner: npt.NDArray[np.intp], w: int, h: int, edge_px: float) -> Array:
    """How much of each pixel of the window the shape covers, ``(T, h, w)``."""
    x = (corner[:, :1] + np.arange(w) + 0.5 - shape.center[:, :1]).astype(np.float32)[:, None, :]
    y = (corner[:, 1:] + np.arange(h) + 0.5 - shape.center[:, 1:]).astype(np.float32)[:, :, None]
    axis_x, axis_y = shape.axis[:, :1, None], shape.axis[:, 1:, None]
    along = np.abs(x * axis_x + y * axis_y) - shape.half[:, :1, None]
    across = np.abs(y * axis_x - x * axis_y) - shape.half[:, 1:, None]
    inside = np.minimum(np.maximum(along, across), 0)
    np.maximum(along, 0, out=along)
    np.maximum(across, 0, out=across)
    along *= along
    across *= across
    along += across
    distance = np.sqrt(along, out=along)
    distance += inside - shape.radius[:, None, None]
    distance *= np.float32(-1 / edge_px)
    distance += np.float32(0.5)
    np.clip(distance, 0, 1, out=distance)
    distance *= shape.opacity[:, None, None]
    return distance
