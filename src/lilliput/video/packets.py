"""Decoding what can be decoded: one policy for clips and footage."""

import time
from collections.abc import Generator, Iterator

import av
from av.container import InputContainer
from av.video.stream import VideoStream


class FrameDecoder:
    """All frames of an open stream; data that cannot be decoded is passed over, and counted.

    A file is damaged when decoding says so, not when it holds fewer frames than its header claims:
    edit lists hide frames, and recorders write empty ones.

    Args:
        container: What is read.
        stream: Its picture.
        silent_seconds: After so long without data a camera is given up; None: a file, no limit.

    Attributes:
        num_frames: Frames so far.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, silent_seconds: float | None = None
    ) -> None:
        self.num_frames = 0
        self._num_damaged = 0
        self._cause = ""
        self._end: str | None = None  # why the rest could not be read
        self._container = container
        self._stream = stream
        self._silent_seconds = silent_seconds

    @property
    def damage(self) -> list[str]:
        """What could not be read so far, one line each."""
        read = f"{self.num_frames} frames could be read"
        lines = [] if self._end is None else [self._end]
        if self._num_damaged:
            packets = (
                "1 packet is" if self._num_damaged == 1 else f"{self._num_damaged} packets are"
            )
            lines.append(f"{packets} damaged ({self._cause}); {read}")
        return lines

    def __iter__(self) -> Generator[av.VideoFrame, None, None]:
        is_cut_off = (
            False  # before the end, the mark may mean no more than that streams were joined
        )
        try:
            for packet in self._packets():
                if packet.size:
                    is_cut_off = packet.is_corrupt
                try:
                    frames = packet.decode()
                except av.InvalidDataError as error:
                    self._num_damaged, self._cause = self._num_damaged + 1, reason(error)
                    is_cut_off = False  # told already
                    continue
                for frame in frames:
                    self.num_frames += 1
                    yield frame
            if is_cut_off:
                self._end = f"the last packet is cut off; {self.num_frames} frames could be read"
        except (av.ExitError, TimeoutError):
            self._end = f"silent for {self._silent_seconds:g} s"
        except (av.FFmpegError, ValueError) as error:
            self._end = f"unreadable after frame {self.num_frames} ({reason(error)})"

    def _packets(self) -> Iterator["av.Packet[VideoStream]"]:
        asked_at = time.monotonic()
        for packet in self._container.demux(self._stream):
            # FFmpeg, interrupted, gives out what it holds and would wait once more.
            limit = self._silent_seconds
            if limit is not None and time.monotonic() - asked_at > limit:
                raise TimeoutError
            yield packet
            asked_at = time.monotonic()


def reason(error: BaseException) -> str:
    """FFmpeg's words, in one line and without the address that they were about."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
