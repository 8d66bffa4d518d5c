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
        damage: What could not be read, one line each; complete once iteration has ended.
        num_frames: Frames so far.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, silent_seconds: float | None = None
    ) -> None:
        self.damage: list[str] = []
        self.num_frames = 0
        self._container = container
        self._stream = stream
        self._silent_seconds = silent_seconds

    def __iter__(self) -> Generator[av.VideoFrame, None, None]:
        num_damaged, is_cut_off = 0, False
        cause = ""
        try:
            for packet in self._packets():
                if packet.size:
                    is_cut_off = packet.is_corrupt
                try:
                    frames = packet.decode()
                except av.InvalidDataError as error:
                    num_damaged, cause = num_damaged + 1, reason(error)
                    is_cut_off = False  # told already
                    continue
                for frame in frames:
                    self.num_frames += 1
                    yield frame
        except (av.ExitError, TimeoutError):
            self.damage.append(f"silent for {self._silent_seconds:g} s")
        except (av.FFmpegError, ValueError) as error:
            self.damage.append(f"unreadable after frame {self.num_frames} ({reason(error)})")
        read = f"{self.num_frames} frames could be read"
        if is_cut_off:  # before the end, the mark may mean no more than that streams were joined
            self.damage.append(f"the last packet is cut off; {read}")
        if num_damaged:
            packets = "1 packet is" if num_damaged == 1 else f"{num_damaged} packets are"
            self.damage.append(f"{packets} damaged ({cause}); {read}")

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
