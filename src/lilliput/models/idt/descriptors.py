"""What is around a trajectory: histograms of gradients, of flow, and of motion boundaries.

Sources: Wang et al., Dense Trajectories and Motion Boundary Descriptors for Action Recognition,
IJCV 2013; Arandjelovic and Zisserman, Three Things Everyone Should Know to Improve Object
Retrieval, CVPR 2012 (the root of L1-normalized histograms).
"""

import math

import numpy as np

from lilliput.models.idt.trajectories import Trajectories

_BINS = 8  # directions
_CELLS = 2  # in x and in y
PERIODS = 3  # in time
_STILL = 0.4  # px; HOF counts a slower pixel as still
_FAINT = 0.05  # per pixel; keeps histograms of next to nothing near zero

_SIZES = {"hog": _BINS, "hof": _BINS + 1, "mbh_x": _BINS, "mbh_y": _BINS}


def descriptor_sizes(length: int) -> dict[str, int]:
    """Numbers of each descriptor, for trajectories of so many steps."""
    cells = _CELLS**2 * PERIODS
    return {"shape": 2 * length, **{name: bins * cells for name, bins in _SIZES.items()}}


def describe_shape(steps: np.ndarray) -> np.ndarray:
    """Steps (M, L, 2) over the length of the way: (M, 2 L)."""
    way = np.linalg.norm(steps, axis=2).sum(axis=1)
    shape: np.ndarray = (steps / np.maximum(way, 1e-6)[:, None, None]).reshape(
        len(steps), 2 * steps.shape[1]
    )
    return shape.astype(np.float32)


def describe_surroundings(
    frames: np.ndarray, flow: np.ndarray, trajectories: Trajectories, *, patch: int
) -> dict[str, np.ndarray]:
    """HOG, HOF and MBH in 2 x 2 cells and 3 periods along each trajectory.

    Args:
        frames: Brightness, uint8.
        flow: Between frames, without the camera's.
        trajectories: M of them.
        patch: Side of the square around a point, px.

    Shape:
        - frames: ``(T, H, W)``
        - flow: ``(T - 1, H, W, 2)``
        - Output: ``(M, 96)``, HOF ``(M, 108)``
    """
    described = {}
    for name in _SIZES:  # one after the other: maps are large
        maps = _maps(name, frames, flow)
        described[name] = _normalise(_pool(maps, trajectories, patch))
    return described


def _maps(name: str, frames: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """(T - 1, H, W, B) how much of each direction a pixel has."""
    if name == "hof":
        return direction_maps(flow[..., 0], flow[..., 1], still=_STILL)
    is_hog = name == "hog"
    picture = frames[:-1].astype(np.float32) if is_hog else flow[..., "xy".index(name[-1])]
    return direction_maps(np.gradient(picture, axis=2), np.gradient(picture, axis=1))


def direction_maps(x: np.ndarray, y: np.ndarray, still: float | None = None) -> np.ndarray:
    """Spreads each vector's length over the two of 8 directions beside its own.

    Args:
        x: To the right.
        y: Down.
        still: Shorter vectors count 1 in a last, ninth direction instead; None has no such.

    Shape:
        - x, y: ``(...)``
        - Output: ``(..., 8)``, or ``(..., 9)`` with ``still``
    """
    length = np.hypot(x, y).ravel()
    place = (np.arctan2(y, x).ravel() / (2 * np.pi) * _BINS) % _BINS
    lower = np.floor(place).astype(int) % _BINS
    share = place - np.floor(place)
    maps = np.zeros((length.size, _BINS + (still is not None)), np.float32)
    rows = np.arange(length.size)
    slow = np.zeros(length.size, bool) if still is None else length < still
    maps[rows, lower] = np.where(slow, 0, length * (1 - share))
    maps[rows, (lower + 1) % _BINS] = np.where(slow, 0, length * share)
    if still is not None:
        maps[rows, _BINS] = slow
    return maps.reshape(*x.shape, -1)


def _pool(maps: np.ndarray, trajectories: Trajectories, patch: int) -> np.ndarray:
    """(M, 3, 2, 2, B) means over cells and periods, by integral images."""
    _, height, width, bins = maps.shape
    cell = max(1, min(patch, height, width) // _CELLS)
    sums = np.zeros((len(maps), height + 1, width + 1, bins), np.float32)
    np.cumsum(maps, axis=1, out=sums[:, 1:, 1:])
    np.cumsum(sums[:, 1:, 1:], axis=2, out=sums[:, 1:, 1:])
    rows, columns = (  # the patch stays within the picture
        np.clip(middle - cell, 0, end - _CELLS * cell)
        for middle, end in zip(trajectories.pixels, (height, width), strict=True)
    )
    edges = np.arange(_CELLS + 1) * cell
    at = sums[
        trajectories.frames[..., None, None],
        rows[..., None, None] + edges[:, None],
        columns[..., None, None] + edges,
    ]  # (M, L, 3, 3, B)
    cells = np.diff(np.diff(at, axis=2), axis=3) / cell**2
    length = cells.shape[1]
    begins = [period * length // PERIODS for period in range(PERIODS)]
    counts = np.diff([*begins, length])[:, None, None, None]
    pooled: np.ndarray = np.add.reduceat(cells, begins, axis=1) / counts
    return pooled


def _normalise(pooled: np.ndarray) -> np.ndarray:
    """Root of the L1-normalized histogram; its squares sum to 1, or less where little is there."""
    # Sums in float32 may round below zero.
    flat = np.maximum(pooled, 0).reshape(len(pooled), math.prod(pooled.shape[1:]))
    cells = _CELLS**2 * PERIODS
    root: np.ndarray = np.sqrt(flat / (flat.sum(axis=1, keepdims=True) + _FAINT * cells))
    return root
