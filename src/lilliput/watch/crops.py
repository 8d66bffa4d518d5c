"""The square around an actor that the recogniser sees."""

import numpy as np

from lilliput.watch.scene import Box


def square_around(box: Box, context: float, size: tuple[int, int]) -> Box:
    """A square about the middle of a box, shifted into the picture where it would stick out.

    Args:
        box: The actor.
        context: Side of the square in longer sides of the box.
        size: Width and height of the picture, px; its shorter side is the largest square.
    """
    side = min(context * max(box.width, box.height), *size)
    side = max(side, 1.0)
    left = (box.left + box.right - side) / 2
    top = (box.top + box.bottom - side) / 2
    left = min(max(left, 0.0), size[0] - side)
    top = min(max(top, 0.0), size[1] - side)
    return Box(left, top, left + side, top + side)


def cut(pixels: np.ndarray, square: Box) -> np.ndarray:
    """The pixels of a square that lies in the picture, a view.

    Args:
        pixels: (H, W, 3).
        square: Rounded to whole px.

    Shape:
        - Output: ``(S, S, 3)``, S at least 1
    """
    height, width = pixels.shape[:2]
    side = min(max(1, round(square.width)), height, width)
    left = min(max(0, round(square.left)), width - side)
    top = min(max(0, round(square.top)), height - side)
    return pixels[top : top + side, left : left + side]
