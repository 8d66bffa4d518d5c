"""Enlarging by interpolation: what every other front end is compared with (thesis section 2.3).

Sources: Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981; Duchon, Lanczos
Filtering in One and Two Dimensions, 1979.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

Kernel = Literal["bicubic", "lanczos"]


class Interpolation(nn.Module):
    """Enlarges each frame by a fixed kernel; pixels over the edge are those at the edge.

    The weights of a new pixel depend on its place between the old ones alone, of which there are
    as many as the scale squared: so this is one convolution, whose channels are shuffled into
    place.

    Args:
        scale: How many times larger, S.
        kernel: ``"bicubic"`` (Keys, a = -0.5) or ``"lanczos"`` (of three lobes).

    Shape:
        - Input: ``(N, 3, T, H, W)`` of any values
        - Output: ``(N, 3, T, S * H, S * W)``
    """

    weights: torch.Tensor

    def __init__(self, scale: int, kernel: Kernel = "bicubic") -> None:
        super().__init__()
        self.scale = scale
        support, function = _KERNELS[kernel]
        self.support = support
        rows = torch.tensor([_weights(phase, scale, support, function) for phase in range(scale)])
        weights = torch.einsum("ai,bj->abij", rows, rows).flatten(0, 1)[:, None]
        # Not part of a checkpoint, since the scale tells them.
        self.register_buffer("weights", weights.float(), persistent=False)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips, enlarged."""
        height, width = clips.shape[-2:]
        pictures = clips.reshape(-1, 1, height, width)  # every color of every frame by itself
        padded = F.pad(pictures, (self.support,) * 4, mode="replicate")
        larger = F.pixel_shuffle(F.conv2d(padded, self.weights.to(padded.dtype)), self.scale)
        return larger.reshape(*clips.shape[:-2], self.scale * height, self.scale * width)


def _keys(distance: float) -> float:
    x = abs(distance)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((-0.5 * x + 2.5) * x - 4) * x + 2 if x < 2 else 0.0


def _lanczos(distance: float) -> float:
    x = math.pi * distance
    if x == 0:
        return 1.0
    return 3 * math.sin(x) * math.sin(x / 3) / x**2 if abs(distance) < 3 else 0.0


# How far each reaches, in pixels of the small picture, and its value at a distance.
_KERNELS: dict[Kernel, tuple[int, Callable[[float], float]]] = {
    "bicubic": (2, _keys),
    "lanczos": (3, _lanczos),
}


def _weights(phase: int, scale: int, support: int, kernel: Callable[[float], float]) -> list[float]:
    """Of the old pixels around the new one with this remainder; they add up to 1."""
    place = (phase + 0.5) / scale - 0.5  # of its center, seen from the old pixel's
    weights = [kernel(offset - place) for offset in range(-support, support + 1)]
    return [weight / sum(weights) for weight in weights]
