"""What a training set looks like: pixel statistics and clip length, kept with the model."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from lilliput.data.clips import Clip
from lilliput.data.loading import FrameSource
from lilliput.errors import DataError, VideoError
from lilliput.video.normalisation import Normalisation

_MANY_CLIPS = 500  # from twice as many on only a part is read, evenly spread: as good as all


def measure_normalisation(source: FrameSource, kind: Literal["dataset", "clip"]) -> Normalisation:
    """Mean and standard deviation per channel over the clips, or about 500 of them.

    Args:
        source: The training clips.
        kind: ``dataset`` measures deviations from the common mean, ``clip`` from each clip's
            own, which is then what is subtracted.

    Raises:
        DataError: Not one clip can be read.
    """
    counts, sums, squares = [], [], []
    for index in range(0, len(source), max(1, len(source) // _MANY_CLIPS)):
        try:
            pixels = source.read(index)[:].to(torch.float64).div_(255)
        except VideoError:
            continue
        if kind == "clip":
            pixels = pixels - pixels.mean(dim=(0, 2, 3), keepdim=True)
        counts.append(pixels[:, 0].numel())
        sums.append(pixels.sum(dim=(0, 2, 3)))
        squares.append(pixels.square().sum(dim=(0, 2, 3)))
    if not counts:
        raise DataError("not one training clip can be read; see `lilliput data check`")
    mean = torch.stack(sums).sum(0) / sum(counts)
    variance = torch.stack(squares).sum(0) / sum(counts) - mean.square()
    std = variance.clamp(min=1e-6).sqrt()
    return Normalisation(_triple(mean), _triple(std), per_clip=kind == "clip")


def measure_clip_seconds(clips: Sequence[Clip]) -> float:
    """The length that 95 % of the clips, or of about 500 of them, do not exceed.

    Raises:
        DataError: Not one clip can be read.
    """
    seconds = []
    for clip in clips[:: max(1, len(clips) // _MANY_CLIPS)]:
        try:
            info = clip.probe()
        except VideoError:
            continue
        seconds.append(info.num_frames / info.fps)
    if not seconds:
        raise DataError("not one training clip can be read; see `lilliput data check`")
    return round(float(np.quantile(seconds, 0.95)), 3)


def _triple(values: torch.Tensor) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 5) for value in values)
    return red, green, blue
