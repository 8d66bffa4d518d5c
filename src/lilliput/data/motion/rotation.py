"""Rotation matrices."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


def about_axis(radians: Array, axis: int) -> Array:
    """(T, 3, 3) right-handed rotations about x (0), y (1) or z (2)."""
    cos, sin = np.cos(radians), np.sin(radians)
    matrices = np.zeros((*np.shape(radians), 3, 3), np.result_type(radians, np.float32))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrices[..., axis, axis] = 1
    matrices[..., first, first] = matrices[..., second, second] = cos
    matrices[..., first, second], matrices[..., second, first] = -sin, sin
    return matrices
