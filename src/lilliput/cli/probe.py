"""``lilliput probe``: whether a trained network is worth starting from."""

from typing import TYPE_CHECKING, Annotated

import typer

from lilliput.cli.options import Data, Model
from lilliput.cli.output import console, messages, print_fact

if TYPE_CHECKING:
    from lilliput.evaluation.probe import ProbeReport

_NAMES = {
    "model": "this model",
    "random": "the same network, random weights",
    "chance": "no look at the clips (chance)",
}
_COLUMNS = {
    "single": {"top1": "top-1", "mean_class_accuracy": "mean class", "macro_f1": "macro F1"},
    "multi": {"map": "mAP", "macro_f1": "macro F1"},
}


def probe(
    model: Model,
    data: Data,
    split: Annotated[str, typer.Option(help="Labeled split that is scored.")] = "val",
) -> None:
    """Tell in one pass over the clips whether a trained network is worth starting from."""
    from rich.progress import Progress

    from lilliput.checkpoint import load_checkpoint
    from lilliput.data import read_dataset
    from lilliput.evaluation.probe import TRAIN
    from lilliput.evaluation.probe import probe as run_probe

    checkpoint, dataset = load_checkpoint(model), read_dataset(data)
    with Progress(transient=True) as progress:
        total = sum(len(dataset.split(name)) for name in (TRAIN, split))
        task = progress.add_task("reading clips", total=total)
        report = run_probe(
            checkpoint, dataset, split, advance=lambda done: progress.advance(task, done)
        )
    for reason in report.unreadable:
        messages.print(f"left out: {reason}", style="red", markup=False, soft_wrap=True)
    _print_probe(report, split)


def _print_probe(report: "ProbeReport", split: str) -> None:
    from rich.table import Table

    from lilliput.evaluation.rendering import percent

    columns = _COLUMNS[report.task]
    table = Table("a linear classifier on", *columns.values(), "macro F1, 95 % interval")
    for row in report.rows:
        interval = row.intervals["macro_f1"]
        table.add_row(
            _NAMES[row.name],
            *(percent(row.scores[key]) for key in columns),
            f"{percent(interval.low)} to {percent(interval.high)}",
        )
    clips = " and ".join(f"{count} of {name}" for name, count in report.num_clips.items())
    table.caption = f"% on {split}; {report.num_features} features; clips: {clips}"
    console.print(table)
    gain = report.gain
    low, high = (f"{100 * value:+.1f}" for value in (gain.difference.low, gain.difference.high))
    print_fact(
        "macro F1 over random weights",
        f"{100 * gain.difference.estimate:+.1f} points, 95 % interval {low} to {high}, "
        f"p = {gain.p_value:.3f}",
    )
    console.print(f"{report.advice}.", highlight=False)
