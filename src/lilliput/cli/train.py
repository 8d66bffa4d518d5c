"""``lilliput train``: labeled clips to a trained, thresholded model and its report."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lilliput.cli.options import Data, FinalModel, Overrides
from lilliput.cli.output import console, messages, print_fact
from lilliput.errors import ConfigError

if TYPE_CHECKING:
    from lilliput.config import Config
    from lilliput.data import LabelSet, VideoDataset
    from lilliput.experiments.run import Evaluation

RunFolder = Annotated[Path | None, typer.Option(help="Run folder [runs/RECIPE, or runs/DATA].")]


def train(
    data: Data,
    recipe: Annotated[
        str | None,
        typer.Argument(help="A shipped recipe, or a file [settings chosen for the data]."),
    ] = None,
    run: RunFolder = None,
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
    """Train on labeled clips, tune thresholds on the validation split, and report.

    Without a recipe the settings are chosen for the clips, and each is printed with its reason.
    """
    from lilliput.config import load_config

    if final and not folds:
        raise ConfigError("--final chooses what --folds keeps; give --folds 5, too")
    config = None if recipe is None else load_config(recipe, set_ or ())
    folder = run or Path("runs") / Path(recipe or data.resolve()).stem

    from lilliput.builders import build_labels
    from lilliput.data import read_dataset
    from lilliput.evaluation.rendering import print_report

    dataset = read_dataset(data)
    _print_dataset(dataset)
    if config is None:
        config = _choose(dataset, folder, set_ or (), folds, final, resume=resume)
    if config.augment.flip_labels == "swap":
        _print_flip_pairs(build_labels(config, dataset.labels))
    try:
        evaluation = _run(config, dataset, folder, folds, final, resume=resume)
    except KeyboardInterrupt:
        words = ["lilliput", "train", *([recipe] if recipe else []), "--data", str(data)]
        words += ["--run", str(folder)]
        if folds:
            words += ["--folds", str(folds), *(["--final", final] if final else [])]
        for override in set_ or ():
            words += ["--set", override]
        _tell(f"stopped; every finished epoch is kept. Go on with:\n  {shlex.join(words)} --resume")
        raise typer.Exit(130) from None
    if evaluation is not None:
        print_report(evaluation.report, console)
    if (folder / "unreadable.txt").is_file():
        print_fact("clips that could not be read", folder / "unreadable.txt")
    print_fact("model", folder / "best.safetensors")
    if evaluation is not None:
        print_fact("report", evaluation.page)
    else:
        print_fact("report", "none, as data.val is empty; see `lilliput evaluate` and `tune`")


def _run(
    config: "Config",
    dataset: "VideoDataset",
    folder: Path,
    folds: int | None,
    final: FinalModel | None,
    *,
    resume: bool,
) -> "Evaluation | None":
    from lilliput.experiments.crossval import cross_validate
    from lilliput.experiments.run import run_recipe
    from lilliput.training.fit import fit, settle

    if folds is None:
        config = settle(config, dataset, tell=lambda line: _tell(f"note: {line}"))
        if not config.data.val:
            fit(config, dataset, folder, resume=resume)
            return None
        return run_recipe(config, dataset, folder, resume=resume)
    return cross_validate(
        config,
        dataset,
        folder,
        num_folds=folds,
        final=final.value if final else "all",
        resume=resume,
        tell=_tell,
    )


def _choose(
    dataset: "VideoDataset",
    folder: Path,
    given: "list[str] | tuple[()]",
    folds: int | None,
    final: FinalModel | None,
    *,
    resume: bool,
) -> "Config":
    """The recipe for the data, printed; one that goes on keeps what it began with."""
    from lilliput.config import change_settings, load_config
    from lilliput.training.defaults import choose_defaults
    from lilliput.training.duration import estimate_folds_seconds, estimate_seconds
    from lilliput.training.fit import settle

    began = folder / "config.json"
    if resume and began.is_file():
        return change_settings(load_config(began), given)
    config, choices = choose_defaults(dataset, given, pooled=folds is not None)
    for choice in choices:
        console.print(str(choice), markup=False, highlight=False, soft_wrap=True)
    if folds is None:
        settle(config, dataset)  # refuses what cannot be learned before any clip is decoded
        seconds = estimate_seconds(config, dataset)
    else:
        ensemble = final is FinalModel.ENSEMBLE
        seconds = estimate_folds_seconds(config, dataset, folds, ensemble=ensemble)
    minutes = max(1, round(seconds / 60))
    print_fact("expected duration", f"about {minutes} min on this machine")
    print_fact("recipe", f"{folder / 'config.json'}, which can be given as RECIPE")
    return config


def _tell(line: str) -> None:
    messages.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_dataset(dataset: "VideoDataset") -> None:
    sizes = ", ".join(f"{len(clips)} {split}" for split, clips in dataset.splits.items())
    kind = f"{dataset.layout}, synthetic" if dataset.synthetic else dataset.layout
    print_fact("data", f"{dataset.root} ({kind}): {sizes}")


def _print_flip_pairs(labels: "LabelSet") -> None:
    names = labels.class_names
    for left, right in labels.flip_pairs:
        console.print(f"a flip exchanges {names[left]} and {names[right]}", markup=False)
