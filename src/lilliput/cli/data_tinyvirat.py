"""``lilliput data tinyvirat``: TinyVIRAT-like clips from annotated surveillance footage."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from lilliput.cli.data_shared import GroupBy
from lilliput.cli.output import messages, print_fact

if TYPE_CHECKING:
    from lilliput.data.surveillance import CutReport


def tinyvirat_command(
    videos: Annotated[Path, typer.Option(help="A folder of recordings, VIRAT's or MEVA's.")],
    annotations: Annotated[
        Path, typer.Option(help="A folder of their KPF (MEVA, VIRAT) or VIRAT 2.0's text files.")
    ],
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet, or is empty.")],
    by: Annotated[GroupBy, typer.Option(help="What stays on one side.")] = GroupBy.CAMERA,
    fraction: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of the clips held out as val.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another split.")] = 1,
    clip_frames: Annotated[int, typer.Option(min=1, help="Length of a clip.")] = 64,
    min_frames: Annotated[
        int, typer.Option(min=1, help="What is left of an activity makes a clip from here on.")
    ] = 16,
    max_side: Annotated[int, typer.Option(min=2, help="Largest square, px.")] = 128,
    min_side: Annotated[int, typer.Option(min=2, help="Smallest square, px.")] = 10,
    names: Annotated[
        Path | None,
        typer.Option(help='Classes of other activities, JSON: {"person_stands_up": "Misc"}.'),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, a recording each.")] = 1,
) -> None:
    """Cut square, multi-label clips of 10 to 128 px from VIRAT's or MEVA's recordings.

    OUT has TinyVIRAT-v2's layout and classes: train on it with --data OUT.
    """
    from lilliput.data.surveillance import CutRule, Division, write_tinyvirat
    from lilliput.data.surveillance.names import read_names

    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("cutting", total=None)
        report = write_tinyvirat(
            videos,
            annotations,
            out,
            rule=CutRule(clip_frames, min_frames, min_side, max_side),
            division=Division(by.value, fraction, seed),
            names=None if names is None else read_names(names),
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _print(report, out)


def _print(report: "CutReport", out: Path) -> None:
    for problem in report.problems:
        messages.print(f"skipped: {problem}", markup=False, highlight=False, soft_wrap=True)
    counts = ", ".join(f"{count} {split}" for split, count in report.clips.items())
    print_fact("clips", f"{counts}; in {out}")
    for title, counter in (
        ("left out", report.left_out),
        ("activities without a class of TinyVIRAT's", report.without_class),
        ("activities of unknown names; map them with --names", report.unknown),
    ):
        if counter:
            print_fact(title, _list(counter))
    if report.problems:
        print_fact("recordings skipped or not whole", len(report.problems))


def _list(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())
