"""Squares of clips in their own pixels: the true pictures that super-resolution is to give."""

import math
from collections.abc import Callable

import numpy as np
import torch

from lilliput.data.loading import FrameSource
from lilliput.errors import DataError, VideoError

_MOST = 64  # px: larger squares teach nothing more of so small details
_SHARE = 0.75  # of the clips that the square must fit into
_STEP = 4  # px: sides that every scale divides


class Patches:
    """Squares of clips; those that are smaller, or cannot be read, are left out.

    Args:
        source: The clips.
        size: Side of the square, px; 0: the largest, up to 64, that three of four clips have.
        num_frames: Frames T; shorter clips end with their last frame again.
        advance: Called after each clip that was looked at.

    Attributes:
        size: The side.
        used: Positions of the clips that are used.

    Raises:
        DataError: No clip is that large.
    """

    def __init__(
        self,
        source: FrameSource,
        size: int,
        num_frames: int,
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self.num_frames = num_frames
        sides = {}
        for index in range(len(source)):
            try:
                sides[index] = min(source.read(index)[:1].shape[-2:])
            except VideoError:
                continue
            finally:
                advance()
        self.size = size or _common_size(list(sides.values()))
        self.used = [index for index, side in sides.items() if side >= self.size]
        if not self.used:
            largest = max(sides.values(), default=0)
            raise DataError(
                f"no clip has {self.size} px, the largest has {largest}: give --size "
                f"{largest // _STEP * _STEP or _STEP} or less, or larger clips"
            )

    def draw(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Random squares of random clips at random times, mirrored or not.

        Returns:
            (count, 3, T, S, S) in 0..1.
        """
        patches: list[torch.Tensor] = []
        while len(patches) < count:
            index = self.used[int(rng.integers(len(self.used)))]
            patch = self._cut(index, lambda most: int(rng.integers(most + 1)))
            patches.append(patch.flip(-1) if rng.random() < 0.5 else patch)
        return torch.stack(patches)

    def middle(self, position: int) -> torch.Tensor:
        """The square in the middle of a used clip, (3, T, S, S) in 0..1."""
        return self._cut(self.used[position], lambda most: most // 2)

    def _cut(self, index: int, choose: Callable[[int], int]) -> torch.Tensor:
        frames = self.source.read(index)
        start = choose(max(0, len(frames) - self.num_frames))
        picks = np.arange(start, start + self.num_frames).clip(max=len(frames) - 1)
        unique, places = np.unique(picks, return_inverse=True)
        pictures = frames[unique][torch.from_numpy(places)]
        top, left = (choose(side - self.size) for side in pictures.shape[-2:])
        square = pictures[..., top : top + self.size, left : left + self.size]
        return square.transpose(0, 1).float() / 255


def _common_size(sides: list[int]) -> int:
    if not sides:
        return _STEP
    fits = sorted(sides)[math.floor((1 - _SHARE) * len(sides))]
    return max(_STEP, min(fits, _MOST) // _STEP * _STEP)
