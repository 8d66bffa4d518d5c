"""A part of a longer video: some seconds of it, and a square in its pictures.

Annotations of long videos, such as AVA's and Charades', label parts; so they are read from the
whole file, without cutting it up first.
"""

from dataclasses import dataclass

import numpy as np

WHOLE_PICTURE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Part:
    """Which part.

    Attributes:
        start_seconds: Of its first frame, since second 0 of the video.
        end_seconds: Up to and without this time.
        box: Left, top, right and bottom edge as shares of the upright picture's width and height.
            What is cut is the square about it, shifted into the picture where it would stick out,
            as TinyVIRAT's clips are cut.
    """

    start_seconds: float
    end_seconds: float
    box: tuple[float, float, float, float] = WHOLE_PICTURE

    @property
    def is_valid(self) -> bool:
        """Whether it has a duration, and an area inside the picture."""
        left, top, right, bottom = self.box
        inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        return 0 <= self.start_seconds < self.end_seconds < float("inf") and inside

    @property
    def has_box(self) -> bool:
        """Whether it is less than the whole picture."""
        return self.box != WHOLE_PICTURE

    def crop_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what is cut from a picture of this size, px."""
        (left, right), (top, bottom) = self._edges(width, height)
        return right - left, bottom - top

    def crop(self, picture: np.ndarray) -> np.ndarray:
        """What is cut from an upright picture.

        Shape:
            - Input: ``(3, H, W)``
            - Output: ``(3, h, w)``, a copy where it is less than the picture
        """
        if not self.has_box:
            return picture
        (left, right), (top, bottom) = self._edges(picture.shape[2], picture.shape[1])
        return picture[:, top:bottom, left:right].copy()

    def num_frames(self, duration_seconds: float | None, fps: float) -> int:
        """About how many frames it has, in a video of this length (None: not known)."""
        end = self.end_seconds
        end = end if duration_seconds is None else min(end, duration_seconds)
        return max(1, round((end - self.start_seconds) * fps))

    def holds(self, seconds: float, fps: float) -> bool:
        """Whether a frame of this time belongs to it; times are rounded in a file."""
        tolerance = 1e-3 / fps
        return self.start_seconds - tolerance <= seconds < self.end_seconds - tolerance

    def _edges(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last column, first and last row, px."""
        if not self.has_box:
            return (0, width), (0, height)
        left, top, right, bottom = self.box
        longer = max((right - left) * width, (bottom - top) * height)
        side = max(1, min(round(longer), width, height))
        return _place(left, right, width, side), _place(top, bottom, height, side)


def _place(first: float, last: float, length: int, side: int) -> tuple[int, int]:
    """``side`` px about the middle of an edge, shifted into the picture."""
    start = round((first + last) / 2 * length - side / 2)
    start = max(0, min(start, length - side))
    return start, start + side
