"""Trains what a table needs and is missing, evaluates it, and renders table and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure as Picture
from rich.console import Console

from lilliput.builders import build_model
from lilliput.config import Config, load_config
from lilliput.data import VideoDataset
from lilliput.data.published import CLIPS_PER_SPLIT
from lilliput.errors import ConfigError
from lilliput.evaluation.breakdown import rows_per_side
from lilliput.evaluation.plots import (
    draw_coverage,
    draw_per_class,
    draw_per_side,
    draw_thresholds,
)
from lilliput.experiments.comparison import TableContext, compare_table
from lilliput.experiments.figures import draw_runs, draw_training
from lilliput.experiments.rendering import print_table, write_table
from lilliput.experiments.rows import Figure, Table
from lilliput.experiments.scales import Scale, changes_in_words, scale_dataset, scale_recipe
from lilliput.experiments.trainings import (
    RowRun,
    claim,
    evaluate,
    read_row,
    row_report,
    score,
    train,
)

_DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Settings:
    """How the experiments are run.

    Attributes:
        scale: How large.
        seeds: One training of each row per seed.
        overrides: ``section.key=value``, applied after the scale.
        from_scratch: Without the thesis' pretrained weights.
        split: What rows are evaluated on; None: ``test`` where its labels are known, else val.
    """

    scale: Scale = Scale.THESIS
    seeds: tuple[int, ...] = (1,)
    overrides: tuple[str, ...] = ()
    from_scratch: bool = False
    split: str | None = None


Plan = Mapping[str, Sequence[RowRun]]  # by recipe, one run per seed


def plan_runs(tables: Sequence[Table], settings: Settings, split: str, out: Path) -> Plan:
    """Every row of the tables once, at every seed.

    Raises:
        ConfigError: An override does not fit a recipe.
    """
    return {
        row.recipe: [
            RowRun(row.recipe, _scaled(row.recipe, settings, seed), split, out)
            for seed in settings.seeds
        ]
        for table in tables
        for row in table.rows
    }


def choose_split(dataset: VideoDataset, settings: Settings) -> str:
    """The split that is reported on.

    Raises:
        DataError: The chosen split is not there, or its labels are withheld.
    """
    if settings.split is not None:
        dataset.split(settings.split)
        return settings.split
    test = dataset.splits.get("test", ())
    return "test" if test and all(clip.labels is not None for clip in test) else "val"


def reproduce(
    tables: Sequence[Table], dataset: VideoDataset, out: Path, settings: Settings, console: Console
) -> None:
    """Reproduces tables one after the other; what is done already is not repeated.

    Args:
        tables: The tables.
        dataset: What to train and evaluate on.
        out: Where everything is kept; see ``trainings``. Tables and figures go to ``tables/``.
        settings: At which scale, with which seeds.
        console: Where progress and the tables are told.

    Raises:
        ConfigError: An override does not fit a recipe.
        DataError: The folder holds experiments on other clips.
        TrainingError: A training cannot go on.
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    split = choose_split(dataset, settings)
    plan = plan_runs(tables, settings, split, out)
    clips = scale_dataset(dataset, settings.scale)
    _check(plan, len(dataset.labels))
    claim(out, clips)
    trainings = list(dict.fromkeys(run.training for runs in plan.values() for run in runs))
    for table in tables:
        for row in table.rows:
            for run in plan[row.recipe]:
                if not run.trained:
                    number = trainings.index(run.training) + 1
                    seed = run.config.training.seed
                    console.print(
                        f"training {number} of {len(trainings)}: {run.config.title}, seed {seed}",
                        markup=False,
                        highlight=False,
                    )
                train(run, clips)
                evaluate(run, clips)
        _conclude(table, plan, clips, _context(table, plan, dataset, clips, settings), console)


def _check(plan: Plan, num_classes: int) -> None:
    """Refuses a network that cannot be built now, not after days of other trainings."""
    for recipe, (first, *_) in plan.items():
        try:
            with torch.device("meta"):  # shapes only
                build_model(first.config.model, num_classes, first.config.sampling.num_frames)
        except ConfigError as error:
            raise ConfigError(f"{recipe}: {error}") from None


def _scaled(recipe: str, settings: Settings, seed: int) -> Config:
    return scale_recipe(
        load_config(recipe),
        settings.scale,
        seed,
        settings.overrides,
        from_scratch=settings.from_scratch,
    )


def _conclude(
    table: Table, plan: Plan, clips: VideoDataset, context: TableContext, console: Console
) -> None:
    runs = {row.recipe: [read_row(run) for run in plan[row.recipe]] for row in table.rows}
    document = compare_table(table, runs, context)
    folder = plan[table.rows[0].recipe][0].out / "tables"
    folder.mkdir(exist_ok=True)
    pictures = []
    for figure in table.figures:
        path = folder / f"figure-{figure.number}.png"
        _draw(figure, plan, clips).savefig(path, dpi=_DOTS_PER_INCH)
        pictures.append(path)
    print_table(document, console)
    for path in (*write_table(document, pictures, folder), *pictures):
        console.print(f"made: {path}", markup=False, highlight=False, soft_wrap=True)


def _draw(figure: Figure, plan: Plan, clips: VideoDataset) -> Picture:
    folders = {legend: [run.training for run in plan[recipe]] for legend, recipe in figure.runs}
    match figure.kind:
        case "training":
            return draw_training(*folders.values())
        case "val_f1" | "val_recall":
            return draw_runs(folders, figure.kind)
    run = plan[figure.runs[0][1]][0]  # one model: that of the first seed
    scored = score(run, clips, run.config.data.val)
    thresholds = read_row(run).thresholds
    if figure.kind == "per_size":
        return draw_per_side(rows_per_side(scored.label(thresholds), scored))
    report = row_report(run, scored, thresholds)
    if figure.kind == "per_class":
        return draw_per_class(report)
    return draw_coverage(report) if report["task"] == "single" else draw_thresholds(report)


def _context(
    table: Table, plan: Plan, dataset: VideoDataset, clips: VideoDataset, settings: Settings
) -> TableContext:
    runs = [plan[row.recipe][0] for row in table.rows]
    config, split = runs[0].config, runs[0].split
    used = dict.fromkeys((config.data.train, config.data.val, split))
    sizes = ", ".join(f"{len(clips.splits[name])} {name}" for name in used)
    notes = []
    if len(dataset.split(config.data.train)) != CLIPS_PER_SPLIT["TinyVIRAT-v2"]["train"]:
        notes.append("Other clips than the thesis': compare rows with rows, not with its scores.")
    if clips is not dataset:
        notes.append("The first few clips of each class only: scores mean nothing.")
    if dataset.synthetic:
        notes.append("The clips are rendered: scores say nothing about real footage.")
    if split == config.data.val:
        best = any(run.config.training.keep == "best" for run in runs)
        chosen = "Best epochs and thresholds" if best else "Tuned thresholds"
        notes.append(f"{chosen} were chosen on this split, so scores flatter.")
    return TableContext(
        data=f"{dataset.root.name} ({dataset.layout}; {sizes} clips)",
        split=split,
        scale=settings.scale.value,
        seeds=settings.seeds,
        changes=changes_in_words((load_config(run.recipe), run.config) for run in runs),
        notes=notes,
    )
