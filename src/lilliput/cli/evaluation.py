"""``lilliput evaluate``, ``tune`` and ``submit``: scores of a split, and what is made of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lilliput.cli.options import (
    Data,
    EvaluationEngine,
    Models,
    NumberFormat,
    Objective,
    ThresholdMode,
    Thresholds,
    Views,
)
from lilliput.cli.output import console, messages, print_fact

if TYPE_CHECKING:
    from lilliput.checkpoint import Description
    from lilliput.inference.engines import Engine


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
    engine: EvaluationEngine = None,
    precision: NumberFormat = None,
    set_: Views = None,
) -> None:
    """Score a labelled split with the model's thresholds and write a report."""
    from lilliput.data import read_dataset
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.run import evaluate_models

    descriptions, forwards = _load(models, engine, precision, set_ or ())
    name = "+".join(Path(model).stem for model in models)
    folder = out or Path("runs") / "evaluate" / name / split
    evaluation = evaluate_models(
        descriptions,
        read_dataset(data),
        split,
        folder,
        model=", ".join(models),
        forwards=forwards,
        tuned=thresholds,
        baseline=baseline,
    )
    print_report(evaluation.report, console)
    print_fact("report", evaluation.page)
    print_fact("scores", folder / "scores.npz")


def tune(
    reports: Annotated[
        list[Path], typer.Argument(help="Report folders; several are averaged (an ensemble).")
    ],
    out: Annotated[Path, typer.Option(help="Report folder.")] = Path("runs/tune"),
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint to write the thresholds into.")
    ] = None,
    threshold: Annotated[
        ThresholdMode | None,
        typer.Option(help="What to find, of clips with any number of labels [per_class]."),
    ] = None,
    objective: Annotated[Objective, typer.Option(help="What to maximise.")] = Objective.MACRO_F1,
    min_support: Annotated[
        int | None,
        typer.Option(min=1, help="Classes with fewer clips take the global threshold [10]."),
    ] = None,
) -> None:
    """Tune thresholds from saved scores, without scoring the clips again.

    Of clips with one label there is one thing to tune: the probability below which a clip is
    called unknown.
    """
    from lilliput.config import parse_config
    from lilliput.errors import ConfigError
    from lilliput.evaluation.rendering import print_report
    from lilliput.experiments.saved import read_report_folder
    from lilliput.experiments.tuning import tune_again

    tuning: dict[str, object] = {"objective": objective}
    only_of_several = {"threshold": threshold, "min-support": min_support}
    given = [f"--{name} {value}" for name, value in only_of_several.items() if value is not None]
    if read_report_folder(reports[0]).scored.task == "multi":
        mode = threshold or ThresholdMode.PER_CLASS
        tuning |= {"threshold": mode} | ({"min_support": min_support} if min_support else {})
    elif not given:
        tuning |= {"unknown_below": "tuned"}
    else:
        raise ConfigError(
            f"{given[0]}: these clips have one label each, so the one thing to tune is the "
            f"probability below which a clip is unknown; leave {given[0].split()[0]} out"
        )
    config = parse_config({"evaluation": tuning}, source="tune").evaluation
    evaluation = tune_again(reports, config, out, model)
    print_report(evaluation.report, console)
    print_fact("report", evaluation.page)


def submit(
    models: Models,
    data: Data,
    split: Annotated[str, typer.Option(help="The split without labels.")] = "test",
    thresholds: Thresholds = None,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")] = Path(
        "answer.zip"
    ),
    engine: EvaluationEngine = None,
    precision: NumberFormat = None,
    set_: Views = None,
) -> None:
    """Write the TinyAction challenge's answer.txt zip for a split without labels."""
    from lilliput.data import read_dataset
    from lilliput.experiments.run import submit as write

    descriptions, forwards = _load(models, engine, precision, set_ or ())
    scored = write(descriptions, read_dataset(data), split, out, thresholds, forwards)
    for reason in scored.unreadable:
        messages.print(f"no label given: {reason}", style="red", markup=False, soft_wrap=True)
    console.print(f"{len(scored.clip_ids)} clips, every id present")
    print_fact("submission", out)


def _load(
    models: Sequence[str],
    engine: str | None,
    precision: str | None,
    overrides: Sequence[str],
) -> "tuple[list[Description], list[Engine]]":
    """The models with other views, and what runs them: PyTorch, and an export's own engine."""
    from lilliput.experiments.run import change_model_views
    from lilliput.inference.loading import EXPORTS, load_model

    loaded = []
    for model in models:
        own = "auto" if Path(model).suffix in EXPORTS else "torch"
        loaded.append(load_model(model, engine=engine or own, precision=precision))
    for _, runner in loaded:
        if runner.note:
            messages.print(f"note: {runner.note}", style="yellow", markup=False)
    return (
        [change_model_views(description, overrides) for description, _ in loaded],
        [runner for _, runner in loaded],
    )
