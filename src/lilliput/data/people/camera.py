"""Where the camera stands, and what it frames: a track, as ``watch`` cuts it, or a whole scene."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that does not move.

    Attributes:
        place: (3,) m.
        axes: (3, 3) rows: right, down and ahead in the picture, unit vectors.
        focal: px.
        origin: (2,) px of the picture at which the axis ahead points.
    """

    place: Array
    axes: Array
    focal: float
    origin: Array

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """(..., 3) m to places (..., 2) px, px per m (...), and distances (...) m."""
        seen = (points - self.place) @ self.axes.T
        depth = np.maximum(seen[..., 2], 0.2)
        scale = self.focal / depth
        return (seen[..., :2] * scale[..., None] + self.origin).astype(np.float32), scale, depth

    def horizon(self) -> float:
        """Row of the picture at which the ground ends, px; the ground is below."""
        ahead = self.axes[2].copy()
        ahead[1] = 0
        length = float(np.linalg.norm(ahead))
        if length < 1e-3:
            return -np.inf
        seen = self.axes @ (ahead / length)
        return float(self.origin[1] + self.focal * seen[1] / max(float(seen[2]), 1e-3))


def draw_camera(rng: np.random.Generator, points: Array, size: int, *, wide: bool) -> Camera:
    """A camera that sees people.

    Args:
        rng: Draws where it hangs, and how loosely it frames.
        points: (N, 3) all places of the person to be framed, m.
        size: Side of the picture, px.
        wide: Frame a scene in which the person is small, not a track.
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    elevation = np.radians(_draw_elevation(rng))
    azimuth = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(3, 18)
    out = np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation),
                    np.cos(elevation) * np.cos(azimuth)])  # fmt: skip
    place = middle + out * max(distance, float(np.ptp(points, axis=0).max()))
    place[1] = max(place[1], 0.3)
    axes = _look(middle - place, np.radians(rng.normal(0, 3)))
    camera = Camera(place, axes, float(size), np.zeros(2))
    seen, _, _ = camera.project(points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = float((high - low).max())
    context, spread = _draw_framing(rng, wide=wide)
    factor = size / max(extent * context, 1e-3)
    slack = size - factor * (high - low)
    return Camera(place, axes, size * factor, (slack * spread - factor * low).astype(np.float32))


def _draw_framing(rng: np.random.Generator, *, wide: bool) -> tuple[float, Array]:
    """Side of the picture in extents of who is framed, and (2,) where in it they are, 0 to 1.

    Below 0 or above 1 a part of them is cut off.
    """
    if wide:
        return 1.8 + 7 * rng.beta(1, 3), rng.uniform(0.1, 0.9, 2)
    return rng.uniform(1.05, 1.6), np.clip(rng.normal(0.5, 0.17, 2), -0.1, 1.1)


def _draw_elevation(rng: np.random.Generator) -> float:
    """Degrees above the horizontal: at eye level, under a ceiling, steep, or straight down."""
    kind = rng.random()
    if kind < 0.66:
        return float(rng.uniform(-2, 14))
    if kind < 0.92:
        return float(rng.uniform(14, 35))
    return float(rng.uniform(35, 65) if kind < 0.97 else rng.uniform(78, 90))


def _look(ahead: Array, roll: float) -> Array:
    ahead = ahead / np.linalg.norm(ahead)
    across = np.cross(ahead, [0, 1, 0])
    if np.linalg.norm(across) < 1e-3:
        across = np.array([1.0, 0, 0])
    across = across / np.linalg.norm(across)
    down = np.cross(ahead, across)
    cos, sin = np.cos(roll), np.sin(roll)
    rows: Sequence[Array] = (cos * across + sin * down, cos * down - sin * across, ahead)
    return np.stack(rows)


def draw_path(rng: np.random.Generator, frames: int, size: int) -> Array:
    """(T, 2) how far the picture has moved, px: most cameras hang still, some are held or turn."""
    path = np.zeros((frames, 2))
    kind = rng.random()
    if kind < 0.14:  # wind, a hand
        path += np.cumsum(rng.normal(0, rng.uniform(0.004, 0.02) * size, (frames, 2)), axis=0)
    if kind < 0.06 or kind > 0.94:  # turns after someone
        start, end = rng.uniform(-0.2, 0.2, (2, 2)) * size
        path += start + (end - start) * np.linspace(0, 1, frames)[:, None] ** rng.uniform(0.6, 1.6)
    return path.clip(-0.5 * size, 0.5 * size).astype(np.float32)


def follow_path(picture: Array, path: Array, size: int) -> Array:
    """(T, S, S, 3) what is seen of a larger picture along a path; of a zero path, the middle."""
    margin = (len(picture) - size) // 2
    if not path.any():
        inner = picture[margin : margin + size, margin : margin + size]
        return np.repeat(inner[None], len(path), axis=0)
    seen = []
    for right, down in path:
        part = picture
        for axis, step in ((0, down), (1, right)):
            at = np.clip(margin + np.arange(size) - step, 0, len(picture) - 1)
            low = np.minimum(at.astype(int), len(picture) - 2)
            weight = (at - low).astype(np.float32)
            weight = weight[:, None, None] if axis == 0 else weight[None, :, None]
            part = part.take(low, axis) * (1 - weight) + part.take(low + 1, axis) * weight
        seen.append(part)
    return np.stack(seen)
