"""Writing videos; with decode.py the only door to PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_TICKS = 90_000  # a second's, of frames that bring their own times; MPEG's clock


class VideoWriter:
    """Writes H.264, 4:2:0, one frame at a time; a context manager.

    The bytes do not depend on the machine's cores.

    Args:
        path: The file; its suffix names the container.
        size: Width and height, px; an odd one is padded by repeating the last row or column.
        fps: Frames per second, rounded to whole ones.
        crf: Coarseness of H.264, 0 (lossless) to 51.
        preset: H.264's trade of speed for size.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        *,
        fps: float,
        crf: int = 18,
        preset: str = "medium",
    ) -> None:
        self._container = av.open(str(path), "w")
        options = {"crf": str(crf), "preset": preset}
        self._stream = self._container.add_stream("libx264", max(1, round(fps)), options=options)
        self._stream.width, self._stream.height = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
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
        height, width = picture.shape[:2]
        if height % 2 or width % 2:
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
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
