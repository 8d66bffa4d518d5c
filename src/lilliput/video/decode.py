"""Reading clips: small videos, decoded as a whole. Footage is read by stream.py.

Frames leave here as a player shows them, as RGB, (C, H, W) uint8. Frames whose short side exceeds
``MAX_SHORT_SIDE``, or that have more than ``MAX_PIXELS``, are scaled down while they are
converted, so that a 4K source costs no more memory than a small one; low-resolution clips pass
untouched.

Time is taken from the time stamps: a clip is the pictures that a player shows at a steady rate, so
that a frame which stands for long counts for long. Every frame of a clip must be decoded, for a
file may declare more frames than it holds; but only the picked ones are converted:
``decode_video(path)[picks]``, or ``iter_steady`` and ``to_rgb`` for long videos.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch

from lilliput.errors import VideoError
from lilliput.video.clock import (
    Clock,
    average_rate,
    duration_seconds,
    frame_rate,
    start_seconds,
    steady,
)
from lilliput.video.container import open_file
from lilliput.video.display import Display, pixel_aspect, square_size
from lilliput.video.packets import FrameDecoder, reason
from lilliput.video.part import Part

MAX_SHORT_SIDE = 320  # px; the largest input size (224) times the widest scale (10/7)
MAX_PIXELS = 4 * MAX_SHORT_SIDE**2  # of pictures more than four times as long as wide
MAX_CLIP_BYTES = 2**30  # decoded; a labelled "clip" above this is footage that wants cutting
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".gif"}
)


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a file says.

    Attributes:
        width: Stored width, px; a sideways phone video is stored sideways.
        height: Stored height, px.
        num_frames: Frames the container claims; counted where it does not say.
        fps: Frames per second in the mean, 30 where the file claims nothing sensible.
    """

    width: int
    height: int
    num_frames: int
    fps: float


class LazyFrame:
    """A decoded frame, converted to RGB when it is first asked for.

    Attributes:
        seconds: When it is shown, since the beginning of the file.
        size: Width and height that the whole picture will have before it is turned, px.
    """

    __slots__ = ("_display", "_frame", "_part", "_rgb", "path", "seconds", "size")

    def __init__(
        self,
        frame: av.VideoFrame,
        seconds: float,
        display: Display,
        size: tuple[int, int],
        path: Path,
        part: Part | None = None,
    ) -> None:
        self._frame: av.VideoFrame | None = frame
        self._display = display
        self._rgb: np.ndarray | None = None
        self._part = part
        self.seconds = seconds
        self.size = size
        self.path = path

    def to_rgb(self) -> np.ndarray:
        """(3, H, W) uint8; the same array every time.

        Raises:
            VideoError: The pixel format is one that cannot be converted.
        """
        if self._rgb is None and self._frame is not None:
            try:
                rgb = _to_array(self._frame, self._display, self.size)
                self._rgb = rgb if self._part is None else self._part.crop(rgb)
            except (av.FFmpegError, ValueError) as error:
                raise VideoError(
                    f"{self.path}: its frames cannot be converted to RGB ({reason(error)}); "
                    "re-encode it"
                ) from None
            self._frame = None  # its picture goes back to the decoder
        assert self._rgb is not None
        return self._rgb

    @property
    def num_bytes(self) -> int:
        """What it takes once it is converted."""
        return 3 * self.size[0] * self.size[1]

    @property
    def is_scaled(self) -> bool:
        """Whether converting shrinks it, so that it takes less memory converted."""
        frame = self._frame
        return frame is not None and frame.width * frame.height > self.num_pixels

    @property
    def num_pixels(self) -> int:
        """Pixels that it has, converted."""
        width, height = self.size if self._part is None else self._part.crop_size(*self.size)
        return width * height


class DecodedVideo:
    """A whole clip, decoded; ``video[picks]`` converts the picked frames, ``video[:]`` all.

    Attributes:
        fps: Its steady rate; 30 where the file claims nothing sensible.
        damage: None, or what could not be read.

    Shape:
        - ``video[picks]``: ``(len(picks), 3, H, W)`` uint8
    """

    def __init__(self, frames: Sequence[LazyFrame], fps: float, damage: str | None) -> None:
        self._frames = frames
        self.fps = fps
        self.damage = damage

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, picks: np.ndarray | slice) -> torch.Tensor:
        positions = np.arange(len(self))[picks].tolist()
        return torch.from_numpy(np.stack([self._frames[i].to_rgb() for i in positions]))


class VideoReader:
    """One open video file; a context manager and an iterator over its frames.

    Args:
        path: The file.
        part: Which part of it is read; None reads all.
        full_size: Whether pictures larger than ``MAX_SHORT_SIDE`` are left as they are.

    Attributes:
        fps: Frames per second while they come evenly; 30 where the file claims nothing sensible.
        average_fps: Frames per second over its whole length, as the file claims.

    Raises:
        VideoError: The file is missing, empty, no video, or not one frame can be decoded.
    """

    def __init__(
        self, path: Path | str, part: Part | None = None, *, full_size: bool = False
    ) -> None:
        self.path = Path(path)
        self._part = part
        self._full_size = full_size
        self._container, self._stream = open_file(self.path)
        self._decoder = FrameDecoder(self._container, self._stream)
        self.fps = frame_rate(self._stream)
        self.average_fps = average_rate(self._stream)
        start, duration = start_seconds(self._container), duration_seconds(self._container)
        self._clock = Clock(self.fps, start, duration)

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def damage(self) -> str | None:
        """What could not be read, beside at least one good frame; set once iteration has ended."""
        return "; ".join(self._decoder.damage) or None

    @property
    def notes(self) -> list[str]:
        """Damage, and gaps of the recording, one line each; complete once iteration has ended."""
        return [*self._decoder.damage, *self._clock.notes]

    @property
    def declared_frames(self) -> int:
        """Frames the container claims to hold, or about those of the part; 0 if it does not say."""
        if self._part is None:
            return self._stream.frames
        duration = self._container.duration
        seconds = None if duration is None else duration / av.time_base
        return self._part.num_frames(seconds, self.average_fps)

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in the file or of the part, px, before any scaling or turning."""
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        return (width, height) if self._part is None else self._part.crop_size(width, height)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields every frame once, (3, H, W) uint8; passes over what cannot be decoded."""
        return (frame.to_rgb() for frame in self.iter_lazy())

    def iter_steady(self, fps: float) -> Iterator[tuple[int, LazyFrame]]:
        """Yields what is shown at a steady rate, and at which step, by ``steady``."""
        return steady(self.iter_lazy(), fps, lambda frame: frame.seconds)

    def iter_lazy(self) -> Iterator[LazyFrame]:
        """Yields every frame once, not converted yet; passes over what cannot be decoded."""
        aspect = pixel_aspect(self._stream)
        size: tuple[int, int] | None = None
        display: Display | None = None
        for frame in self._decode():
            seconds = self._clock(frame.time)
            if self._part is not None and not self._part.holds(seconds, self.fps):
                if seconds < self._part.start_seconds:
                    continue
                break
            square = square_size(frame.width, frame.height, aspect)
            size = size or self._target_size(*square)
            display = display or Display(frame)
            yield LazyFrame(frame, seconds, display, size, self.path, self._part)
        if size is None:
            cause = f" ({self.damage})" if self.damage else ""
            if self._part is not None:
                span = f"from {self._part.start_seconds:g} s to {self._part.end_seconds:g} s"
                raise VideoError(f"{self.path}: has no frame {span}{cause}; check the times")
            raise VideoError(f"{self.path}: holds no decodable frame{cause}; record it again")

    def _decode(self) -> Iterator[av.VideoFrame]:
        """From the key frame before the part, if it is one."""
        if self._part is not None and self._part.start_seconds > 0:
            begin = (start_seconds(self._container) or 0.0) + self._part.start_seconds
            self._container.seek(round(begin * av.time_base))
        return iter(self._decoder)

    def _target_size(self, width: int, height: int) -> tuple[int, int]:
        shown = (width, height) if self._part is None else self._part.crop_size(width, height)
        smaller = min(1.0, MAX_SHORT_SIDE / min(shown), math.sqrt(MAX_PIXELS / math.prod(shown)))
        shrink = 1.0 if self._full_size else smaller
        return max(1, round(width * shrink)), max(1, round(height * shrink))


def probe(path: Path | str, part: Part | None = None) -> VideoInfo:
    """Reads size and length of a video or of a part, from the header alone where that says them.

    Raises:
        VideoError: The file cannot be opened, or does not say its length and has no frames.
    """
    with VideoReader(path, part) as reader:
        num_frames = reader.declared_frames or sum(1 for _ in reader.iter_lazy())
        width, height = reader.stored_size
        return VideoInfo(width, height, num_frames, reader.average_fps)


def decode_video(path: Path | str, part: Part | None = None) -> DecodedVideo:
    """Decodes a whole clip, or a part of a video; frames are converted to RGB as they are picked.

    Raises:
        VideoError: Nothing can be decoded, or it is footage rather than a clip.
    """
    frames: list[LazyFrame] = []
    with VideoReader(path, part) as reader:
        for _, frame in reader.iter_steady(reader.fps):
            if frame.is_scaled:
                frame.to_rgb()
            frames.append(frame)
            check_clip_length(path, len(frames), frame.num_bytes)
        return DecodedVideo(frames, reader.fps, reader.damage)


def check_clip_length(path: Path | str, num_frames: int, frame_bytes: int) -> None:
    """Refuses what is footage rather than a clip.

    Raises:
        VideoError: So many frames of this size exceed ``MAX_CLIP_BYTES``.
    """
    if num_frames * frame_bytes > MAX_CLIP_BYTES:
        raise VideoError(f"{path}: too long for a clip ({num_frames}+ frames); cut it up")


def _to_array(frame: av.VideoFrame, display: Display, size: tuple[int, int]) -> np.ndarray:
    return np.ascontiguousarray(display.to_picture(frame, size).transpose(2, 0, 1))
