"""Pictures that show where people are and not who they are."""

from dataclasses import replace

import cv2
import numpy as np

from lilliput.watch.scene import Box, Scene

MARGIN = 0.1  # of the box's sides, added on each side
SHORT_BLOCKS = 4  # along the shorter side of the box, at most
LONG_BLOCKS = 8  # along its longer side, at most


def blur_people(scene: Scene) -> Scene:
    """A scene whose picture hides every tracked or detected person under coarse blocks.

    All of it is hidden while the detector cannot tell. The given scene keeps its pixels.
    """
    pixels = scene.frame.pixels.copy()
    boxes = [track.box for track in scene.tracks]
    if scene.detections is None:
        boxes.append(Box(0, 0, pixels.shape[1], pixels.shape[0]))
    else:
        boxes += [found.box for found in scene.detections]
    for box in boxes:
        _pixelate(pixels, box)
    return replace(scene, frame=replace(scene.frame, pixels=pixels))


def _pixelate(pixels: np.ndarray, box: Box) -> None:
    height, width = pixels.shape[:2]
    left, right = _span(box.left, box.right, width)
    top, bottom = _span(box.top, box.bottom, height)
    if left >= right or top >= bottom:
        return
    part = pixels[top:bottom, left:right]
    # By the whole box: of someone half out of the picture no finer blocks are shown.
    short, long = sorted((box.width * (1 + 2 * MARGIN), box.height * (1 + 2 * MARGIN)))
    side = max(short / SHORT_BLOCKS, long / LONG_BLOCKS)
    blocks = max(1, int(part.shape[1] / side)), max(1, int(part.shape[0] / side))
    coarse = cv2.resize(part, blocks, interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def _span(start: float, end: float, limit: int) -> tuple[int, int]:
    """First and one past the last px of an enlarged side, in the picture."""
    margin = MARGIN * (end - start)
    return max(0, int(np.floor(start - margin))), min(limit, int(np.ceil(end + margin)))
