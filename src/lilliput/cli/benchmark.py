"""``lilliput benchmark``: what this machine reaches."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lilliput.cli.options import Overrides

app = typer.Typer(
    help="Measure what this machine reaches.", no_args_is_help=True, rich_markup_mode=None
)
_RENDERED = 160  # synthetic clips, where no data is given


@app.callback()
def _benchmark() -> None:
    """Measure what this machine reaches."""


@app.command("train")
def train_command(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A shipped recipe, or a file [settings chosen for the data]."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A data set, or its pack [a few rendered synthetic clips]."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long each of three parts is measured.")
    ] = 10.0,
    set_: Overrides = None,
) -> None:
    """Train for a moment: clips per second, and whether network or input holds it back."""
    from lilliput.config import load_config

    overrides = list(set_ or ())
    if data is None:  # what is rendered has classes with a direction, which speed does not mind
        overrides.append("augment.flip_labels=keep")
    config = None if recipe is None else load_config(recipe, overrides)

    from lilliput.data import read_dataset
    from lilliput.data.synthetic import write_synthetic
    from lilliput.training.defaults import choose_defaults
    from lilliput.training.speed import measure_training

    console = Console(emoji=False)
    with tempfile.TemporaryDirectory() as folder:
        root = data or Path(folder) / "clips"
        if data is None:
            write_synthetic(root, num_train=_RENDERED, num_val=1, num_test=0)
        dataset = read_dataset(root)
        if config is None:
            config, _ = choose_defaults(dataset, overrides)
        speed = measure_training(config, dataset, seconds)
    table = Table("", "clips per second")
    table.columns[1].justify = "right"
    table.add_row("network alone, one batch again and again", f"{speed.network:.1f}")
    table.add_row(f"input alone, {speed.workers} workers", f"{speed.loading:.1f}")
    table.add_row("training", f"{speed.training:.1f}")
    console.print(table)
    slower = "the network" if speed.network < speed.loading else "its input"
    for line in (
        f"{speed.device}, {speed.precision}, batches of {speed.batch_size} clips",
        f"an epoch of {speed.num_clips} clips: {speed.num_clips / speed.training:.0f} s",
        f"the network alone reaches {speed.share_of_peak:.0%} of the measured matrix peak "
        f"({2e-9 * speed.peak:.0f} GFLOP/s)",
        f"what limits this training: {slower}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
