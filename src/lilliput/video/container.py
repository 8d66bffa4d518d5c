"""Opening what holds video: shared by clips and footage."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from lilliput.errors import VideoError
from lilliput.video.display import SMALL_PIXELS
from lilliput.video.packets import reason

_MAX_FRAME_PIXELS = 7680 * 4320  # 8K; a stream may grow without its header saying so
# What an address may lead to: never a file of this machine, whatever a playlist says.
_PROTOCOLS = {
    "rtsp": "rtsp,tcp,udp,rtp",
    "rtsps": "rtsp,rtsps,tls,tcp,udp,rtp,srtp,crypto",
    "http": "http,https,tcp,tls,crypto,httpproxy",
    "https": "http,https,tcp,tls,crypto,httpproxy",
}
SCHEMES = tuple(_PROTOCOLS)


@dataclass(frozen=True)
class Timeouts:
    """After what a camera is given up.

    Attributes:
        opening_seconds: For each of two steps: an answer, and enough frames to know its rate.
        silent_seconds: Without a frame, later.
    """

    opening_seconds: float = 5.0
    silent_seconds: float = 10.0


def open_file(path: Path) -> tuple[InputContainer, VideoStream]:
    """Opens a video file and finds its picture.

    Raises:
        VideoError: The file is missing, empty or no video.
    """
    if not path.exists():
        raise VideoError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise VideoError(f"{path}: a device or a folder without videos; give a video file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or record it again")
    try:
        container = _open_path(path)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise VideoError(f"{path}: not a readable video ({reason(error)})") from None
    return container, _picture_of(container, str(path))


def _open_path(path: Path) -> InputContainer:
    """Opens a file under its own name; ``12:30.mp4`` is no address.

    Playlists may name other files and addresses: only plain files are opened.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8, for which PyAV has no string
        descriptor = os.open(path, os.O_RDONLY)
        try:
            options = {"protocol_whitelist": "fd", "fd": str(descriptor)}
            return av.open("fd:", options=options)  # FFmpeg takes a copy of it
        finally:
            os.close(descriptor)
    return av.open(f"file:{name}", options={"protocol_whitelist": "file"})


def open_address(
    address: str, *, shown: str, is_live: bool, timeouts: Timeouts
) -> tuple[InputContainer, VideoStream]:
    """Opens a camera on the network, by one of ``SCHEMES``.

    Args:
        address: Where; it may hold a password.
        shown: How errors name it.
        is_live: Whether frames that come while it is being opened are old news.
        timeouts: Now and later.

    Raises:
        VideoError: It does not answer, or it sends no video.
    """
    scheme = address.partition(":")[0].lower()
    options = {"protocol_whitelist": _PROTOCOLS[scheme]}
    if scheme.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # lost UDP packets would smear the picture
    if is_live:
        options["fflags"] = "nobuffer"
    return _open(address, None, options, shown, timeouts)


def open_device(path: Path, *, timeouts: Timeouts) -> tuple[InputContainer, VideoStream]:
    """Opens a camera of this machine, such as ``/dev/video0`` (Video4Linux).

    Raises:
        VideoError: It is absent, busy or no camera.
    """
    return _open(str(path), "v4l2", {}, str(path), timeouts)


def find_picture(streams: Sequence[VideoStream]) -> VideoStream | None:
    """The stream that a player shows: no cover, one marked as the default, the longest of these."""
    films = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
    marked = [stream for stream in films if stream.disposition & Disposition.default]
    return max(marked or films, key=_length, default=None)


def _length(stream: VideoStream) -> tuple[float, int]:
    """Seconds, as far as they are told, and frames."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base), stream.frames
    try:  # Matroska's tag, such as 00:01:30.500000000
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds), stream.frames
    except (KeyError, ValueError):
        return 0.0, stream.frames


def _open(
    address: str,
    container_format: str | None,
    options: dict[str, str],
    shown: str,
    timeouts: Timeouts,
) -> tuple[InputContainer, VideoStream]:
    try:
        container = av.open(
            address,
            format=container_format,
            options=options,
            timeout=(timeouts.opening_seconds, timeouts.silent_seconds),
        )
    except av.ExitError:
        raise VideoError(f"{shown}: no answer for {timeouts.opening_seconds:g} s") from None
    except (av.FFmpegError, ValueError, OSError) as error:
        raise VideoError(f"{shown}: cannot be opened ({reason(error)})") from None
    return container, _picture_of(container, shown)


def _picture_of(container: InputContainer, shown: str) -> VideoStream:
    stream = find_picture(container.streams.video)
    # FFmpeg renders text files as terminal video; nobody means that.
    if stream is None or container.format.name == "tty":
        container.close()
        raise VideoError(f"{shown}: has no video stream; give a video file")
    context = stream.codec_context
    if context is None:
        container.close()
        raise VideoError(f"{shown}: its codec is not known; re-encode it, as H.264 say")
    if context.width * context.height > _MAX_FRAME_PIXELS:
        size = f"{context.width}x{context.height}"
        container.close()
        raise VideoError(f"{shown}: its pictures of {size} px exceed 8K; scale it down")
    if context.width * context.height < SMALL_PIXELS:
        context.thread_count = 1
    context.options = {"max_pixels": str(_MAX_FRAME_PIXELS)}
    return stream
