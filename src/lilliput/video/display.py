"""What a player shows of a decoded frame: with square pixels, turned and mirrored as it says."""

import struct
from collections.abc import Mapping

import av
import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

SMALL_PIXELS = 640 * 480  # more threads slow smaller pictures down
_MOST_STRETCHED = 8  # width to height of a pixel, or height to width; beyond, a header is wrong
_MATRIX = struct.Struct("=9i")  # rows (a, b, u), (c, d, v), (x, y, w); ISO 14496-12, 8.3.2.3


def pixel_aspect(stream: VideoStream) -> float:
    """Width of a pixel divided by its height; 1 where the stream claims nothing sensible."""
    told = stream.sample_aspect_ratio
    aspect = float(told) if told else 1.0
    return aspect if 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED else 1.0


def square_size(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Width and height with square pixels; the side that is too short is stretched."""
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def to_picture(
    frame: av.VideoFrame, reformatter: VideoReformatter, size: tuple[int, int]
) -> np.ndarray:
    """One frame as RGB, as a player shows it.

    Args:
        frame: As decoded.
        reformatter: One for all frames of a stream: a new scaler per frame costs five times.
        size: Width and height to scale it to, before it is turned. Every frame takes the first
            one's, so that a stream which changes size stays one.

    Shape:
        - Output: ``(H, W, 3)`` uint8
    """
    grows = frame.width <= size[0] and frame.height <= size[1]
    picture = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgb24",
        interpolation=Interpolation.BILINEAR if grows else Interpolation.AREA,
        # Starting threads takes longer than converting a small clip.
        threads=1 if frame.width * frame.height < SMALL_PIXELS else None,
    ).to_ndarray()
    return _oriented(picture, frame)


def is_sideways(frame: av.VideoFrame) -> bool:
    """Whether width and height change places when it is shown: phones record sideways."""
    matrix = _matrix(frame)
    return matrix is not None and _changes_places(matrix)


def _oriented(picture: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """By the frame's matrix, which takes (x, y) to (ax + cy, bx + dy)."""
    matrix = _matrix(frame)
    if matrix is None:
        return picture
    a, b, _, c, d, *_ = matrix
    across, down = a, d
    if _changes_places(matrix):
        picture, across, down = picture.swapaxes(0, 1), c, b
    if across < 0:
        picture = picture[:, ::-1]
    return picture[::-1] if down < 0 else picture


def _changes_places(matrix: tuple[int, ...]) -> bool:
    a, b, _, c, d, *_ = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def _matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    told: Mapping[Type, SideData] = frame.side_data  # type: ignore[assignment]  # PyAV's stubs
    data = told.get(Type.DISPLAYMATRIX)
    return None if data is None or data.buffer_size != _MATRIX.size else _MATRIX.unpack(data)
