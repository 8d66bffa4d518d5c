"""Exports a checkpoint to ONNX or OpenVINO, and refuses what does not compute the same.

The bounds are on the largest difference of a logit, relative to the largest logit: 1e-4 for fp32,
5e-2 for bf16, none for int8. Where labelled clips are given, they are also on how much macro F1 at
the model's own thresholds differs, up or down: 0.3 points of 100 for fp32 and bf16, 1.0 for int8.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from lilliput.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from lilliput.data import VideoDataset
from lilliput.errors import ConfigError, ExportError
from lilliput.evaluation.evaluate import check_classes, score_split
from lilliput.inference.conversion import (
    check_convertible,
    read_openvino,
    write_onnx,
    write_openvino,
)
from lilliput.inference.engines import Engine, EngineName, Precision, check_pair
from lilliput.inference.engines.pytorch import TorchEngine
from lilliput.inference.loading import EXPORTS, load_model
from lilliput.inference.quantisation import calibration_clips, quantise
from lilliput.scoring import compute_metrics

# Largest difference of a logit over the largest logit. Of int8 only the macro F1 tells.
MAX_DIFFERENCE: dict[Precision, float] = {"fp32": 1e-4, "bf16": 5e-2}
# A gain beyond the bound is as little the same model as a loss; in points of 100.
MAX_F1_DIFFERENCE: dict[Precision, float] = {"fp32": 0.3, "bf16": 0.3, "int8": 1.0}
_COMPARED_CLIPS = 8


@dataclass(frozen=True)
class LabelledClips:
    """What an export is calibrated and judged with.

    Attributes:
        dataset: The data set; its classes must be the model's.
        split: Labelled split on which macro F1 is compared.
        calibrate: Split whose clips calibrate int8.
    """

    dataset: VideoDataset
    split: str = "val"
    calibrate: str = "train"


@dataclass(frozen=True)
class ExportReport:
    """How an export compares with its checkpoint.

    Attributes:
        path: The exported file.
        num_bytes: Of all its files.
        difference: Largest difference of a logit over the largest logit.
        macro_f1: Of the checkpoint and of the export, in points of 100; None without clips.
        note: What limits the comparison; empty for nothing.
    """

    path: Path
    num_bytes: int
    difference: float
    macro_f1: tuple[float, float] | None
    note: str


def export_model(
    model: Path | str,
    path: Path,
    precision: str = "fp32",
    clips: LabelledClips | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> ExportReport:
    """Converts, compares, and only then lets the file appear.

    Args:
        model: A checkpoint file, a run folder, or a shipped model's name.
        path: What to write: ``.onnx``, or ``.xml`` for OpenVINO, which comes with a ``.bin``.
        precision: ``"fp32"``, ``"bf16"`` or ``"int8"``.
        clips: Real clips to judge with; int8 needs them.
        advance: Told how many more clips of the split were scored; it is scored twice.

    Raises:
        ConfigError: There is no such format, or a package is missing.
        DataError: The data set has other classes.
        ExportError: The export differs more than its bound allows; nothing is left of it.
    """
    if path.suffix not in EXPORTS:
        raise ConfigError(f"{path}: name a file that ends with {' or '.join(EXPORTS)}")
    engine, number_format = check_pair(EXPORTS[path.suffix], precision)
    if number_format == "int8" and clips is None:
        raise ConfigError(f"{path}: int8 is calibrated on clips; give a data set with --data")
    checkpoint = load_checkpoint(find_checkpoint(model))
    check_convertible(checkpoint, engine)
    if clips is not None:
        check_classes(checkpoint, clips.dataset)  # converting and calibrating take minutes
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as workplace:
        made = Path(workplace) / path.name
        _write(checkpoint, made, engine, number_format, clips)
        _, exported = load_model(made)
        difference = _compare(checkpoint, exported, clips)
        bound = MAX_DIFFERENCE.get(number_format)
        if not np.isfinite(difference) or (bound is not None and difference > bound):
            raise ExportError(
                f"{path}: its logits differ by {difference:.1e} of the largest, more than "
                f"{bound or 0:.0e}; nothing is written"
            )
        macro_f1 = None
        if clips is not None:
            macro_f1 = _compare_f1(checkpoint, exported, clips, advance)
            _check_f1(path, macro_f1, MAX_F1_DIFFERENCE[number_format])
        files = _publish(made, path)
    num_bytes = sum(file.stat().st_size for file in files)
    return ExportReport(path, num_bytes, difference, macro_f1, exported.note)


def _write(
    checkpoint: Checkpoint,
    path: Path,
    engine: EngineName,
    precision: Precision,
    clips: LabelledClips | None,
) -> None:
    plain = path.with_suffix(".onnx")
    write_onnx(checkpoint, plain, engine)
    if engine == "onnx":
        return
    network = read_openvino(plain)
    if precision == "int8":
        assert clips is not None
        split = clips.dataset.split(clips.calibrate, labelled=False)
        network = quantise(network, calibration_clips(checkpoint, split))
    write_openvino(network, checkpoint, precision, path)


def _compare(checkpoint: Checkpoint, exported: Engine, clips: LabelledClips | None) -> float:
    if clips is None:
        inputs = _random_clips(checkpoint)
    else:
        split = clips.dataset.split(clips.split)
        inputs = torch.cat(calibration_clips(checkpoint, split, _COMPARED_CLIPS))
    reference = TorchEngine(checkpoint.build_model(), device="cpu")
    expected = torch.cat([reference(clip[None]) for clip in inputs])
    # One alone and the rest together: both are promised to work.
    found = torch.cat([exported(part) for part in (inputs[:1], inputs[1:]) if len(part)])
    return float((found - expected).abs().max() / expected.abs().max())


def _random_clips(checkpoint: Checkpoint) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    clips = torch.randn(_COMPARED_CLIPS, *checkpoint.clip_shape, generator=generator)
    if checkpoint.config.model.front_end == "none":
        return clips
    # Smooth as pictures are: of pure noise a front end makes whatever it likes.
    return F.avg_pool3d(clips, (1, 5, 5), stride=1, padding=(0, 2, 2))


def _compare_f1(
    checkpoint: Checkpoint,
    exported: Engine,
    clips: LabelledClips,
    advance: Callable[[int], None],
) -> tuple[float, float]:
    points = []
    for forward in (None, exported):
        scored = score_split(
            checkpoint, clips.dataset, clips.split, forward=forward, advance=advance
        )
        metrics = compute_metrics(
            scored.scores, scored.targets, checkpoint.thresholds, checkpoint.task
        )
        points.append(100 * metrics.macro.f1)
    return points[0], points[1]


def _check_f1(path: Path, macro_f1: tuple[float, float], bound: float) -> None:
    before, after = macro_f1
    if abs(after - before) > bound:
        raise ExportError(
            f"{path}: macro F1 is {after:.2f} instead of {before:.2f}, more than {bound} points "
            "apart; nothing is written"
        )


def _publish(made: Path, path: Path) -> Sequence[Path]:
    """Weights first: a stop in between leaves no file that looks whole."""
    weights = made.with_suffix(".bin")
    if made.suffix != ".xml":
        return [made.replace(path)]
    path.unlink(missing_ok=True)
    return [weights.replace(path.with_suffix(".bin")), made.replace(path)]
