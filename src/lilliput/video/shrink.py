"""Making pictures small, as a camera that is far away would have seen them.

A small pixel is the mean of the area that it covers, with fractions of pixels at its edges. Blur
and noise follow at the small size.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Shrink:
    """How pictures are made small; nothing is ever enlarged.

    Attributes:
        side: Height and width of the result, px, whatever the shape of the picture; or its
            shorter side, and the shape is kept.
        blur: Deviation of a Gaussian, in px of the result; 0 for none.
        noise: Deviation of Gaussian noise on every pixel and channel, of 255 grey levels.
    """

    side: tuple[int, int] | int
    blur: float = 0.0
    noise: float = 0.0

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result, px."""
        if isinstance(self.side, int):
            scale = min(1.0, self.side / min(height, width))
            return max(1, round(height * scale)), max(1, round(width * scale))
        return min(height, self.side[0]), min(width, self.side[1])

    def __call__(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Makes one picture small.

        Args:
            picture: RGB.
            rng: Of the noise.

        Shape:
            - Input: ``(3, H, W)`` uint8
            - Output: ``(h, w, 3)`` uint8
        """
        _, height, width = picture.shape
        small = self.size(height, width)
        rows = _weights(height, small[0], self.blur)
        columns = _weights(width, small[1], self.blur)
        mean = (rows @ picture.astype(np.float32) @ columns.T).transpose(1, 2, 0)
        if self.noise:
            mean = mean + rng.normal(0, self.noise, mean.shape)
        return np.ascontiguousarray(mean.round().clip(0, 255).astype(np.uint8))


def area_weights(old: int, new: int) -> np.ndarray:
    """(new, old): the share of each old pixel in a new one, on a line; rows sum to 1."""
    edges = np.arange(new + 1)[:, None] * old / new
    pixels = np.arange(old)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.asarray(covered.clip(0) * new / old)


def gaussian_weights(length: int, sigma: float) -> np.ndarray:
    """(length, length): a Gaussian about each pixel of a line; rows sum to 1, edges included."""
    if sigma == 0:
        return np.eye(length)
    distance = np.subtract.outer(np.arange(length), np.arange(length))
    weights = np.exp(-np.square(distance / sigma) / 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@lru_cache(maxsize=64)
def _weights(old: int, new: int, blur: float) -> np.ndarray:
    return np.asarray(gaussian_weights(new, blur) @ area_weights(old, new), np.float32)
