"""The commands. Each parses, calls one function and prints; heavy imports wait until then."""

import shlex
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from lilliput.cli.data import app as data_app
from lilliput.cli.options import (
    Data,
    Model,
    Models,
    Objective,
    Overrides,
    ThresholdMode,
    Thresholds,
    Views,
)
from lilliput.cli.reproduce import reproduce
from lilliput.errors import ConfigError, LilliputError

if TYPE_CHECKING:
    from lilliput.data import LabelSet, VideoDataset

app = typer.Typer(
    name="lilliput",
    help="Recognises actions in low-resolution video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # square brackets in help texts are defaults, not markup
)
app.add_typer(data_app, name="data")
console = Console(emoji=False)
messages = Console(stderr=True, emoji=False)  # keeps stdout free for --json and --csv


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
) -> None:
    """Make synthetic clips, train on them, evaluate, predict and report: the whole job."""
    from lilliput.experiments.demo import run_demo

    run_demo(out, console)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name, or a TOML file.")],
    data: Data,
    run: Annotated[Path | None, typer.Option(help="Run folder [runs/RECIPE].")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last saved epoch.")] = False,
    set_: Overrides = None,
) -> None:
    """Train a recipe, tune its thresholds on the validation split, and report."""
    from lilliput.config import load_config

    config = load_config(recipe, set_ or ())
    folder = run or Path("runs") / Path(recipe).stem

    from lilliput.builders import build_labels
    from lilliput.data import read_dataset
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.run import run_recipe

    dataset = read_dataset(data)
    _print_dataset(dataset)
    if config.augment.flip_labels == "swap":
        _print_flip_pairs(build_labels(config, dataset.labels))
    try:
        evaluation = run_recipe(config, dataset, folder, resume=resume)
    except KeyboardInterrupt:
        words = ["lilliput", "train", recipe, "--data", str(data), "--run", str(folder)]
        for override in set_ or ():
            words += ["--set", override]
        messages.print(
            f"stopped; every finished epoch is kept. Go on with:\n  {shlex.join(words)} --resume",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(130) from None
    print_report(evaluation.report, console)
    if (folder / "unreadable.txt").is_file():
        _print_fact("clips that could not be read", folder / "unreadable.txt")
    _print_fact("model", folder / "best.safetensors")
    _print_fact("report", evaluation.page)


@app.command()
def evaluate(
    models: Models,
    data: Data,
    split: Annotated[str, typer.Option(help="A labelled split.")] = "val",
    thresholds: Thresholds = None,
    out: Annotated[
        Path | None, typer.Option(help="Report folder [runs/evaluate/MODEL/SPLIT].")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Another run's report folder, to compare with.")
    ] = None,
    set_: Views = None,
) -> None:
    """Score a labelled split with the model's thresholds and write a report."""
    from lilliput.checkpoint import load_checkpoint
    from lilliput.data import read_dataset
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.run import change_checkpoint_views, evaluate_models

    checkpoints = [change_checkpoint_views(load_checkpoint(model), set_ or ()) for model in models]
    name = "+".join(Path(model).stem for model in models)
    folder = out or Path("runs") / "evaluate" / name / split
    evaluation = evaluate_models(
        checkpoints,
        read_dataset(data),
        split,
        folder,
        model=", ".join(models),
        tuned=thresholds,
        baseline=baseline,
    )
    print_report(evaluation.report, console)
    _print_fact("report", evaluation.page)
    _print_fact("scores", folder / "scores.npz")


@app.command()
def tune(
    reports: Annotated[
        list[Path], typer.Argument(help="Report folders; several are averaged (an ensemble).")
    ],
    out: Annotated[Path, typer.Option(help="Report folder.")] = Path("runs/tune"),
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint to write the thresholds into.")
    ] = None,
    threshold: Annotated[ThresholdMode, typer.Option(help="What to find.")] = (
        ThresholdMode.PER_CLASS
    ),
    objective: Annotated[Objective, typer.Option(help="What to maximise.")] = Objective.MACRO_F1,
    min_support: Annotated[
        int, typer.Option(min=1, help="Classes with fewer clips take the global threshold.")
    ] = 10,
) -> None:
    """Tune thresholds from saved scores, without scoring the clips again."""
    from lilliput.config import parse_config
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.run import tune_again

    tuning = {"threshold": threshold, "objective": objective, "min_support": min_support}
    config = parse_config({"evaluation": tuning}, source="tune").evaluation
    evaluation = tune_again(reports, config, out, model)
    print_report(evaluation.report, console)
    _print_fact("report", evaluation.page)


@app.command()
def predict(
    model: Model,
    videos: Annotated[list[Path], typer.Argument(help="Video files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    window_seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="Length of the windows of a long video [the training clips']."),
    ] = None,
) -> None:
    """Recognise the actions in videos of any length."""
    if as_json and as_csv:
        raise ConfigError("--json and --csv exclude each other; give one of them")

    from lilliput.inference.listing import Style, find_videos, predict_files
    from lilliput.inference.recognizer import Recognizer

    recognizer = Recognizer.load(model, window_seconds=window_seconds)
    if recognizer.checkpoint.note:
        messages.print(f"note: {recognizer.checkpoint.note}", style="yellow", markup=False)
    style: Style = "json" if as_json else "csv" if as_csv else "table"
    failures = predict_files(recognizer, find_videos(videos), style, messages)
    for failure in failures:
        messages.print(f"skipped: {failure}", style="red", markup=False, soft_wrap=True)
    if failures:
        messages.print(f"{len(failures)} of the videos could not be read", markup=False)
        raise typer.Exit(2)


@app.command()
def submit(
    models: Models,
    data: Data,
    split: Annotated[str, typer.Option(help="The split without labels.")] = "test",
    thresholds: Thresholds = None,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")] = Path(
        "answer.zip"
    ),
    set_: Views = None,
) -> None:
    """Write the TinyAction challenge's answer.txt zip for a split without labels."""
    from lilliput.checkpoint import load_checkpoint
    from lilliput.data import read_dataset
    from lilliput.experiments.run import change_checkpoint_views
    from lilliput.experiments.run import submit as write

    checkpoints = [change_checkpoint_views(load_checkpoint(model), set_ or ()) for model in models]
    scored = write(checkpoints, read_dataset(data), split, out, thresholds)
    for reason in scored.unreadable:
        messages.print(f"no label given: {reason}", style="red", markup=False, soft_wrap=True)
    console.print(f"{len(scored.clip_ids)} clips, every id present")
    _print_fact("submission", out)


@app.command()
def info(
    model: Annotated[
        str | None,
        typer.Argument(help="A network, a recipe or a checkpoint; none lists what there is."),
    ] = None,
    set_: Overrides = None,
) -> None:
    """Tell what a network costs, what a checkpoint holds, or which of them there are."""
    from lilliput.cli.info import print_info, print_overview

    if model is None:
        print_overview(console)
    else:
        print_info(model, set_ or (), console)


app.command()(reproduce)


def main() -> None:
    """The entry point: a mistake becomes one line and exit code 2, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that cannot be shown is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (LilliputError, OSError) as error:  # OSError: a full disk, a folder without rights
        line = " ".join(str(error).split())
        messages.print(f"error: {line}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_fact(name: str, fact: object) -> None:
    console.print(f"{name}: {fact}", markup=False, highlight=False, soft_wrap=True)


def _print_dataset(dataset: "VideoDataset") -> None:
    sizes = ", ".join(f"{len(clips)} {split}" for split, clips in dataset.splits.items())
    kind = f"{dataset.layout}, synthetic" if dataset.synthetic else dataset.layout
    _print_fact("data", f"{dataset.root} ({kind}): {sizes}")


def _print_flip_pairs(labels: "LabelSet") -> None:
    names = labels.class_names
    for left, right in labels.flip_pairs:
        console.print(f"a flip exchanges {names[left]} and {names[right]}", markup=False)
