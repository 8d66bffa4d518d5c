"""Footage: untrimmed video of any length, read frame by frame at its full size."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from lilliput.errors import VideoError
from lilliput.video.clock import Clock, duration_seconds, frame_rate, start_seconds
from lilliput.video.container import Timeouts, open_address, open_device, open_file
from lilliput.video.display import Display, pixel_aspect, square_size
from lilliput.video.packets import FrameDecoder, reason
from lilliput.video.source import Source

_YEARS = range(1990, 2200)  # a clock that was never set says 1904 or 1970


@dataclass(frozen=True)
class Picture:
    """One frame of footage.

    Attributes:
        index: Its number among all frames of the source, picked or not, from 0.
        seconds: Since what a player calls second 0; later than that of the picture before.
        pixels: (H, W, 3) uint8 RGB, as a player shows it.
    """

    index: int
    seconds: float
    pixels: np.ndarray


class FootageReader:
    """Open footage; a context manager and an iterator over its pictures, once.

    Data that cannot be decoded is passed over. Frames beyond ``max_fps`` are decoded, for others
    rest upon them, but not converted.

    Args:
        source: What to open.
        max_fps: Pictures per second at most.
        timeouts: After what a camera is given up; None takes the usual. Files have no limit.
        size: Width and height that pictures are scaled to; None takes the first one's.

    Attributes:
        fps: Pictures per second that iteration yields.
        size: Their width and height, px; those of the first one, even where the source changes.
        duration_seconds: As the header says; None where it does not, and for a live source.
        recorded_at: When the recording was made, as its header says; without time zone where it
            tells none, None where it tells nothing.

    Raises:
        VideoError: It cannot be opened, or not one frame can be decoded.
    """

    def __init__(
        self,
        source: Source,
        *,
        max_fps: float,
        timeouts: Timeouts | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._source = source
        timeouts = timeouts or Timeouts()
        self._container, self._stream = _open(source, timeouts)
        try:
            source_fps = frame_rate(self._stream)
            self.fps = min(source_fps, max_fps)
            self.duration_seconds = None if source.is_live else duration_seconds(self._container)
            self.recorded_at = _recorded_at(self._container)
            start = None if source.is_live else start_seconds(self._container)
            self._clock = Clock(source_fps, start, self.duration_seconds)
            self._pace = _Pace(source_fps, max_fps)
            limit = None if source.kind == "file" else timeouts.silent_seconds
            self._decoder = FrameDecoder(self._container, self._stream, limit)
            self._frames = iter(self._decoder)
            self._first = next(self._frames, None)
            if self._first is None:
                cause = f" ({'; '.join(self.damage)})" if self.damage else ""
                raise VideoError(f"{source.shown}: holds no decodable frame{cause}")
            self._display = Display(self._first)
            self.size = size or self._shown_size(self._first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> "FootageReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the source back; only while nobody iterates."""
        self._first = None
        self._frames.close()
        self._container.close()

    def __iter__(self) -> Iterator[Picture]:
        frame, self._first = self._first, None
        index = 0
        while frame is not None:
            seconds = self._clock(frame.time)
            if self._pace.takes(seconds):
                yield Picture(index, seconds, self._to_picture(frame))
            index += 1
            frame = next(self._frames, None)

    @property
    def damage(self) -> list[str]:
        """What could not be read, one line each; complete once iteration has ended."""
        return self._decoder.damage

    @property
    def notes(self) -> list[str]:
        """Damage, and gaps of the recording."""
        return [*self.damage, *self._clock.notes]

    def _shown_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        width, height = square_size(frame.width, frame.height, pixel_aspect(self._stream))
        return (height, width) if self._display.is_sideways else (width, height)

    def _to_picture(self, frame: av.VideoFrame) -> np.ndarray:
        width, height = self.size
        stored = (height, width) if self._display.is_sideways else (width, height)
        try:
            return np.ascontiguousarray(self._display.to_picture(frame, stored))
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(
                f"{self._source.shown}: its frames cannot be converted to RGB ({reason(error)}); "
                "re-encode it"
            ) from None


class _Pace:
    """Picks frames evenly, ``max_fps`` of them per second or all where there are fewer."""

    def __init__(self, fps: float, max_fps: float) -> None:
        self._step = 1 / max_fps
        self._slack = 0.5 / max(fps, max_fps)  # time stamps may come a little early
        self._due = 0.0

    def takes(self, seconds: float) -> bool:
        early = self._due - self._slack
        if seconds < early - 1e-9:
            return False
        self._due = max(self._due, seconds - self._slack) + self._step
        return True


def _open(source: Source, timeouts: Timeouts) -> tuple[InputContainer, VideoStream]:
    if source.kind == "file":
        return open_file(Path(source.text))
    if source.kind == "device":
        return open_device(Path(source.text), timeouts=timeouts)
    return open_address(source.text, shown=source.shown, is_live=source.is_live, timeouts=timeouts)


def _recorded_at(container: InputContainer) -> datetime | None:
    try:
        recorded_at = datetime.fromisoformat(container.metadata["creation_time"])
    except (KeyError, ValueError):
        return None
    return recorded_at if recorded_at.year in _YEARS else None
