"""``lilliput data people``: rendered people, moved by motion capture and keyed poses."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress


def people_command(
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet, or is empty.")],
    motion: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="A file or folder of motion capture: BVH, AMC, .npz [none]."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Clips.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Decides every pixel.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [one per core].")] = None,
) -> None:
    """Render clips of people who walk, sit, fall and do what else people do.

    Without motion capture all actions are keyed by hand.
    """
    from lilliput.data.people.write import MANIFEST, write_people

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rendering", total=count)
        write_people(
            out,
            count,
            seed,
            motion=motion,
            workers=workers,
            progress=lambda done: bar.advance(task, done),
            tell=lambda line: typer.echo(f"warning: {line}", err=True),
        )
    Console().print(f"made: {out / MANIFEST}", markup=False, highlight=False, soft_wrap=True)
