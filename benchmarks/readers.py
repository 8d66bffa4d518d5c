"""Ways to read the 16 frames of a segment sample from one clip, as (T, 3, H, W) uint8 RGB.

Every reader is given the same random generator and so picks the same frames.
"""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from lilliput.data import Clip
from lilliput.video.sampling import random_segments

NUM_FRAMES = 16
Reader = Callable[[Path, np.random.Generator], torch.Tensor]


def read_ours(clip: Clip, rng: np.random.Generator) -> torch.Tensor:
    """From a pack or a file, whichever the clip is."""
    frames = clip.read()
    return frames[random_segments(len(frames), NUM_FRAMES, rng)]


def read_opencv(path: Path, rng: np.random.Generator) -> torch.Tensor:
    """Grabs every frame, converts only those that were picked."""
    return torch.from_numpy(np.stack(read_opencv_pictures(path, rng)).transpose(0, 3, 1, 2))


def read_opencv_pictures(path: Path, rng: np.random.Generator) -> list[np.ndarray]:
    """The same as a list of (H, W, 3) pictures."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    picks = random_segments(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), NUM_FRAMES, rng)
    wanted, pictures = set(picks.tolist()), {}
    for index in range(max(wanted) + 1):
        if not capture.grab():
            break
        if index in wanted:
            pictures[index] = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    capture.release()
    return [pictures[index] for index in picks.tolist()]


def read_pyav(path: Path, rng: np.random.Generator) -> torch.Tensor:
    """Converts every frame by ``to_ndarray``, the way most examples do."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    picks = random_segments(len(frames), NUM_FRAMES, rng)
    return _stack([frames[index] for index in picks])


def read_pyav_reformatter(path: Path, rng: np.random.Generator) -> torch.Tensor:
    """Converts the picked frames by one reused reformatter, on one thread."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        picks = random_segments(stream.frames, NUM_FRAMES, rng)
        frames = list(container.decode(stream))
    reformatter = VideoReformatter()
    picked = [reformatter.reformat(frames[index], format="rgb24", threads=1) for index in picks]
    return _stack([frame.to_ndarray() for frame in picked])


def read_torchcodec(path: Path, rng: np.random.Generator) -> torch.Tensor:
    """Its defaults but for one thread; it scans the file for exact seeking first."""
    return _read_torchcodec(path, rng, "exact")


def read_torchcodec_approximate(path: Path, rng: np.random.Generator) -> torch.Tensor:
    """Without that scan."""
    return _read_torchcodec(path, rng, "approximate")


PEERS: dict[str, Reader] = {
    "OpenCV VideoCapture": read_opencv,
    "PyAV, every frame converted": read_pyav,
    "PyAV, one reused reformatter": read_pyav_reformatter,
    "torchcodec": read_torchcodec,
    "torchcodec, approximate seeking": read_torchcodec_approximate,
}


def _read_torchcodec(path: Path, rng: np.random.Generator, seek_mode: str) -> torch.Tensor:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, seek_mode=seek_mode)
    picks = random_segments(len(decoder), NUM_FRAMES, rng)
    frames: torch.Tensor = decoder.get_frames_at(picks.tolist()).data
    return frames


def _stack(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2))
