"""Writing videos; with decode.py the only door to PyAV."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

_TICKS = 90_000  # a second's, of frames that bring their own times; MPEG's clock


class VideoWriter:
    """Writes H.264, one frame at a time, 4:2:0 or lossless RGB; a context manager.

    The bytes do not depend on the machine's cores.

    Args:
        path: The file; its suffix names the container.
        size: Width and height, px; of 4:2:0 an odd one is padded by repeating the last row or
            column.
        fps: Frames per second, rounded to whole ones where frames bring no times.
        crf: Coarseness of H.264, 0 (lossless but for the conversion to 4:2:0) to 51; None keeps
            every RGB value as it is.
        preset: H.264's trade of speed for size.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        *,
        fps: float,
        crf: int | None = 18,
        preset: str = "medium",
    ) -> None:
        self._container = av.open(str(path), "w")
        self._pads = crf is not None
        codec, pixels = ("libx264rgb", "rgb24") if crf is None else ("libx264", "yuv420p")
        options = {"crf": str(crf or 0), "preset": preset}
        stream = self._container.add_stream(codec, max(1, round(fps)), options=options)
        self._stream = cast(VideoStream, stream)
        self._stream.width, self._stream.height = (side + side % 2 * self._pads for side in size)
        self._stream.pix_fmt = pixels
        self._stream.codec_context.thread_count = 1
        self._last_tick = -1

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, picture: np.ndarray, seconds: float | None = None) -> None:
        """Appends a frame.

        Args:
            picture: (H, W, 3) uint8 RGB.
            seconds: When it is shown; given for all frames or for none, which are then shown
                ``fps`` a second. A frame that is not later than the one before is put right
                behind it.
        """
        below, beside = (side % 2 * self._pads for side in picture.shape[:2])
        if below or beside:
            picture = np.pad(picture, ((0, below), (0, beside), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        if seconds is not None:
            if self._last_tick < 0:
                self._stream.codec_context.time_base = Fraction(1, _TICKS)
            self._last_tick = max(self._last_tick + 1, round(seconds * _TICKS))
            frame.pts, frame.time_base = self._last_tick, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Completes the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


def write_video(
    path: Path | str,
    frames: np.ndarray,
    *,
    fps: float,
    crf: int = 18,
    preset: str = "medium",
) -> None:
    """Writes all frames of a video, as ``VideoWriter`` does.

    Args:
        path: The file; its suffix names the container.
        frames: (T, H, W, 3) uint8 RGB.
        fps: Frames per second, rounded to whole ones.
        crf: Coarseness of H.264, 0 (lossless) to 51.
        preset: H.264's trade of speed for size.
    """
    size = (frames.shape[2], frames.shape[1])
    with VideoWriter(path, size, fps=fps, crf=crf, preset=preset) as video:
        for picture in frames:
            video.add(picture)
