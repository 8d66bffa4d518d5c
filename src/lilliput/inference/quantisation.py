"""Post-training quantisation to int8, calibrated on clips (NNCF)."""

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Description
from lilliput.data import Clip
from lilliput.data.loading import EvaluationClips, FrameSource, UnreadableClip
from lilliput.errors import DataError
from lilliput.inference.engines import import_extra

CALIBRATION_CLIPS = 300  # as NNCF advises; evenly spread over the split


def quantise(network: Any, clips: Sequence[torch.Tensor]) -> Any:
    """An OpenVINO network in int8: per-channel weights, per-tensor activations.

    Weights are quantised symmetrically, activations asymmetrically, over all values that they
    take on ``clips``: cutting off extremes, which NNCF does by default, costs ten times the error
    on networks whose activations have long tails. Biases are corrected for the mean error.

    Args:
        network: The network in fp32.
        clips: Each (1, 3, T, H, W).

    Raises:
        ConfigError: The package nncf is missing.
    """
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # tells of no CUDA
    nncf = import_extra("openvino", "nncf")
    nncf.set_log_level(logging.ERROR)
    ranges = nncf.quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        return nncf.quantize(
            network,
            nncf.Dataset([clip.numpy() for clip in clips]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(clips),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                activations_range_estimator_params=ranges
            ),
        )


def calibration_clips(
    description: Description, clips: Sequence[Clip], count: int = CALIBRATION_CLIPS
) -> list[torch.Tensor]:
    """What the model sees of up to ``count`` clips: each (1, 3, T, H, W), normalised.

    Raises:
        DataError: Not one of them can be read.
    """
    chosen = np.unique(np.linspace(0, len(clips) - 1, count).round().astype(int))
    found = list(_read(description, [clips[index] for index in chosen]))
    if not found:
        raise DataError("not one clip can be read to compare with; `lilliput data check` says why")
    return found


def _read(description: Description, clips: Sequence[Clip]) -> Iterator[torch.Tensor]:
    views = EvaluationClips(
        FrameSource(clips),
        len(description.labels),
        build_evaluation_sampler(description.config, 1),
        build_evaluation_transform(description.config, description.normalisation),
    )
    for index in range(len(views)):
        item = views[index]
        if not isinstance(item, UnreadableClip):
            view, _, _ = item
            assert isinstance(view, torch.Tensor)
            yield view
