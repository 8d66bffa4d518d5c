"""When a frame is shown, by its time stamp, and what is shown at a steady rate."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import av
from av.container import InputContainer
from av.video.stream import VideoStream

Item = TypeVar("Item")

_DEFAULT_FPS = 30.0
_MOST_FPS = 1000.0
_LONGEST_STEP = 60.0  # seconds; a stamp that leaps further is wrong, where no length is known
_LONGEST_GAP = 12 * 3600.0  # seconds; the counter of MPEG-TS, set back, seems to leap by 26 hours
LONGEST_HOLD = 2.0  # seconds; a picture that stands longer is a gap of the recording


def frame_rate(stream: VideoStream) -> float:
    """Pictures per second while they come evenly; 30 where the stream tells nothing sensible.

    The average would be too low for a recorder that writes only when something moves, and too
    high where frames are empty.
    """
    for rate in (stream.guessed_rate, stream.average_rate):
        if rate is not None and 0 < rate <= _MOST_FPS:
            return float(rate)
    return _DEFAULT_FPS


def average_rate(stream: VideoStream) -> float:
    """Pictures per second over the whole length, as the file claims; else ``frame_rate``."""
    rate = stream.average_rate
    return float(rate) if rate is not None and 0 < rate <= _MOST_FPS else frame_rate(stream)


def start_seconds(container: InputContainer) -> float | None:
    """The stamp of what a player calls second 0; None where the file does not tell it."""
    return None if container.start_time is None else container.start_time / av.time_base


def duration_seconds(container: InputContainer) -> float | None:
    """How long a recording is, as its header says; None where it does not."""
    if container.duration is None or container.duration <= 0:
        return None
    return container.duration / av.time_base


class Clock:
    """Seconds since a recording's beginning that always grow, whatever the time stamps do.

    Args:
        fps: Pictures per second, for frames without a stamp that makes sense.
        start: The stamp of second 0; None takes the first frame's.
        duration: Length of the recording, seconds: no stamp leaps beyond it, nor by half a day.
            None where it is not known, and then a leap of more than a minute is wrong.
    """

    def __init__(
        self, fps: float, start: float | None = None, duration: float | None = None
    ) -> None:
        self._usual_step = 1 / fps
        self._start = start
        self._duration = duration
        self._stamp: float | None = None
        self._seconds: float | None = None
        self._longest_gap = (0.0, 0.0)  # its length and its beginning, seconds
        self._num_gaps = 0

    def __call__(self, stamp: float | None) -> float:
        """The seconds of the next frame, by its time stamp or None."""
        if self._seconds is None:
            late = 0.0 if stamp is None or self._start is None else stamp - self._start
            self._seconds = late if late > 0 and self._is_within(late, late) else 0.0
        else:
            step = self._usual_step
            if stamp is not None and self._stamp is not None:
                told = stamp - self._stamp
                step = told if told > 0 and self._is_within(told, self._seconds + told) else step
            if step > max(LONGEST_HOLD, 2 * self._usual_step):
                self._num_gaps += 1
                self._longest_gap = max(self._longest_gap, (step, self._seconds))
            self._seconds += step
        self._stamp = stamp
        return self._seconds

    @property
    def notes(self) -> list[str]:
        """One line about gaps, if there were any."""
        if not self._num_gaps:
            return []
        length, begin = self._longest_gap
        if self._num_gaps == 1:
            return [f"no pictures from {begin:.1f} to {begin + length:.1f} s"]
        return [
            f"{self._num_gaps} gaps without pictures, the longest {length:.1f} s at {begin:.1f} s"
        ]

    def _is_within(self, step: float, seconds: float) -> bool:
        if step <= max(_LONGEST_STEP, 2 * self._usual_step):
            return True
        if self._duration is None or step > _LONGEST_GAP:
            return False
        return seconds <= self._duration + 1


def steady(
    frames: Iterable[Item], fps: float, seconds_of: Callable[[Item], float]
) -> Iterator[tuple[int, Item]]:
    """What a player shows at each of the times 0, 1/fps, 2/fps and so on.

    A picture that stands for long is repeated, for at most ``LONGEST_HOLD`` seconds: the rest of
    a gap has no picture. Of several within one step, the last is shown.

    Yields:
        The number of the step, which leaps at a gap, and the picture. Where frames come evenly,
        each of them once.
    """
    most = max(1, round(LONGEST_HOLD * fps))
    shown: Item | None = None
    number = first = 0
    last_step = 1
    began = 0.0  # seconds of the frame from which steps are counted
    for frame in frames:
        seconds = seconds_of(frame)
        if shown is None:
            number = first = round(seconds * fps)
            began = seconds
        else:
            following = first + round((seconds - began) * fps)
            for held in range(min(following - number, most)):
                yield number + held, shown
            if following - number > most:
                first, began = following, seconds
            last_step = min(max(1, following - number), most)
            number = following
        shown = frame
    if shown is not None:
        for held in range(last_step):
            yield number + held, shown
