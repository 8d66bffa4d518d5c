"""Reading clips: small videos, decoded as a whole. Footage is read by stream.py.

Frames leave here upright, as RGB, (C, H, W) uint8. Frames whose short side exceeds
``MAX_SHORT_SIDE`` are scaled down while they are converted, so that a 4K source costs
no more memory than a small one; low-resolution clips pass untouched.

Every frame of a clip must be decoded, for a file may declare more frames than it holds; but
only the picked ones are converted: ``decode_video(path)[picks]``, or ``iter_lazy`` and ``to_rgb``
for footage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from lilliput.errors import VideoError
from lilliput.video.container import frame_rate, open_file, reason, to_picture
from lilliput.video.part import Part

MAX_SHORT_SIDE = 320  # px; the largest input size (224) times the widest scale (10/7)
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
        fps: Frames per second the file claims, 30 when it claims nothing sensible.
    """

    width: int
    height: int
    num_frames: int
    fps: float


class LazyFrame:
    """A decoded frame, converted to RGB when it is first asked for.

    Attributes:
        size: Width and height that the whole picture will have before it is turned upright, px.
        stamp: Its time in the file, seconds; None where the file has none.
    """

    __slots__ = ("_frame", "_part", "_reformatter", "_rgb", "path", "size", "stamp")

    def __init__(
        self,
        frame: av.VideoFrame,
        reformatter: VideoReformatter,
        size: tuple[int, int],
        path: Path,
        part: Part | None = None,
    ) -> None:
        self._frame: av.VideoFrame | None = frame
        self._reformatter = reformatter
        self._rgb: np.ndarray | None = None
        self._part = part
        self.size = size
        self.path = path
        self.stamp = frame.time

    def to_rgb(self) -> np.ndarray:
        """(3, H, W) uint8; the same array every time.

        Raises:
            VideoError: The pixel format is one that cannot be converted.
        """
        if self._rgb is None and self._frame is not None:
            try:
                rgb = _to_array(self._frame, self._reformatter, self.size)
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
        fps: Frames per second the file claims, 30 when it claims nothing sensible.
        damage: None, or what went wrong after the last frame that could be read.

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
        fps: Frames per second the file claims, 30 when it claims nothing sensible.
        damage: Set once iteration met undecodable data after at least one good frame.

    Raises:
        VideoError: The file is missing, empty, no video, or not one frame can be decoded.
    """

    def __init__(
        self, path: Path | str, part: Part | None = None, *, full_size: bool = False
    ) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self._part = part
        self._full_size = full_size
        self._container, self._stream = open_file(self.path)
        self.fps = frame_rate(self._stream)

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def declared_frames(self) -> int:
        """Frames the container claims to hold, or about those of the part; 0 if it does not say."""
        if self._part is None:
            return self._stream.frames
        duration = self._container.duration
        seconds = None if duration is None else duration / av.time_base
        return self._part.num_frames(seconds, self.fps)

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in the file or of the part, px, before any scaling or turning."""
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        return (width, height) if self._part is None else self._part.crop_size(width, height)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields (3, H, W) uint8 frames; stops at the first undecodable data."""
        return (frame.to_rgb() for frame in self.iter_lazy())

    def iter_lazy(self) -> Iterator[LazyFrame]:
        """Yields frames that are not converted yet; stops at the first undecodable data."""
        reformatter = VideoReformatter()  # one per file: a new scaler per frame costs five times
        count = 0
        size: tuple[int, int] | None = None
        try:
            for frame in self._decode():
                size = size or self._target_size(frame.width, frame.height)
                yield LazyFrame(frame, reformatter, size, self.path, self._part)
                count += 1
        except (av.FFmpegError, ValueError) as error:
            self.damage = f"undecodable after frame {count} ({reason(error)})"
        if count == 0:
            cause = f" ({self.damage})" if self.damage else ""
            if self._part is not None:
                span = f"from {self._part.start_seconds:g} s to {self._part.end_seconds:g} s"
                raise VideoError(f"{self.path}: has no frame {span}{cause}; check the times")
            raise VideoError(f"{self.path}: holds no decodable frame{cause}; record it again")
        if self.damage is None and self._part is None and 0 < count < self.declared_frames:
            self.damage = f"only {count} of {self.declared_frames} frames are decodable"

    def _decode(self) -> Iterator[av.VideoFrame]:
        if self._part is None:
            return self._container.decode(self._stream)
        return self._part.iter_frames(self._container, self._stream, self.fps)

    def _target_size(self, width: int, height: int) -> tuple[int, int]:
        shown = (width, height) if self._part is None else self._part.crop_size(width, height)
        shrink = 1.0 if self._full_size else min(1.0, MAX_SHORT_SIDE / min(shown))
        return max(1, round(width * shrink)), max(1, round(height * shrink))


def probe(path: Path | str, part: Part | None = None) -> VideoInfo:
    """Reads size and length of a video or of a part, from the header alone where that says them.

    Raises:
        VideoError: The file cannot be opened, or does not say its length and has no frames.
    """
    with VideoReader(path, part) as reader:
        num_frames = reader.declared_frames or sum(1 for _ in reader.iter_lazy())
        width, height = reader.stored_size
        return VideoInfo(width, height, num_frames, reader.fps)


def decode_video(path: Path | str, part: Part | None = None) -> DecodedVideo:
    """Decodes a whole clip, or a part of a video; frames are converted to RGB as they are picked.

    Raises:
        VideoError: Nothing can be decoded, or it is footage rather than a clip.
    """
    frames: list[LazyFrame] = []
    with VideoReader(path, part) as reader:
        for frame in reader.iter_lazy():
            if frame.is_scaled:
                frame.to_rgb()
            frames.append(frame)
            check_clip_length(path, len(frames), 3 * frame.num_pixels)
        return DecodedVideo(frames, reader.fps, reader.damage)


def check_clip_length(path: Path | str, num_frames: int, frame_bytes: int) -> None:
    """Refuses what is footage rather than a clip.

    Raises:
        VideoError: So many frames of this size exceed ``MAX_CLIP_BYTES``.
    """
    if num_frames * frame_bytes > MAX_CLIP_BYTES:
        raise VideoError(f"{path}: too long for a clip ({num_frames}+ frames); cut it up")


def _to_array(
    frame: av.VideoFrame, reformatter: VideoReformatter, size: tuple[int, int]
) -> np.ndarray:
    return np.ascontiguousarray(to_picture(frame, reformatter, size).transpose(2, 0, 1))
