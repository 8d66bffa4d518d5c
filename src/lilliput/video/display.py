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
_UPRIGHT = (1, 0, 0, 0, 1, 0)
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


class Display:
    """Shows the frames of one stream: one scaler, and the first frame's orientation, for all.

    A new scaler per frame would cost five times as much; and a frame that is asked for its
    orientation stays in memory until Python looks for cycles.

    Args:
        first: The stream's first frame.

    Attributes:
        is_sideways: Whether width and height change places: phones record sideways.
    """

    def __init__(self, first: av.VideoFrame) -> None:
        self._reformatter = VideoReformatter()
        a, b, _, c, d, *_ = _matrix(first) or _UPRIGHT
        self.is_sideways = abs(b) + abs(c) > abs(a) + abs(d)
        # The matrix takes (x, y) to (ax + cy, bx + dy).
        across, down = (c, b) if self.is_sideways else (a, d)
        self._columns = slice(None, None, -1 if across < 0 else 1)
        self._rows = slice(None, None, -1 if down < 0 else 1)

    def to_picture(self, frame: av.VideoFrame, size: tuple[int, int]) -> np.ndarray:
        """One frame as RGB, as a player shows it.

        Args:
            frame: As decoded.
            size: Width and height to scale it to, before it is turned. Every frame takes the first
                one's, so that a stream which changes size stays one.

        Shape:
            - Output: ``(H, W, 3)`` uint8
        """
        grows = frame.width <= size[0] and frame.height <= size[1]
        picture = self._reformatter.reformat(
            frame,
            width=size[0],
            height=size[1],
            format="rgb24",
            interpolation=Interpolation.BILINEAR if grows else Interpolation.AREA,
            # Starting threads takes longer than converting a small clip.
            threads=1 if frame.width * frame.height < SMALL_PIXELS else None,
        ).to_ndarray()
        upright = picture.swapaxes(0, 1) if self.is_sideways else picture
        return upright[self._rows, self._columns]


def _matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    told: Mapping[Type, SideData] = frame.side_data  # type: ignore[assignment]  # PyAV's stubs
    data = told.get(Type.DISPLAYMATRIX)
    return None if data is None or data.buffer_size != _MATRIX.size else _MATRIX.unpack(data)
