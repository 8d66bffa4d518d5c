"""From scenes to what the recogniser sees: overlapping windows of every track's square crop.

The last window's worth of frames is kept, once for all tracks. A window takes one square for all
its frames, around everywhere the actor was in it, as TinyVIRAT's clips do: the actor moves within
a still picture.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch

from lilliput.inference.recognizer import Recognizer
from lilliput.inference.windows import SourceFrame, in_batches
from lilliput.watch.crops import cut, square_around
from lilliput.watch.events import WindowScores
from lilliput.watch.scene import Box, Frame, Scene
from lilliput.watch.tracking import COAST_SECONDS

_SLACK = 1e-6  # seconds
_SHORTEST = 0.25  # of a window: a track that lasted less is not recognised


@dataclass(frozen=True)
class TrackWindow:
    """A stretch of one track.

    Attributes:
        track: The actor.
        start_seconds: Where it begins.
        end_seconds: Where it ends.
        frames: Its frames, in order.
        square: What is cut out of each; None takes the whole picture.
        sources: The same, cut out, as the recogniser takes them.
    """

    track: int
    start_seconds: float
    end_seconds: float
    frames: tuple[Frame, ...]
    square: Box | None
    sources: tuple[SourceFrame, ...]

    def crops(self) -> list[np.ndarray]:
        """(S, S, 3) uint8 RGB of each frame."""
        return [_cut(frame, self.square) for frame in self.frames]


@dataclass(frozen=True)
class Cut:
    """What one more scene has brought.

    Attributes:
        scene: The scene; None after the last one.
        windows: Windows that are complete.
        ended: Tracks that are over, with the moment they were last seen; their last windows came
            before or now.
    """

    scene: Scene | None
    windows: tuple[TrackWindow, ...]
    ended: dict[int, float] = field(default_factory=dict)


@dataclass
class _Track:
    """A track whose windows are being cut."""

    start: float
    next_end: float  # of the next window
    seen_end: float = 0.0  # of the last one
    last_seen: float = 0.0
    boxes: deque[tuple[float, Box]] = field(default_factory=deque)


class WindowCutter:
    """Cuts the windows of all tracks of a footage.

    Args:
        window_seconds: Length of a window.
        hop_seconds: From one window's start to the next one's.
        context: Side of a square, in sides of what it is around.
        frame_seconds: How long a frame is shown.
    """

    def __init__(
        self, window_seconds: float, hop_seconds: float, context: float, frame_seconds: float
    ) -> None:
        self._length = max(window_seconds, frame_seconds)  # one frame at least
        self._hop = hop_seconds
        self._context = context
        self._frame = frame_seconds
        self._frames: deque[tuple[Frame, SourceFrame]] = deque()
        self._tracks: dict[int, _Track] = {}

    def __call__(self, scenes: Iterable[Scene]) -> Iterator[Cut]:
        """One ``Cut`` for each scene and one after the last."""
        for scene in scenes:
            yield self._add(scene)
        ended = {number: self._end_of(track) for number, track in self._tracks.items()}
        yield Cut(None, tuple(w for number in ended for w in self._last(number)), ended)

    def _add(self, scene: Scene) -> Cut:
        now = scene.frame.seconds
        present = {tracked.track for tracked in scene.tracks}
        gone = {
            number: self._end_of(track)
            for number, track in self._tracks.items()
            if number not in present
        }
        windows = [window for number in gone for window in self._last(number)]
        for number in gone:
            del self._tracks[number]
        self._frames.append((scene.frame, _source(scene.frame, None)))
        oldest = now - self._length - COAST_SECONDS - _SLACK  # whoever is gone was seen before
        while self._frames[0][0].seconds < oldest:
            self._frames.popleft()
        for tracked in scene.tracks:
            track = self._tracks.setdefault(tracked.track, _Track(now, now + self._length))
            if not tracked.is_seen:
                continue
            track.last_seen = now
            track.boxes.append((now, tracked.box))
            while track.boxes[0][0] < oldest:
                track.boxes.popleft()
            if now + self._frame >= track.next_end - _SLACK:
                windows.append(self._window(tracked.track, now + self._frame - self._length))
                track.seen_end = now + self._frame
                track.next_end = max(track.next_end + self._hop, now + self._frame + _SLACK)
        return Cut(scene, tuple(windows), gone)

    def _last(self, number: int) -> list[TrackWindow]:
        """The window that ends with the track, where something is left to be seen."""
        track = self._tracks[number]
        end = self._end_of(track)
        unseen = end - max(track.seen_end, track.start)
        if unseen <= _SLACK or (track.seen_end == 0 and unseen < _SHORTEST * self._length - _SLACK):
            return []
        return [self._window(number, max(track.start, end - self._length))]

    def _window(self, number: int, start: float) -> TrackWindow:
        track = self._tracks[number]
        end = self._end_of(track)
        kept = [
            pair
            for pair in self._frames
            if start - _SLACK <= pair[0].seconds <= track.last_seen + _SLACK
        ]
        start = max(start, track.start)
        boxes = [box for seconds, box in track.boxes if seconds >= start - _SLACK]
        height, width = kept[0][0].pixels.shape[:2]
        hull = reduce(Box.union, boxes)
        frames = tuple(frame for frame, _ in kept)
        if hull.width >= width and hull.height >= height:
            return TrackWindow(number, start, end, frames, None, tuple(s for _, s in kept))
        square = square_around(hull, self._context, (width, height))
        sources = tuple(_source(frame, square) for frame in frames)
        return TrackWindow(number, start, end, frames, square, sources)

    def _end_of(self, track: _Track) -> float:
        return track.last_seen + self._frame


def recognise(
    cuts: Iterable[Cut], recognizer: Recognizer
) -> Iterator[tuple[Cut, tuple[WindowScores, ...]]]:
    """Scores the windows that came due together in one batch, or as many as the engine likes."""
    for made in cuts:
        scores: list[WindowScores] = []
        for batch in in_batches(made.windows, recognizer.windows_at_once):
            rows = recognizer.score_windows([window.sources for window in batch])
            scores += [
                WindowScores(window.track, window.start_seconds, window.end_seconds, row)
                for window, row in zip(batch, rows, strict=True)
            ]
        yield made, tuple(scores)


def _source(frame: Frame, square: Box | None) -> SourceFrame:
    return SourceFrame(
        lambda: torch.from_numpy(np.ascontiguousarray(_cut(frame, square).transpose(2, 0, 1)))
    )


def _cut(frame: Frame, square: Box | None) -> np.ndarray:
    return frame.pixels if square is None else cut(frame.pixels, square)
