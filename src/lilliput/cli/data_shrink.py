"""``lilliput data shrink``: low-resolution copies of data sets."""

import re
from pathlib import Path
from typing import Annotated

import typer

from lilliput.cli.data_shared import Root, show_progress
from lilliput.errors import DataError

_FEW = 5  # lines shown of what the list of skipped clips has in full


def shrink_command(
    root: Root,
    side: Annotated[
        str,
        typer.Option(help="Height x width, px, such as 12x16; or the shorter side, such as 28."),
    ],
    out: Annotated[Path, typer.Option(help="A new folder, or one to go on with.")],
    blur: Annotated[float, typer.Option(min=0, help="Gaussian blur, deviation in px.")] = 0.0,
    noise: Annotated[
        float, typer.Option(min=0, help="Gaussian noise, deviation in grey levels of 255.")
    ] = 0.0,
    crf: Annotated[
        int | None, typer.Option(min=0, max=51, help="Compress, H.264 4:2:0 [lossless RGB].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Clips at once [one for each processor].")
    ] = None,
) -> None:
    """Make the low-resolution copy of a data set: the same splits, labels, groups and times.

    Pixels are means of the area that they cover; no clip is enlarged. Give OUT wherever a data set
    is asked for. A run that was stopped goes on; clips that cannot be read are skipped and listed
    in OUT/skipped.txt. Of UCF-101 and HMDB-51, `ROOT@2` adds the second official split to OUT, and
    OUT@2 reads it.
    """
    from lilliput.data import read_dataset, split_number_of
    from lilliput.data.shrinking import SKIPPED, shrink_dataset
    from lilliput.video.shrink import Shrink

    shrink = Shrink(_parse(side), blur, noise)
    dataset = read_dataset(root, strict=False)
    with show_progress(dataset, "shrinking") as advance:
        made = shrink_dataset(
            dataset,
            out,
            shrink,
            crf=crf,
            seed=seed,
            split_number=split_number_of(root)[1],
            workers=workers,
            on_clip=advance,
        )
    for line in [*made.damaged, *made.skipped][:_FEW]:
        typer.echo(line, err=True)
    skipped = f", {len(made.skipped)} skipped, see {out / SKIPPED}" if made.skipped else ""
    damaged = f", {len(made.damaged)} end early" if made.damaged else ""
    typer.echo(f"{made.num_clips} clips ({made.num_kept} kept{damaged}{skipped}): {made.manifest}")


def _parse(side: str) -> tuple[int, int] | int:
    match = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", side)
    if match is None:
        raise DataError(f"--side {side}: is no size; give height x width such as 12x16, or 28")
    return int(match[1]) if match[2] is None else (int(match[1]), int(match[2]))
