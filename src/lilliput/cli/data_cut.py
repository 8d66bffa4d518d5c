"""``lilliput data cut``: training clips from annotated recordings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from lilliput.cli.options import LabelRule
from lilliput.cli.output import console, messages


def cut_command(
    recordings: Annotated[Path, typer.Argument(help="A folder of whole recordings.")],
    actions: Annotated[
        Path, typer.Option(help="A CSV of their actions: recording,start_frame,end_frame,action.")
    ],
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet, or is empty.")],
    window_seconds: Annotated[float, typer.Option(min=0.1, help="Length of a clip.")] = 3.2,
    hop_seconds: Annotated[float, typer.Option(min=0.01, help="From clip to clip.")] = 0.5,
    stretch: Annotated[
        float, typer.Option(min=1, max=4, help="Training clips are so much longer or shorter.")
    ] = 1.0,
    fraction: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of the recordings held out as val.")
    ] = 0.16,
    label: Annotated[
        LabelRule,
        typer.Option(help="Actions in the middle of a clip, or those that lie inside it."),
    ] = LabelRule.MIDDLE,
    classes: Annotated[
        Path | None, typer.Option(help="A class_map.json that orders the classes [by name].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another split.")] = 1,
) -> None:
    """Cut clips from recordings: labeled with what happens in their middle, to train `watch` on.

    With `--label inside`, to train on clips: with the actions that fill a quarter of a clip, or of
    which half lies in it; clips without are left out.

    OUT/val_actions.csv has the actions of the recordings held out, for `tune-events`.
    """
    from lilliput.data.class_map import read_class_map
    from lilliput.data.cutting import CutWindows, cut_recordings, hold_out
    from lilliput.data.labels import LabelSet
    from lilliput.data.spans import find_recordings, read_spans

    spans = read_spans(actions)
    names = {span.action for found in spans.values() for span in found}
    labels = LabelSet.from_names(sorted(names)) if classes is None else read_class_map(classes)
    splits = hold_out(sorted(spans), fraction=fraction, seed=seed)
    files = {split: find_recordings(recordings, chosen) for split, chosen in splits.items()}
    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("cutting", total=len(spans))
        manifest = cut_recordings(
            files,
            spans,
            out,
            labels=labels,
            windows=CutWindows(window_seconds, hop_seconds, stretch, label.value),
            progress=lambda: bar.advance(task),
        )
    console.print(f"clips: {manifest}", markup=False, highlight=False, soft_wrap=True)
