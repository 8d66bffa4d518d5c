"""A live source, read in a thread that never gives up."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from lilliput.errors import VideoError
from lilliput.video.container import Timeouts
from lilliput.video.source import Source
from lilliput.video.stream import FootageReader

_WAITING_FRAMES = 4  # at most, between the thread and whoever iterates
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for a live source.

    Attributes:
        timeouts: After which it is lost.
        first_wait_seconds: Before the first new attempt; every next one waits twice as long.
        longest_wait_seconds: But no longer than this.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0

    def waits(self) -> Iterator[float]:
        """Seconds before each new attempt, without end."""
        wait = self.first_wait_seconds
        while True:
            yield min(wait, self.longest_wait_seconds)
            wait = min(2 * wait, self.longest_wait_seconds)


@dataclass(frozen=True)
class LiveFormat:
    """What the first connection has told.

    Attributes:
        fps: Frames per second.
        size: Width and height of every frame, px, also after a reconnection.
    """

    fps: float
    size: tuple[int, int]


@dataclass(frozen=True)
class LivePicture:
    """One frame.

    Attributes:
        index: Its number among all that came; growing, over reconnections too.
        seconds: Since the first one came.
        received_at: When, in UTC.
        pixels: (H, W, 3) uint8 RGB.
    """

    index: int
    seconds: float
    received_at: datetime
    pixels: np.ndarray


class LiveReader:
    """Connects, reads, and connects again after every loss, until it is closed.

    Frames wait in a short queue. When whoever iterates is too slow, the oldest one is dropped.

    Args:
        source: What to read.
        max_fps: Frames per second at most.
        patience: With a source that is silent or away.
        tell: Called from the reading thread with a line about each loss and return.

    Attributes:
        num_dropped: Frames that were dropped so far.
    """

    def __init__(
        self, source: Source, max_fps: float, patience: Patience, tell: Callable[[str], None]
    ) -> None:
        self._source = source
        self._max_fps = max_fps
        self._patience = patience
        self._tell = tell
        self.num_dropped = 0
        self._queue: deque[LivePicture] = deque()
        self._changed = threading.Condition()  # guards the queue, the format and the failure
        self._format: LiveFormat | None = None
        self._failure: BaseException | None = None
        self._closed = threading.Event()
        self._num_frames = 0
        self._began = 0.0
        self._last_seconds = 0.0
        # No daemon: the interpreter may hang when it ends while FFmpeg waits for a camera.
        self._thread = threading.Thread(target=self._run, name=f"live {source.shown}")
        self._thread.start()

    @property
    def format(self) -> LiveFormat:
        """Waits for the first connection.

        Raises:
            VideoError: It was closed before there was one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._format is not None or self._closed.is_set())
            if self._format is None:
                raise self._failure or VideoError(f"{self._source.shown}: closed before a frame")
            return self._format

    def __iter__(self) -> Iterator[LivePicture]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed.is_set())
                if self._failure is not None:
                    raise self._failure
                if self._closed.is_set():
                    return
                picture = self._queue.popleft()
            yield picture

    def close(self) -> None:
        """Ends iteration at once, and the thread as soon as it notices.

        It notices at the next frame or within a pause between attempts. A thread that waits for
        a silent camera ends when its time-out is over, for FFmpeg cannot be interrupted; it is
        not waited for here, but the program ends only after it.
        """
        self._closed.set()
        with self._changed:
            self._queue.clear()
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            self._read_forever()
        except BaseException as error:
            with self._changed:
                self._failure = error
        finally:
            self._closed.set()
            with self._changed:
                self._changed.notify_all()

    def _read_forever(self) -> None:
        waits = self._patience.waits()
        lost_since: float | None = None
        while not self._closed.is_set():
            try:
                again = "back" if self._format else "reached"
                with self._connect() as reader:
                    if lost_since is not None:
                        self._tell(f"{again} after {time.monotonic() - lost_since:.1f} s")
                        lost_since = None
                    waits = self._patience.waits()
                    self._read(reader)
                    cause = "; ".join(reader.damage) or "the stream ended"
            except VideoError as error:
                cause = str(error).removeprefix(f"{self._source.shown}: ")
            if self._closed.is_set():
                return
            if lost_since is None:
                lost_since = time.monotonic()
                away = "lost" if self._format else "not reached"
                self._tell(f"{away}: {cause}; trying again until it is there")
            self._closed.wait(next(waits))

    def _connect(self) -> FootageReader:
        reader = FootageReader(
            self._source,
            max_fps=self._max_fps,
            timeouts=self._patience.timeouts,
            size=self._format.size if self._format else None,
        )
        with self._changed:
            if self._format is None:
                self._began = time.monotonic()
                self._format = LiveFormat(reader.fps, reader.size)
                self._changed.notify_all()
        return reader

    def _read(self, reader: FootageReader) -> None:
        first = self._num_frames
        for picture in reader:
            self._num_frames = first + picture.index + 1
            # Frames that come at once, after a stall, still follow each other.
            seconds = max(time.monotonic() - self._began, self._last_seconds + 1e-3)
            self._last_seconds = seconds
            self._put(
                LivePicture(first + picture.index, seconds, datetime.now(UTC), picture.pixels)
            )
            if self._closed.is_set():
                return

    def _put(self, picture: LivePicture) -> None:
        with self._changed:
            if len(self._queue) == _WAITING_FRAMES:
                self._queue.popleft()
                self.num_dropped += 1
            self._queue.append(picture)
            self._changed.notify_all()
