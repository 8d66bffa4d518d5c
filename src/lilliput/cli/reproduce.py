"""``lilliput reproduce``: the thesis' tables and figures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lilliput.errors import ConfigError
from lilliput.experiments.scales import Scale


def reproduce(
    names: Annotated[
        list[str],
        typer.Argument(
            help="'list', 'all', tables such as table-4.5, or 'comparators'.", metavar="WHAT"
        ),
    ],
    data: Annotated[
        Path | None, typer.Option(help="A data set, as for train; 'list' can do without.")
    ] = None,
    scale: Annotated[
        Scale,
        typer.Option(help="As in the thesis; medium: a GPU's; small: a CPU's; smoke: seconds."),
    ] = Scale.THESIS,
    seeds: Annotated[str, typer.Option(help="Seeds, such as 1,2,3.")] = "1",
    split: Annotated[
        str | None, typer.Option(help="What to report on (test, or val if test has no labels).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where all is kept (runs/reproduce/DATA/SCALE).")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Without the thesis' pretrained weights.")
    ] = False,
    gpu: Annotated[str, typer.Option(help="The GPU of list's estimate.")] = "h100",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting of every row: --set model.width=32."),
    ] = None,
) -> None:
    """Reproduce the thesis' tables 4.3 to 4.12 and figures; what is done is not repeated.

    comparators: seven networks of chapter 2 beside the thesis' best, trained alike.
    """
    from lilliput.experiments.tables import find_tables

    listed = "list" in names
    tables = find_tables([name for name in names if name != "list"] or ["all", "comparators"])
    numbers = _parse_seeds(seeds)
    if data is None and not listed:
        raise ConfigError("reproduce needs --data ROOT; `lilliput reproduce list` does without")

    from lilliput.data import read_dataset
    from lilliput.experiments.listing import print_list
    from lilliput.experiments.reproduce import Settings
    from lilliput.experiments.reproduce import reproduce as run

    console = Console(emoji=False)
    settings = Settings(scale, numbers, tuple(set_ or ()), from_scratch, split)
    dataset = None if data is None else read_dataset(data)
    name = "TinyVIRAT-v2" if data is None else data.resolve().stem
    folder = out or Path("runs") / "reproduce" / name / scale.value
    if listed:
        print_list(tables, dataset, folder, settings, gpu, console)
        return
    assert dataset is not None
    try:
        run(tables, dataset, folder, settings, console)
    except KeyboardInterrupt:
        message = "stopped; the same command goes on, and repeats nothing that is done"
        Console(stderr=True).print(message)
        raise typer.Exit(130) from None


def _parse_seeds(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise ConfigError(f"--seeds {text}: write whole numbers separated by commas, such as 1,2,3")
    return tuple(dict.fromkeys(map(int, words)))
