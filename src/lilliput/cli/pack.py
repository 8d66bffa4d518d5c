"""``lilliput data pack``."""

from pathlib import Path
from typing import Annotated

import typer

from lilliput.cli.data_shared import Root, folder_of, show_progress


def pack(
    root: Root,
    out: Annotated[Path | None, typer.Option(help="Folder of the pack. [runs/pack/<name>]")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write anew even where a pack lies.")
    ] = False,
) -> None:
    """Decode everything once, so that training and evaluation read it at memory speed.

    Give the folder of the pack wherever a data set is asked for; clips that cannot be read stay
    listed in it, with the reason. A pack of the same, unchanged files is kept.
    """
    from lilliput.data import read_dataset
    from lilliput.data.packing import write_pack

    dataset = read_dataset(root, strict=False)
    folder = folder_of(out, "pack", dataset)
    with show_progress(dataset, "decoding and verifying", passes=2) as advance:
        written = write_pack(dataset, folder, replace=replace, on_clip=advance)
    clips = [clip for split in read_dataset(folder, strict=False).splits.values() for clip in split]
    unreadable = [clip.packed.error for clip in clips if clip.packed and clip.packed.error]
    for reason in unreadable:
        typer.echo(f"cannot be read: {reason}", err=True)
    mib = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
    readable = len(clips) - len(unreadable)
    typer.echo(
        f"{'packed' if written else 'kept, it is up to date'}: {readable} of {len(clips)} clips, "
        f"{mib:.1f} MiB in {folder}"
    )
