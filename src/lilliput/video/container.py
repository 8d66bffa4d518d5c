"""Opening what holds video, and turning its pictures into RGB: shared by clips and footage."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from lilliput.errors import VideoError

_FIRST_PIXELS_FOR_THREADS = 640 * 480  # more threads slow smaller pictures down
_DEFAULT_FPS = 30.0
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
        # Playlists may name other files and addresses: only plain files are opened.
        container = av.open(str(path), options={"protocol_whitelist": "file"})
    except (av.FFmpegError, ValueError, OSError) as error:
        raise VideoError(f"{path}: not a readable video ({reason(error)})") from None
    return container, _picture_of(container, str(path))


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


def frame_rate(stream: VideoStream) -> float:
    """Frames per second that a stream claims, 30 when it claims nothing sensible."""
    rate = stream.average_rate
    return float(rate) if rate is not None and 0 < rate <= 1000 else _DEFAULT_FPS


def to_picture(
    frame: av.VideoFrame, reformatter: VideoReformatter, size: tuple[int, int]
) -> np.ndarray:
    """One frame as RGB, upright.

    Args:
        frame: As decoded.
        reformatter: One for all frames of a stream: a new scaler per frame costs five times.
        size: Width and height to scale it to, before it is turned upright. Every frame takes
            the first one's, so that a stream which changes size stays one.

    Shape:
        - Output: ``(H, W, 3)`` uint8
    """
    same = (frame.width, frame.height) == size
    small = frame.width * frame.height < _FIRST_PIXELS_FOR_THREADS
    picture = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgb24",
        interpolation=Interpolation.BILINEAR if same else Interpolation.AREA,
        threads=1 if small else None,  # starting threads takes longer than decoding a small clip
    ).to_ndarray()
    return np.rot90(picture, quarter_turns(frame))


def quarter_turns(frame: av.VideoFrame) -> int:
    """Counter-clockwise turns that bring it upright; phones record sideways and say so."""
    return round(frame.rotation / 90) % 4


def reason(error: BaseException) -> str:
    """FFmpeg's words, in one line and without the address that they were about."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]


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
    streams = container.streams.video
    # FFmpeg renders text files as terminal video; nobody means that.
    if not streams or container.format.name == "tty":
        container.close()
        raise VideoError(f"{shown}: has no video stream; give a video file")
    context = streams[0].codec_context
    if context is None:
        container.close()
        raise VideoError(f"{shown}: its codec is not known; re-encode it, as H.264 say")
    if context.width * context.height > _MAX_FRAME_PIXELS:
        size = f"{context.width}x{context.height}"
        container.close()
        raise VideoError(f"{shown}: its pictures of {size} px exceed 8K; scale it down")
    if context.width * context.height < _FIRST_PIXELS_FOR_THREADS:
        context.thread_count = 1
    context.options = {"max_pixels": str(_MAX_FRAME_PIXELS)}
    return streams[0]
