"""The commands. Each parses, calls one function and prints; heavy imports wait until then."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from lilliput.cli.adapt import adapt
from lilliput.cli.benchmark import app as benchmark_app
from lilliput.cli.data import app as data_app
from lilliput.cli.evaluation import evaluate, submit, tune
from lilliput.cli.events import app as events_app
from lilliput.cli.export import export
from lilliput.cli.options import Overrides
from lilliput.cli.output import console, messages
from lilliput.cli.predict import predict
from lilliput.cli.probe import probe
from lilliput.cli.reproduce import reproduce
from lilliput.cli.serve import serve
from lilliput.cli.super_resolution import train_sr
from lilliput.cli.timing import evaluate_events, tune_events
from lilliput.cli.train import train
from lilliput.cli.watch import watch
from lilliput.errors import LilliputError

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
    from lilliput.demo import run_demo

    run_demo(out, console)


app.command()(train)
app.command()(train_sr)
app.command()(evaluate)
app.command()(tune)
app.command()(predict)
app.command()(watch)
app.command()(adapt)
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
