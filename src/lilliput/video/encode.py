"""Writing videos; with decode.py the only door to PyAV."""

from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path | str,
    frames: np.ndarray,
    *,
    fps: float,
    crf: int = 18,
    preset: str = "medium",
) -> None:
    """Writes frames as H.264, 4:2:0; the bytes do not depend on the machine's cores.

    Args:
        path: The file; its suffix names the container.
        frames: (T, H, W, 3) uint8 RGB; H and W must be even.
        fps: Frames per second, rounded to whole ones.
        crf: Coarseness of H.264, 0 (lossless) to 51.
        preset: H.264's trade of speed for size.
    """
    with av.open(str(path), "w") as container:
        options = {"crf": str(crf), "preset": preset}
        stream = container.add_stream("libx264", round(fps), options=options)
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in np.ascontiguousarray(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
