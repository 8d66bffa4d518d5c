"""``lilliput predict``: the actions in one video, or in an archive of them."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from lilliput.cli.options import ModelAndVideos
from lilliput.errors import ConfigError

if TYPE_CHECKING:
    from lilliput.inference.archive.job import Job
    from lilliput.inference.archive.loader import ModelLoader


def predict(
    model_and_videos: ModelAndVideos,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="A .parquet, .jsonl or .csv file; the same command goes on after a stop.",
        ),
    ] = None,
    window_seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="Length of the windows of a long video [the training clips']."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="torch, onnx, openvino, or auto: the fastest there is.")
    ] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="fp32, bf16 or int8 [fp32, or what an export was made for].")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes [this one], or actors on Ray [one per CPU]."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A Ray cluster: auto, host:port, ray://host:port, or local. Its machines need "
            "Lilliput, and the videos under the same paths; the model is sent to them.",
        ),
    ] = None,
) -> None:
    """Recognise the actions in videos of any length, and in archives of any size."""
    chosen = [
        name
        for name, is_given in (("--json", as_json), ("--csv", as_csv), ("--out", out is not None))
        if is_given
    ]
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} exclude each other; give one of them")
    messages = Console(stderr=True, emoji=False)

    from lilliput.inference.archive.job import run_to_file, run_to_stream
    from lilliput.inference.archive.loader import ModelLoader
    from lilliput.inference.naming import split_model
    from lilliput.inference.writers import find_style

    model, named = split_model(model_and_videos)
    videos = [Path(name) for name in named]
    if not videos:
        raise ConfigError("nothing to predict: give a video or a folder of them")
    if out is not None:
        find_style(out)  # a wrong suffix is told before anything is loaded
        if out.exists() and not out.with_name(f"{out.name}.partial").exists():
            raise ConfigError(f"{out}: exists already; remove it or give another --out")
    loader = ModelLoader(model, engine, precision, window_seconds)
    job = _plan(loader, videos, workers, ray, messages)
    try:
        if out is None:
            style = "json" if as_json else "csv" if as_csv else "table"
            failed = run_to_stream(job, style, sys.stdout, messages)
        else:
            failed = run_to_file(job, out, messages)
            messages.print(f"predictions: {out}", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        _print_stopped(out, messages)
        raise typer.Exit(130) from None
    if failed:
        messages.print(f"{failed} of the videos could not be read", markup=False)
        raise typer.Exit(2)


def _plan(
    loader: "ModelLoader",
    paths: list[Path],
    workers: int | None,
    ray: str | None,
    messages: Console,
) -> "Job":
    """Loads the model here, for what it says of itself, and decides who works."""
    from dataclasses import replace
    from functools import partial

    import torch

    from lilliput.inference.archive.job import Job
    from lilliput.inference.archive.loader import ShippedLoader
    from lilliput.inference.archive.workers import in_processes, in_this_process
    from lilliput.inference.listing import find_videos
    from lilliput.inference.writers import Header

    recognizer = loader()
    description = recognizer.description
    if recognizer.note:
        messages.print(f"note: {recognizer.note}", style="yellow", markup=False)
    loader = replace(loader, engine=recognizer.engine.name)  # auto means the same to all workers
    identity = loader.identify(recognizer)
    header = Header(
        description.labels.class_names, description.thresholds, identity, description.task
    )
    videos = find_videos(paths)
    if ray is not None:
        from lilliput.inference.archive.cluster import on_ray

        one_thread = replace(loader, num_threads=1)
        backend = partial(on_ray, address=ray, num_workers=workers or None)
        return Job(videos, ShippedLoader.pack(one_thread), header, backend)
    count = min(workers or 1, len(videos))
    if count < 2:
        return Job(videos, lambda: recognizer, header, in_this_process)
    share = replace(loader, num_threads=max(1, torch.get_num_threads() // count))
    return Job(videos, share, header, partial(in_processes, num_workers=count))


def _print_stopped(out: Path | None, messages: Console) -> None:
    if out is None:
        line = "stopped; with --out FILE a run can go on where it was stopped"
    else:
        command = shlex.join(["lilliput", *sys.argv[1:]])
        line = f"stopped; every finished video is kept. Go on with:\n  {command}"
    messages.print(line, markup=False, soft_wrap=True)
