"""Judging a file of unknown origin before anyone decodes it.

A few kilobytes can declare, and decode to, any number of pictures of any size; a playlist can
name other files. So only the demuxers of real video files are tried, and every packet is counted
without decoding it, because a header may claim anything.
"""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from lilliput.errors import VideoError
from lilliput.video.clock import Clock, duration_seconds, frame_rate
from lilliput.video.container import find_picture

# FFmpeg's names. None of them opens a second file (references inside MOV files are off).
_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,gif,ogg"
_MOST_FPS = 240  # packets for each allowed second
_PATIENCE_SECONDS = 30.0  # for the header, and for each packet
_NOT_VIDEO = "is not a video that can be read; send MP4, MKV, WebM, AVI, MOV or MPEG"


class NotVideoError(VideoError):
    """The file is no video at all."""


class TooLongError(VideoError):
    """The video lasts longer, has more frames or larger pictures than is allowed."""


@dataclass(frozen=True)
class Screened:
    """What a file holds, counted rather than believed.

    Attributes:
        width: Px, as stored.
        height: Px, as stored.
        num_frames: Packets of the video stream.
        fps: Frames per second, 30 where the file claims nothing sensible.
        duration_seconds: From the first to the end of the last frame.
    """

    width: int
    height: int
    num_frames: int
    fps: float
    duration_seconds: float


def screen_video(path: Path, max_seconds: float, max_pixels: int) -> Screened:
    """Reads through a file without decoding it.

    Args:
        path: The file; its name's suffix means nothing.
        max_seconds: Longest duration.
        max_pixels: Largest picture, width × height.

    Raises:
        NotVideoError: It is not a video of a known kind.
        TooLongError: It exceeds a limit.
        VideoError: It is empty, or has no frame.
    """
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); send it again")
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        with av.open(f"file:{path}", options=options, timeout=_PATIENCE_SECONDS) as container:
            stream = find_picture(container.streams.video)
            if stream is None or stream.codec_context is None:
                raise NotVideoError(f"{path} {_NOT_VIDEO}")
            return _screen(path, container, stream, max_seconds, max_pixels)
    except (av.FFmpegError, ValueError, OSError):
        raise NotVideoError(f"{path} {_NOT_VIDEO}") from None


def _screen(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    max_seconds: float,
    max_pixels: int,
) -> Screened:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise TooLongError(
            f"{path} has pictures of {width}x{height} px; send it scaled below {max_pixels} pixels"
        )
    fps = frame_rate(stream)
    clock = Clock(fps, duration=duration_seconds(container))
    num_frames, seconds = _count(path, container, stream, clock, max_seconds)
    if num_frames == 0 or width == 0 or height == 0:
        raise VideoError(f"{path} holds no readable frame; record it again")
    return Screened(width, height, num_frames, fps, seconds + 1 / fps)


def _count(
    path: Path, container: InputContainer, stream: VideoStream, clock: Clock, max_seconds: float
) -> tuple[int, float]:
    """Frames, and seconds between the first and the last."""
    most_frames = int(max_seconds * _MOST_FPS) + 1
    count, seconds = 0, 0.0
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue  # the flush at the end
            count += 1
            stamp, base = packet.dts, packet.time_base  # stamps of display are out of order
            seconds = clock(None if stamp is None or base is None else float(stamp * base))
            if count > most_frames or seconds > max_seconds:
                raise TooLongError(
                    f"{path} lasts longer than {max_seconds:g} seconds; send a part of it"
                )
    except av.FFmpegError:
        pass  # damage at the end: what came before it can be used
    return count, seconds
