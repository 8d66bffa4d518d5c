"""Clip sampling (thesis section 3.1): which frames of a video become the model's clip.

Pure functions on frame counts. Each returns the picked source frame indices, in order;
none ever drops a video for being short: segment sampling repeats frames, clip sampling
loops around.
"""

import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Method = Literal["random", "segment"]


def random_clip(
    num_source: int, num_frames: int, rng: np.random.Generator, *, frame_step: int = 1
) -> Indices:
    """Consecutive frames from a random start (section 3.1.1).

    Args:
        num_source: Frames in the video.
        num_frames: Frames N to pick.
        rng: Source of randomness.
        frame_step: Source frames between two picks.
    """
    start = rng.integers(0, max(1, num_source - _span(num_frames, frame_step) + 1))
    return _run(int(start), num_source, num_frames, frame_step)


def centre_clip(num_source: int, num_frames: int, *, frame_step: int = 1) -> Indices:
    """Consecutive frames around the middle: what random-clip recipes are evaluated on."""
    start = max(0, num_source - _span(num_frames, frame_step)) // 2
    return _run(start, num_source, num_frames, frame_step)


def spaced_clips(
    num_source: int, num_frames: int, num_clips: int, *, frame_step: int = 1
) -> list[Indices]:
    """K clips whose starts are evenly spaced over the video (section 3.4.2)."""
    last = max(0, num_source - _span(num_frames, frame_step))
    # The middles of K equal parts: K = 1 is then the centre clip.
    starts = [round(last * (2 * k + 1) / (2 * num_clips) - 1e-9) for k in range(num_clips)]
    return [_run(start, num_source, num_frames, frame_step) for start in starts]


def consecutive_clips(num_source: int, num_frames: int, *, frame_step: int = 1) -> list[Indices]:
    """All clips of a video, one after the other; what is left at its end is dropped.

    A video too short for one clip is looped. So the code of the challenge evaluates that TinyVIRAT
    comes from, which the thesis probably began with; it leaves short videos out.
    """
    stretch = num_frames * frame_step
    starts = range(0, max(1, num_source // stretch) * stretch, stretch)
    return [_run(start, num_source, num_frames, frame_step) for start in starts]


def random_segments(
    num_source: int, num_frames: int, rng: np.random.Generator, *, coverage: float = 1.0
) -> Indices:
    """One random frame from each of N chunks that cover the video (section 3.1.2, training).

    Args:
        num_source: Frames in the video.
        num_frames: Frames N to pick.
        rng: Source of randomness.
        coverage: Least share of the video's frames that the chunks cover; below 1 a stretch of
            random length and place is drawn first, which varies speed and onset of what happens.

    Source: Wang et al., Temporal Segment Networks, ECCV 2016.
    """
    start = 0
    if coverage < 1:
        length = max(1, round(num_source * rng.uniform(coverage, 1)))
        start, num_source = int(rng.integers(0, num_source - length + 1)), length
    first, end = _chunks(num_source, num_frames)
    return start + rng.integers(first, end)


def centre_segments(num_source: int, num_frames: int) -> Indices:
    """The central frame of each of N chunks that cover the video (section 3.1.2, evaluation)."""
    first, end = _chunks(num_source, num_frames)
    return (first + end - 1) // 2


def sample_training(
    method: Method,
    num_source: int,
    num_frames: int,
    rng: np.random.Generator,
    *,
    frame_step: int = 1,
    coverage: float = 1.0,
) -> Indices:
    """The training clip of either method."""
    if method == "segment":
        return random_segments(num_source, num_frames, rng, coverage=coverage)
    return random_clip(num_source, num_frames, rng, frame_step=frame_step)


def sample_evaluation(
    method: Method,
    num_source: int,
    num_frames: int,
    *,
    frame_step: int = 1,
    num_clips: int = 1,
    seed: int = 0,
    clip_id: str = "",
) -> list[Indices]:
    """The K evaluation clips of either method (section 3.4.2).

    Under segment sampling one clip takes the centre frames, and K > 1 clips draw random frames
    (else all K would be equal) from ``seed`` and ``clip_id``: others for each video, and the same
    whenever it is evaluated.
    """
    if method == "random":
        return spaced_clips(num_source, num_frames, num_clips, frame_step=frame_step)
    if num_clips == 1:
        return [centre_segments(num_source, num_frames)]
    rng = np.random.default_rng([seed, zlib.crc32(clip_id.encode())])
    return [random_segments(num_source, num_frames, rng) for _ in range(num_clips)]


def _span(num_frames: int, frame_step: int) -> int:
    return (num_frames - 1) * frame_step + 1


def _run(start: int, num_source: int, num_frames: int, frame_step: int) -> Indices:
    return (start + np.arange(num_frames, dtype=np.int64) * frame_step) % num_source


def _chunks(num_source: int, num_frames: int) -> tuple[Indices, Indices]:
    edges = np.arange(num_frames + 1, dtype=np.int64) * num_source // num_frames
    first = np.minimum(edges[:-1], num_source - 1)
    return first, np.maximum(edges[1:], first + 1)  # a video shorter than N repeats frames
