"""Where the pixels of a clip come from: its file, or a pack (``packed.py``)."""

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch

from lilliput.errors import DataError
from lilliput.video.decode import VideoInfo

Fault = Literal["missing", "empty", "corrupt"]


class Frames(Protocol):
    """The frames of one clip, RGB; only those that are picked are touched.

    Shape:
        - ``frames[picks]``: ``(len(picks), 3, H, W)`` uint8; ``frames[:]`` are all
    """

    def __len__(self) -> int: ...

    def __getitem__(self, picks: np.ndarray | slice) -> torch.Tensor: ...


class PackFile:
    """The pixels of a pack, mapped into memory when a process first asks for them.

    A process that was forked shares the map of its parent; one that was spawned makes its own.

    Args:
        path: The file.
        num_bytes: How long it is.

    Raises:
        DataError: It is missing or has another length.
    """

    def __init__(self, path: Path, num_bytes: int) -> None:
        self.path = path
        self._num_bytes = num_bytes
        self._modified = self._check()
        self._pixels: np.ndarray | None = None

    @property
    def pixels(self) -> np.ndarray:
        """All bytes of the file, read-only.

        Raises:
            DataError: The pack was replaced since it was opened.
        """
        if self._pixels is None:
            if self._check() != self._modified:
                raise DataError(f"{self.path}: was replaced while in use; start again")
            with self.path.open("rb") as file:
                self._pixels = np.frombuffer(
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8
                )
        return self._pixels

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pixels": None}

    def _check(self) -> int:
        status = self.path.stat() if self.path.is_file() else None
        found = 0 if status is None else status.st_size
        if status is None or found != self._num_bytes:
            raise DataError(
                f"{self.path}: has {found} of {self._num_bytes} bytes; run `lilliput data pack` "
                "again"
            )
        return status.st_mtime_ns


@dataclass(frozen=True)
class PackedFrames:
    """The frames of one clip in a pack.

    Attributes:
        file: Where they lie.
        offset: Of their first byte.
        shape: T, channels, H, W; one channel stands for three that are equal everywhere.
        digest: SHA-256 of their bytes.
        damage: None, or what was wrong with the video after its last readable frame.

    Shape:
        - ``frames[picks]``: ``(len(picks), 3, H, W)`` uint8
    """

    file: PackFile
    offset: int
    shape: tuple[int, int, int, int]
    digest: str
    damage: str | None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, picks: np.ndarray | slice) -> torch.Tensor:
        stored = self._stored()
        # A slice is copied too: the map is not to be written into.
        picked = stored[picks].copy() if isinstance(picks, slice) else stored.take(picks, axis=0)
        return torch.from_numpy(picked if self.shape[1] == 3 else picked.repeat(3, axis=1))

    @property
    def is_intact(self) -> bool:
        """Whether the bytes are still those that were packed."""
        return digest_of(self._stored()) == self.digest

    def _stored(self) -> np.ndarray:
        count, channels, height, width = self.shape
        end = self.offset + count * channels * height * width
        return self.file.pixels[self.offset : end].reshape(self.shape)


@dataclass(frozen=True)
class PackedClip:
    """What a pack holds of one clip: everything that its file would have said.

    Attributes:
        frames: None where the file could not be read.
        info: What its header said, or None where not even that could be read.
        error: Why it could not be read, else None.
        fault: The kind of that error, else None.
        file_digest: SHA-256 of the video file, or None where it could not be read.
    """

    frames: PackedFrames | None
    info: VideoInfo | None
    error: str | None
    fault: Fault | None
    file_digest: str | None


def digest_of(pixels: np.ndarray) -> str:
    """SHA-256 of contiguous pixels, in hexadecimal digits."""
    return hashlib.sha256(pixels.data).hexdigest()


def drop_equal_channels(frames: np.ndarray) -> np.ndarray:
    """(T, 3, H, W) to (T, 1, H, W) where thermal or grey footage repeats one channel."""
    first = frames[:, :1]
    return np.ascontiguousarray(first) if (frames[:, 1:] == first).all() else frames
