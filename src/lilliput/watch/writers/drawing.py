"""Boxes, labels and times on a picture, readable at any size."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from lilliput.watch.scene import Box

# Okabe and Ito's palette without black: told apart with every kind of colour vision. RGB.
COLOURS = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22  # height of a capital letter of this font at scale 1
_PLATE, _TEXT = (16, 18, 21), (255, 255, 255)
_SMALLEST_PX = 320  # smaller pictures are enlarged to about this, or labels would cover them


def enlargement(size: tuple[int, int]) -> int:
    """How many times a picture is enlarged, so that labels can be read on it.

    Args:
        size: Width and height, px.
    """
    return max(1, -(-_SMALLEST_PX // max(size)) if max(size) < _SMALLEST_PX else 1)


def colour_of(track: int) -> tuple[int, int, int]:
    """The colour of a track, RGB; a track keeps it."""
    return COLOURS[track % len(COLOURS)]


@dataclass
class Canvas:
    """A picture that is drawn on.

    Attributes:
        pixels: (H, W, 3) uint8 RGB; changed in place.
    """

    pixels: np.ndarray
    _boxes: list[Box] = field(default_factory=list)
    _plates: list[Box] = field(default_factory=list)

    def __post_init__(self) -> None:
        height, width = self.pixels.shape[:2]
        self._letter_px: float = min(max(8.0, 0.016 * (width + height) / 2), 40.0)
        self._line_px: int = max(1, round(0.0025 * (width + height) / 2))

    def draw_box(self, box: Box, colour: tuple[int, int, int]) -> None:
        """A frame in a colour, with a dark rim that sets it off from any ground."""
        self._boxes.append(box)
        left, top, right, bottom = (round(side) for side in box)
        corners = (left, top), (right - 1, bottom - 1)
        cv2.rectangle(self.pixels, *corners, _PLATE, self._line_px + 2)
        cv2.rectangle(self.pixels, *corners, colour, self._line_px)

    def label_box(self, box: Box, lines: Sequence[str], colour: tuple[int, int, int]) -> None:
        """Writes lines at a box: above, below or in it, wherever the least is covered by it.

        All boxes are drawn first, for labels should not lie on other boxes either.
        """
        width, height = self._extent(lines)
        tops = (box.top - height, box.bottom, box.top)
        places = [self._inside(box.left, top, width, height) for top in tops]
        others = [other for other in self._boxes if other is not box]
        covered = [
            2 * sum(_shared_px(place, plate) for plate in self._plates)
            + sum(_shared_px(place, other) for other in others)
            for place in places
        ]
        self._write(places[covered.index(min(covered))], lines, colour)

    def label_corner(self, lines: Sequence[str], *, bottom: bool) -> None:
        """Writes lines in the left corner at the top or at the bottom."""
        width, height = self._extent(lines)
        top = self.pixels.shape[0] - height if bottom else 0
        self._write(self._inside(0, top, width, height), lines, _TEXT)

    def _extent(self, lines: Sequence[str]) -> tuple[int, int]:
        scale, weight = self._letter_px / _FONT_PX, self._weight()
        widths = [cv2.getTextSize(_ascii(line), _FONT, scale, weight)[0][0] for line in lines]
        return max(widths) + round(self._letter_px), len(lines) * self._line_height() + 2

    def _line_height(self) -> int:
        return round(1.7 * self._letter_px)

    def _weight(self) -> int:
        return max(1, round(self._letter_px / 11))

    def _inside(self, left: float, top: float, width: int, height: int) -> Box:
        """Shifted into the picture, as far as it fits."""
        picture_height, picture_width = self.pixels.shape[:2]
        left = max(0, min(round(left), picture_width - width))
        top = max(0, min(round(top), picture_height - height))
        return Box(left, top, left + width, top + height)

    def _write(
        self,
        place: Box,
        lines: Sequence[str],
        colour: tuple[int, int, int],
    ) -> None:
        left, top, right, bottom = (int(side) for side in place)
        self._plates.append(place)
        cv2.rectangle(self.pixels, (left, top), (right - 1, bottom - 1), _PLATE, cv2.FILLED)
        cv2.rectangle(
            self.pixels, (left, top), (left + self._line_px, bottom - 1), colour, cv2.FILLED
        )
        scale = self._letter_px / _FONT_PX
        x = left + self._line_px + round(0.4 * self._letter_px)
        for number, line in enumerate(lines, start=1):
            y = top + number * self._line_height() - round(0.4 * self._letter_px)
            text = _ascii(line)
            cv2.putText(self.pixels, text, (x, y), _FONT, scale, _TEXT, self._weight(), cv2.LINE_AA)


def _shared_px(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)


def _ascii(text: str) -> str:
    """OpenCV's fonts have no other letters."""
    return text.encode("ascii", "replace").decode()
