"""``lilliput data footage``: untrimmed synthetic recordings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress


def footage_command(
    out: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    count: Annotated[int, typer.Option(min=1, help="Recordings.")] = 4,
    seconds: Annotated[float, typer.Option(min=10, help="Length of each.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Decides every pixel.")] = 1,
) -> None:
    """Render untrimmed recordings of several actors, with every box and action in them."""
    from lilliput.data.synthetic.write_footage import write_footage

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rendering", total=count)
        write_footage(out, count, seed, seconds=seconds, progress=lambda: bar.advance(task))
    Console().print(f"made: {out}", markup=False, highlight=False, soft_wrap=True)
