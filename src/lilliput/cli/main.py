"""The commands. Each parses, calls one function and prints; heavy imports wait until then."""

import shlex
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lilliput.cli.benchmark import app as benchmark_app
from lilliput.cli.data import app as data_app
from lilliput.cli.evaluation import evaluate, submit, tune
from lilliput.cli.events import app as events_app
from lilliput.cli.export import export
from lilliput.cli.options import Data, FinalModel, Overrides
from lilliput.cli.output import console, messages, print_fact
from lilliput.cli.predict import predict
from lilliput.cli.probe import probe
from lilliput.cli.reproduce import reproduce
from lilliput.cli.serve import serve
from lilliput.cli.timing import evaluate_events, tune_events
from lilliput.cli.watch import watch
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
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Cross-validate by recording, on train and val pooled."),
    ] = None,
    final: Annotated[
        FinalModel | None,
        typer.Option(help="What --folds keeps: a model of all clips, or those of the folds [all]."),
    ] = None,
    set_: Overrides = None,
) -> None:
    """Train a recipe, tune its thresholds on the validation split, and report."""
    from lilliput.config import load_config

    config = load_config(recipe, set_ or ())
    folder = run or Path("runs") / Path(recipe).stem
    if final and not folds:
        raise ConfigError("--final chooses what --folds keeps; give --folds 5, too")

    from lilliput.builders import build_labels
    from lilliput.data import read_dataset
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.crossval import cross_validate
    from lilliput.experiments.run import run_recipe
    from lilliput.training.fit import settle

    dataset = read_dataset(data)
    _print_dataset(dataset)
    if config.augment.flip_labels == "swap":
        _print_flip_pairs(build_labels(config, dataset.labels))
    try:
        if folds:
            evaluation = cross_validate(
                config,
                dataset,
                folder,
                num_folds=folds,
                final=final.value if final else "all",
                resume=resume,
                tell=_tell,
            )
        else:
            config = settle(config, dataset, tell=lambda line: _tell(f"note: {line}"))
            evaluation = run_recipe(config, dataset, folder, resume=resume)
    except KeyboardInterrupt:
        words = ["lilliput", "train", recipe, "--data", str(data), "--run", str(folder)]
        if folds:
            words += ["--folds", str(folds), *(["--final", final] if final else [])]
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
        print_fact("clips that could not be read", folder / "unreadable.txt")
    print_fact("model", folder / "best.safetensors")
    print_fact("report", evaluation.page)


app.command()(evaluate)
app.command()(tune)
app.command()(predict)
app.command()(watch)
app.command()(tune_events)
app.command()(evaluate_events)
app.command()(export)
app.command()(probe)


app.command()(submit)


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


app.add_typer(events_app, name="events")
app.add_typer(benchmark_app, name="benchmark")
app.command()(reproduce)
app.command()(serve)


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


def _print_dataset(dataset: "VideoDataset") -> None:
    sizes = ", ".join(f"{len(clips)} {split}" for split, clips in dataset.splits.items())
    kind = f"{dataset.layout}, synthetic" if dataset.synthetic else dataset.layout
    print_fact("data", f"{dataset.root} ({kind}): {sizes}")


def _tell(line: str) -> None:
    messages.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_flip_pairs(labels: "LabelSet") -> None:
    names = labels.class_names
    for left, right in labels.flip_pairs:
        console.print(f"a flip exchanges {names[left]} and {names[right]}", markup=False)
