"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Option(
        help="A published data set's folder, such as UCF-101's, a folder per class, a .csv "
        "manifest, or a pack. UCF-101@2 is its second official split."
    ),
]
Model = Annotated[
    str,
    typer.Argument(help="A checkpoint, a run folder, or a shipped model's name ('people')."),
]
ModelAndVideos = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] VIDEOS...",
        help="A checkpoint, a run folder, an export or a shipped model's name [people]; then video "
        "files, or folders of them.",
    ),
]
Views = Annotated[
    list[str] | None,
    typer.Option("--set", help="Other test-time augmentation: --set evaluation.num_clips=5."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a setting: --set training.epochs=3; may be repeated."),
]
Models = Annotated[
    list[str],
    typer.Argument(help="Checkpoints, run folders or shipped models; several are averaged."),
]
EvaluationEngine = Annotated[
    str | None,
    typer.Option("--engine", help="torch, onnx, openvino or auto [torch; an export's own]."),
]
NumberFormat = Annotated[
    str | None,
    typer.Option("--precision", help="fp32, bf16 or int8 [fp32; what an export was made for]."),
]
Thresholds = Annotated[
    Path | None, typer.Option(help="Report folder of `tune` [the model's own thresholds].")
]


class ThresholdMode(StrEnum):
    """What `tune` finds: one threshold for all classes, or one for each."""

    GLOBAL = "global"
    PER_CLASS = "per_class"


class Objective(StrEnum):
    """What thresholds are tuned for."""

    MACRO_F1 = "macro_f1"
    MICRO_F1 = "micro_f1"
    WEIGHTED_F1 = "weighted_f1"
    SAMPLES_F1 = "samples_f1"


class FinalModel(StrEnum):
    """What a cross-validation keeps: one more model of all clips, or those of the folds as one."""

    ALL = "all"
    ENSEMBLE = "ensemble"


class LabelRule(StrEnum):
    """Which actions a clip that is cut from a recording is labeled with."""

    MIDDLE = "middle"
    INSIDE = "inside"


class Detector(StrEnum):
    """What finds people in a picture."""

    MOTION = "motion"
    PEOPLE = "people"
    NONE = "none"
