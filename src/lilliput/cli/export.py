"""``lilliput export``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lilliput.cli.options import Model


class Format(StrEnum):
    """Kinds of files that other engines read."""

    ONNX = "onnx"
    OPENVINO = "openvino"


class Precision(StrEnum):
    """Number formats of an exported model."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


_SUFFIXES = {Format.ONNX: ".onnx", Format.OPENVINO: ".xml"}


def export(
    model: Model,
    out: Annotated[
        Path | None, typer.Option(help="The file [MODEL_PRECISION.onnx or .xml here].")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.OPENVINO,
    precision: Annotated[Precision, typer.Option(help="Numbers to compute in.")] = Precision.FP32,
    data: Annotated[
        Path | None, typer.Option(help="Data set to judge the export with; int8 needs one.")
    ] = None,
    split: Annotated[str, typer.Option(help="Labelled split on which F1 is compared.")] = "val",
    calibrate: Annotated[str, typer.Option(help="Split that int8 is calibrated on.")] = "train",
) -> None:
    """Write a model for ONNX Runtime or OpenVINO, if it computes what the checkpoint does.

    Class names, thresholds and all else travel in the file, which predict and evaluate take in
    place of a checkpoint. An export that differs too much is refused.
    """
    from rich.console import Console
    from rich.progress import Progress

    from lilliput.data import read_dataset
    from lilliput.errors import ConfigError
    from lilliput.inference.export import LabelledClips, export_model

    suffix = _SUFFIXES[format_]
    path = out or Path(f"{Path(model).stem}_{precision}{suffix}")
    if path.suffix != suffix:
        raise ConfigError(f"{path}: --format {format_} writes a file that ends with {suffix}")
    clips = None if data is None else LabelledClips(read_dataset(data), split, calibrate)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        total = None if clips is None else 2 * len(clips.dataset.split(split))
        task = progress.add_task("exporting", total=total)
        report = export_model(
            model, path, precision, clips, advance=lambda done: progress.advance(task, done)
        )
    typer.echo(f"model: {report.path} ({report.num_bytes / 2**20:.1f} MiB)")
    typer.echo(f"largest difference of a logit: {report.difference:.1e} of the largest logit")
    if report.macro_f1 is not None:
        before, after = report.macro_f1
        typer.echo(f"macro F1 on {split}: {after:.2f}, of the checkpoint {before:.2f}")
    if report.note:
        typer.echo(f"note: {report.note}", err=True)
