"""``lilliput data``: describe, preview, check, split, pack, cut, shrink or render a data set."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from lilliput.cli.data_cut import cut_command
from lilliput.cli.data_footage import footage_command
from lilliput.cli.data_people import people_command
from lilliput.cli.data_shared import GroupBy, Root, folder_of, show_progress
from lilliput.cli.data_shrink import shrink_command
from lilliput.cli.data_tinyvirat import tinyvirat_command
from lilliput.cli.pack import pack

if TYPE_CHECKING:
    from lilliput.data import VideoDataset
    from lilliput.data.check import CheckReport

app = typer.Typer(
    help="Describe, preview, check, split, pack, cut, shrink or render a data set.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_FEW = 5  # lines shown of a list that a file has in full, or of what splits share


@app.command("describe")
def describe_command(
    root: Root,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the figures. [runs/describe/<name>]")
    ] = None,
) -> None:
    """Count clips, frames and labels (the thesis' tables 4.1, 4.2 and figures 4.4, 4.5)."""
    from lilliput.cli.data_tables import class_table, resolution_table, split_table
    from lilliput.data import read_dataset
    from lilliput.data.describe import describe
    from lilliput.data.plots import plot_class_resolutions, plot_clips_per_class

    dataset = read_dataset(root, strict=False)
    with show_progress(dataset, "reading headers") as advance:
        description = describe(dataset, advance)
    folder = _folder(out, "describe", dataset)
    _write_json(folder / "describe.json", dataclasses.asdict(description))
    if any(split.labelled for split in description.splits.values()):
        plot_clips_per_class(description).savefig(folder / "clips_per_class.png")
        plot_class_resolutions(description).savefig(folder / "class_resolutions.png")
    console = Console()
    kind = f"{dataset.layout}, synthetic" if dataset.synthetic else dataset.layout
    console.print(f"{root}: {kind}, {len(dataset.labels)} classes", highlight=False, soft_wrap=True)
    for table in (split_table, class_table, resolution_table):
        console.print(table(description))
    _print_list(console, "clips cannot be read", description.unreadable)
    _print_list(console, "entries were left out", description.problems)
    console.print(f"figures and describe.json are in {folder}", highlight=False, soft_wrap=True)


@app.command("preview")
def preview_command(
    root: Root,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sheets. [runs/preview/<name>]")
    ] = None,
    split: Annotated[str, typer.Option(help="Split from which clips are chosen.")] = "train",
    clip: Annotated[str | None, typer.Option(help="Id of one clip; else a spread.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Clips in the spread.")] = 3,
    num_frames: Annotated[int, typer.Option(min=1, help="Frames a sampler picks.")] = 16,
    input_size: Annotated[int, typer.Option(min=1, help="Side of the model's input, px.")] = 112,
    seed: Annotated[int, typer.Option(min=0, help="Fixes every random draw.")] = 1,
) -> None:
    """Draw what samplers pick and what augmentations do (figures 3.1 to 3.5)."""
    from lilliput.data import read_dataset
    from lilliput.data.preview import choose_clips, draw_augmentations, draw_samplers, find_clip

    dataset = read_dataset(root, strict=False)
    if clip is not None:
        clips = [find_clip(dataset.splits, clip)]
    else:
        clips = choose_clips(dataset.split(split, labelled=False), count)
    folder = _folder(out, "preview", dataset)
    for chosen in clips:
        frames = chosen.read()[:]
        labels = ", ".join(dataset.labels.class_names[i] for i in chosen.labels or ())
        title = f"{chosen.clip_id} ({labels or 'no label'})"
        name = chosen.clip_id.replace("/", "_")
        samplers = draw_samplers(frames, title, num_frames=num_frames, seed=seed)
        samplers.savefig(folder / f"{name}_samplers.png")
        augmented = draw_augmentations(frames, title, input_size=input_size, seed=seed)
        augmented.savefig(folder / f"{name}_augmentations.png")
        typer.echo(f"{title}: {folder}/{name}_samplers.png, …_augmentations.png")


@app.command("check")
def check_command(
    root: Root,
    out: Annotated[Path | None, typer.Option(help="Folder for check.json.")] = None,
) -> None:
    """Decode everything; list what is corrupt, empty, mislabelled or shared between splits.

    In a pack every clip is compared with its checksum instead.

    Exits with 0 when nothing is wrong and with 1 when something is. What splits share is a
    warning: it makes scores flatter, but the data can be used.
    """
    from lilliput.data import read_dataset
    from lilliput.data.check import check

    dataset = read_dataset(root, strict=False)
    with show_progress(dataset, "decoding") as advance:
        report = check(dataset, advance)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        _write_json(out / "check.json", dataclasses.asdict(report))
    _print_report(Console(), report)
    raise typer.Exit(1 if report.findings else 0)


@app.command("split")
def split_command(
    root: Root,
    by: Annotated[GroupBy, typer.Option(help="What stays on one side.")] = GroupBy.RECORDING,
    fraction: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Share of the clips held out.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another split.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the manifest. [runs/split/<name>]")
    ] = None,
) -> None:
    """Make a new validation split that shares no recording (or camera) with training.

    Of a pack, the manifest names the original files; pack the manifest for speed.
    """
    from lilliput.cli.data_tables import new_split_table
    from lilliput.data import read_dataset
    from lilliput.data.manifest import write_manifest
    from lilliput.data.split import resplit

    dataset = read_dataset(root)
    divided = resplit(dataset, by.value, fraction=fraction, seed=seed)
    manifest = _folder(out, "split", dataset) / "manifest.csv"
    write_manifest(manifest, divided)
    clips = [*divided.splits["train"], *divided.splits["val"]]
    if by is GroupBy.CAMERA and all(c.camera == c.recording for c in clips):
        typer.echo("warning: the names tell no camera; grouped by recording", err=True)
    groups = [{getattr(c, by.value) for c in divided.splits[name]} for name in ("train", "val")]
    console = Console()
    console.print(new_split_table(divided))
    console.print(
        f"{len(groups[0])} {by.value}s in train, {len(groups[1])} in val, "
        f"{len(groups[0] & groups[1])} in both; written to {manifest}",
        highlight=False,
        soft_wrap=True,
    )


app.command()(pack)
app.command("cut")(cut_command)
app.command("footage")(footage_command)
app.command("people")(people_command)
app.command("tinyvirat")(tinyvirat_command)
app.command("shrink")(shrink_command)


def _print_report(console: Console, report: "CheckReport") -> None:
    console.print(
        f"{report.clips} clips, {report.average_frames:.2f} frames on average; {report.comparison}",
        highlight=False,
        soft_wrap=True,
    )
    for kind, lines in report.findings.items():
        _print_list(console, kind, lines, most=len(lines))
    if report.without_label:
        console.print(f"[yellow]warning[/]: {report.without_label} clips carry no label at all")
    for shared in report.shared:
        (first, second), (clips_first, clips_second) = shared.splits, shared.clips
        _print_list(
            console,
            f"warning: shared {shared.kind}s between {first} ({clips_first} clips) "
            f"and {second} ({clips_second} clips)",
            shared.names,
        )
    if not report.findings:
        console.print("[green]no fault found[/]")


@app.command("synthetic")
def synthetic_command(
    out: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    train: Annotated[int, typer.Option(min=0, help="Training clips.")] = 700,
    val: Annotated[int, typer.Option(min=0, help="Validation clips.")] = 200,
    test: Annotated[int, typer.Option(min=0, help="Test clips, from other cameras.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Decides every pixel.")] = 1,
) -> None:
    """Render synthetic clips of 10 to 128 px in TinyVIRAT-v2's layout."""
    from lilliput.data.synthetic import write_synthetic

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rendering", total=train + val + test)
        write_synthetic(
            out,
            num_train=train,
            num_val=val,
            num_test=test,
            seed=seed,
            progress=lambda done: bar.advance(task, done),
        )
    Console().print(f"made: {out}", markup=False, highlight=False, soft_wrap=True)


def _print_list(console: Console, title: str, lines: tuple[str, ...], *, most: int = _FEW) -> None:
    if not lines:
        return
    console.print(f"[yellow]{title}[/]: {len(lines)}", highlight=False)
    for line in lines[:most]:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > most:
        console.print(f"  … and {len(lines) - most} more", highlight=False)


def _folder(out: Path | None, command: str, dataset: "VideoDataset") -> Path:
    folder = folder_of(out, command, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
