"""Cutting the square that a network sees out of a scaled clip (thesis section 3.3.2), and beyond.

The thesis' crop lies inside the picture and upright. Here it may also reach over the edge, whose
pixels are repeated there, and be rotated about its center: at 16 px a shift of one pixel and a
turn of ten degrees are what differs from one mounting of a camera to the next.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Crop:
    """A square in a scaled clip.

    Attributes:
        top: First row, px; negative above the picture.
        left: First column, px; negative left of it.
        size: Side, px.
        degrees: Turn about its center, counterclockwise.
    """

    top: int
    left: int
    size: int
    degrees: float = 0.0

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """(..., H, W) uint8 to (..., size, size); a view where it lies inside and upright."""
        if self.degrees:
            return self._sample(frames)
        height, width = frames.shape[-2:]
        rows = slice(self.top, self.top + self.size)
        columns = slice(self.left, self.left + self.size)
        if rows.start >= 0 and columns.start >= 0 and rows.stop <= height and columns.stop <= width:
            return frames[..., rows, columns]
        row = torch.arange(rows.start, rows.stop, device=frames.device).clamp(0, height - 1)
        column = torch.arange(columns.start, columns.stop, device=frames.device).clamp(0, width - 1)
        return frames.index_select(-2, row).index_select(-1, column)

    def enlarge(self, size: tuple[int, int], old: tuple[int, int], side: int) -> "Crop":
        """The crop of ``side`` px that shows the same part of the clip in another scale.

        Args:
            size: Height and width of the clip in the other scale, px.
            old: The same in this one.
            side: Of the new crop, px.
        """
        scale = side / self.size
        ends = (
            _enlarge(place, before - self.size, scale, after - side)
            for place, before, after in zip((self.top, self.left), old, size, strict=True)
        )
        top, left = ends
        return Crop(top, left, side, self.degrees)

    def _sample(self, frames: torch.Tensor) -> torch.Tensor:
        """Bilinear, between the pixels' centers."""
        height, width = frames.shape[-2:]
        angle = math.radians(self.degrees)
        offset = torch.arange(self.size, device=frames.device) - (self.size - 1) / 2
        down, right = offset[:, None], offset[None, :]
        x = self.left + (self.size - 1) / 2 + math.cos(angle) * right - math.sin(angle) * down
        y = self.top + (self.size - 1) / 2 + math.sin(angle) * right + math.cos(angle) * down
        # grid_sample's -1 and 1 are the outer edges of the first and the last pixel.
        grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
        pictures = frames.reshape(1, -1, height, width).float()
        sampled = functional.grid_sample(
            pictures, grid[None], padding_mode="border", align_corners=False
        )
        return sampled.round_().to(frames.dtype).reshape(*frames.shape[:-2], *sampled.shape[-2:])


def _enlarge(place: int, room: int, scale: float, new_room: int) -> int:
    """A first row or column in another scale; what lay inside the picture stays inside."""
    enlarged = round(place * scale)
    return min(enlarged, new_room) if 0 <= place <= room else enlarged


@dataclass(frozen=True)
class RandomCrop:
    """Draws a square for a clip.

    Args:
        size: Side, px.
        padding: How far it may reach over the picture's edges, as a share of ``size``.
        rotation: Largest turn, degrees either way.
    """

    size: int
    padding: float = 0.0
    rotation: float = 0.0

    def draw(self, height: int, width: int, generator: torch.Generator | None = None) -> Crop:
        """Draws once for a whole clip of this scaled size, px.

        In a picture that is smaller than the square the place is drawn so that the picture lies
        inside the square.
        """
        over = round(self.padding * self.size)
        top, left = (
            int(
                torch.randint(
                    min(0, length - self.size) - over,
                    max(0, length - self.size) + over + 1,
                    (),
                    generator=generator,
                )
            )
            for length in (height, width)
        )
        if not self.rotation:
            return Crop(top, left, self.size)
        turn = float(torch.rand((), generator=generator)) * 2 - 1
        return Crop(top, left, self.size, turn * self.rotation)
