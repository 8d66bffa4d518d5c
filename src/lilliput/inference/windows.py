"""A stream of frames in windows that overlap, each frame prepared at most once.

A frame is converted to RGB, scaled and cropped when the first window picks it; the next window
finds it ready. Frames that no window picks cost their decoding only.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import torch

from lilliput.data.loading import ClipsSampler
from lilliput.video.decode import LazyFrame
from lilliput.video.transforms import EvaluationTransform

Item = TypeVar("Item")


class SourceFrame:
    """One frame of a video.

    Args:
        read: Gives its pixels, (3, H, W) uint8; forgotten once they are prepared.

    Attributes:
        ready: (3, S, S) uint8 once it was prepared.
    """

    __slots__ = ("read", "ready")

    def __init__(self, read: Callable[[], torch.Tensor]) -> None:
        self.read = read
        self.ready: torch.Tensor | None = None

    @classmethod
    def of_video(cls, frame: LazyFrame) -> "SourceFrame":
        """A decoded one; of a large picture only what shrinks it is kept."""
        if frame.is_scaled:
            frame.to_rgb()
        return cls(lambda: torch.from_numpy(frame.to_rgb()))


class WindowClips:
    """Makes the model's clips of a window.

    Args:
        sample: Picks V lists of frame indices from a frame count and a name.
        transform: Frames to clip.
    """

    def __init__(self, sample: ClipsSampler, transform: EvaluationTransform) -> None:
        self._sample = sample
        self._transform = transform

    def __call__(self, window: Sequence[SourceFrame], name: str = "") -> torch.Tensor:
        """(V, 3, T, S, S) float; ``name`` is of the window, for draws of its own."""
        return self.make(self.pick(window, name))

    def pick(self, window: Sequence[SourceFrame], name: str = "") -> list[list[SourceFrame]]:
        """The frames of the window's V clips."""
        return [[window[index] for index in pick] for pick in self._sample(len(window), name)]

    def make(self, picks: Sequence[Sequence[SourceFrame]]) -> torch.Tensor:
        """Picked frames to clips (V, 3, T, S, S) float."""
        self.prepare(dict.fromkeys(frame for pick in picks for frame in pick))
        return torch.stack([self._transform.normalise(_stack(pick)) for pick in picks])

    def prepare(self, frames: Iterable[SourceFrame]) -> None:
        """Scales and crops what was not yet, and lets go of the whole pictures."""
        fresh = [frame for frame in frames if frame.ready is None]
        if fresh:
            ready = self._transform.resize(torch.stack([frame.read() for frame in fresh]))
            for frame, pixels in zip(fresh, ready, strict=True):
                frame.ready = pixels
                del frame.read


def cut_windows(
    pictures: Iterable[tuple[int, Item]], length: int
) -> Iterator[tuple[int, tuple[Item, ...]]]:
    """Cuts a stream of pictures into windows that overlap by half.

    The last window ends with the last picture; a stream of at most ``length`` pictures is one
    window. None reaches over a gap. At most one and a half windows are held at a time.

    Args:
        pictures: The number of its step in time, and the picture; numbers leap at a gap.
        length: Steps of a window.

    Yields:
        The step of the first picture, and the pictures.
    """
    hop = max(1, length // 2)
    window: deque[Item] = deque(maxlen=length)
    unseen = 0  # pictures that no window has shown yet
    following = 0
    for step, picture in pictures:
        if window and step != following:
            if unseen:
                yield following - len(window), tuple(window)
            window.clear()
            unseen = 0
        window.append(picture)
        following = step + 1
        unseen += 1
        if len(window) == length and (unseen >= hop):
            yield following - length, tuple(window)
            unseen = 0
    if unseen:
        yield following - len(window), tuple(window)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last one maybe shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _stack(frames: Sequence[SourceFrame]) -> torch.Tensor:
    return torch.stack([frame.ready for frame in frames if frame.ready is not None])
