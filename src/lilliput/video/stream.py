"""Footage: untrimmed video of any length, read frame by frame at its full size."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from lilliput.errors import VideoError
from lilliput.video.container import (
    Timeouts,
    frame_rate,
    open_address,
    open_device,
    open_file,
    quarter_turns,
    reason,
    to_picture,
)
from lilliput.video.source import Source

_LONGEST_STEP = 60.0  # seconds between frames; a time stamp that leaps further is wrong
_YEARS = range(1990, 2200)  # a clock that was never set says 1904 or 1970


@dataclass(frozen=True)
class Picture:
    """One frame of footage.

    Attributes:
        index: Its number among all frames of the source, picked or not, from 0.
        seconds: Since the first frame; later than that of the picture before.
        pixels: (H, W, 3) uint8 RGB, upright.
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
        damage: What could not be read; complete once iteration has ended.

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
        self.damage: list[str] = []
        self._source = source
        timeouts = timeouts or Timeouts()
        self._silent_seconds = timeouts.silent_seconds
        self._container, self._stream = _open(source, timeouts)
        try:
            source_fps = frame_rate(self._stream)
            self.fps = min(source_fps, max_fps)
            self.duration_seconds = _duration(self._container, source)
            self.recorded_at = _recorded_at(self._container)
            self._clock = Clock(source_fps)
            self._pace = _Pace(source_fps, max_fps)
            self._reformatter = VideoReformatter()
            self._frames = self._decode()
            self._first = next(self._frames, None)
            if self._first is None:
                cause = f" ({'; '.join(self.damage)})" if self.damage else ""
                raise VideoError(f"{source.shown}: holds no decodable frame{cause}")
            self.size = size or _upright_size(self._first)
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

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """All frames; what goes wrong is noted down in ``damage``."""
        num_frames = num_lost = 0
        cause = ""
        try:
            for packet in self._packets():
                try:
                    frames = packet.decode()
                except av.InvalidDataError as error:
                    num_lost, cause = num_lost + 1, reason(error)
                    continue
                for frame in frames:
                    num_frames += 1
                    yield frame
            if self._source.is_live:
                self.damage.append("the stream ended")
        except (av.ExitError, TimeoutError):
            self.damage.append(f"silent for {self._silent_seconds:g} s")
        except (av.FFmpegError, ValueError) as error:
            self.damage.append(f"unreadable after frame {num_frames} ({reason(error)})")
        if num_lost:
            self.damage.append(f"packets that could not be decoded: {num_lost} ({cause})")
        if not self.damage and num_frames < self._stream.frames:
            self.damage.append(f"only {num_frames} of {self._stream.frames} frames are decodable")

    def _packets(self) -> Iterator["av.Packet[VideoStream]"]:
        asked_at = time.monotonic()
        for packet in self._container.demux(self._stream):
            # FFmpeg, interrupted, gives out what it holds and would wait once more.
            if self._source.kind != "file" and time.monotonic() - asked_at > self._silent_seconds:
                raise TimeoutError
            yield packet
            asked_at = time.monotonic()

    def _to_picture(self, frame: av.VideoFrame) -> np.ndarray:
        width, height = self.size
        stored = (height, width) if quarter_turns(frame) % 2 else (width, height)
        try:
            return np.ascontiguousarray(to_picture(frame, self._reformatter, stored))
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(
                f"{self._source.shown}: its frames cannot be converted to RGB ({reason(error)}); "
                "re-encode it"
            ) from None


class Clock:
    """Seconds since the first frame that always grow, whatever the time stamps do."""

    def __init__(self, fps: float) -> None:
        self._usual_step = 1 / fps
        self._stamp: float | None = None
        self._seconds: float | None = None

    def __call__(self, stamp: float | None) -> float:
        """The seconds of the next frame, by its time stamp or None."""
        if self._seconds is None:
            self._seconds = 0.0
        else:
            step = self._usual_step
            if stamp is not None and self._stamp is not None:
                told = stamp - self._stamp
                step = told if 0 < told <= max(_LONGEST_STEP, 2 * step) else step
            self._seconds += step
        self._stamp = stamp
        return self._seconds


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


def _upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    if quarter_turns(frame) % 2:
        return frame.height, frame.width
    return frame.width, frame.height


def _duration(container: InputContainer, source: Source) -> float | None:
    if source.is_live or container.duration is None or container.duration <= 0:
        return None
    return container.duration / av.time_base


def _recorded_at(container: InputContainer) -> datetime | None:
    try:
        recorded_at = datetime.fromisoformat(container.metadata["creation_time"])
    except (KeyError, ValueError):
        return None
    return recorded_at if recorded_at.year in _YEARS else None
