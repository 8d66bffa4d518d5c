"""``lilliput train-sr``: clips to a front end that enlarges them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lilliput.cli.options import Data
from lilliput.cli.output import console, messages, print_fact
from lilliput.errors import ConfigError


class LearnedFrontEnd(StrEnum):
    """Those that have weights."""

    BASICVSR = "basicvsr"
    SOF_VSR = "sof_vsr"
    SPAN = "span"


def train_sr(
    data: Data,
    out: Annotated[Path, typer.Option(help="File of the weights: model.front_end_weights.")],
    front_end: Annotated[LearnedFrontEnd, typer.Option(help="Which one.")] = (
        LearnedFrontEnd.BASICVSR
    ),
    scale: Annotated[int, typer.Option(help="How many times larger: 2 or 4.")] = 2,
    split: Annotated[str, typer.Option(help="Split to learn from.")] = "train",
    held_out: Annotated[str, typer.Option(help="Split to measure on.")] = "val",
    size: Annotated[
        int, typer.Option(min=0, help="Side of the large squares, px [fits three of four clips].")
    ] = 0,
    frames: Annotated[int, typer.Option(min=1, help="Of a clip.")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Of the optimizer.")] = 2000,
    batch_size: Annotated[int, typer.Option(min=1, help="Clips in each.")] = 8,
    learning_rate: Annotated[float, typer.Option(min=1e-8, help="The highest.")] = 1e-3,
    adversarial: Annotated[
        float, typer.Option(min=0, help="Weight of an adversary, as TecoGAN's; try 0.005 [off].")
    ] = 0.0,
    blur: Annotated[float, typer.Option(min=0, help="Of the small clips, up to this many px.")] = (
        0.8
    ),
    noise: Annotated[float, typer.Option(min=0, max=1, help="Likewise, of a range of 1.")] = 0.02,
    compression: Annotated[bool, typer.Option(help="Compress the small clips.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of all draws.")] = 1,
) -> None:
    """Train a front end to enlarge clips, and compare it with interpolation on held-out ones.

    Clips are made small by blur, shrinking, noise and compression; what they were is learned.
    """
    if scale not in (2, 4):
        raise ConfigError(f"--scale {scale}: front ends enlarge by 2 or 4; give one of them")
    if size % 4:
        raise ConfigError(f"--size {size}: give a multiple of 4, which every scale divides")
    if adversarial and (front_end is LearnedFrontEnd.SPAN or frames < 3):
        raise ConfigError(
            "--adversarial judges frames with their neighbors along the flow: use basicvsr or "
            "sof_vsr, and --frames 3 or more"
        )
    from lilliput.training.super_resolution.job import train_and_compare
    from lilliput.training.super_resolution.train import SuperResolutionSettings
    from lilliput.video.degradation import Degradation

    result = train_and_compare(
        data,
        out,
        (front_end.value, scale),
        (split, held_out),
        (size, frames),
        Degradation(scale, blur, noise, (50, 95) if compression else None),
        SuperResolutionSettings(steps, batch_size, learning_rate, adversarial, seed),
        tell=lambda line: messages.print(line, markup=False, highlight=False, soft_wrap=True),
    )
    from rich.table import Table

    table = Table("front end", "PSNR, dB", "SSIM", title=f"{held_out}, enlarged {scale} times")
    for name, scores in result.items():
        table.add_row(name, f"{scores.psnr:.2f}", f"{scores.ssim:.4f}")
    console.print(table)
    print_fact("front end", out)
