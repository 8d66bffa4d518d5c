"""What `lilliput info` prints."""

import difflib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lilliput.builders import MODELS, build_model
from lilliput.checkpoint import Checkpoint, load_checkpoint
from lilliput.config import (
    Config,
    ModelConfig,
    change_settings,
    load_config,
    parse_config,
    recipe_names,
)
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import CheckpointError, ConfigError
from lilliput.models.facts import ModelFacts, measure_facts
from lilliput.task import IN_WORDS
from lilliput.weights import SHIPPED

_STREAMS = [14, 56, 112]  # px, of a multi-scale net called by its name: those of the recipes
_RESNETS = ("resnet3d", "multiscale", "fpn", "multiscale_fpn")
_SHOWN_APART = ("name", "input_size", "adapted", "normalisation")


def print_overview(console: Console) -> None:
    """The recipes, the networks and the models that ship with the package."""
    console.print(f"lilliput {version('lilliput')}", highlight=False)
    recipes = Table("recipe", "", title="recipes: lilliput train RECIPE --data ROOT")
    for name in recipe_names():
        recipes.add_row(name, escape(load_config(name).title))
    console.print(recipes)
    console.print(f"networks: {', '.join(MODELS)}", highlight=False)
    console.print(f"shipped models: {', '.join(SHIPPED)}", highlight=False)


def print_info(name: str, overrides: Sequence[str], console: Console) -> None:
    """Facts of a checkpoint, a network or a recipe.

    Args:
        name: A checkpoint's path, run folder or shipped name; a network's name; a recipe's name
            or TOML file. A checkpoint that exists comes first.
        overrides: ``section.key=value``, for networks and recipes.
        console: Where to print.

    Raises:
        CheckpointError: The name is none of these, or the checkpoint cannot be read.
        ConfigError: A setting does not fit, or is given with a checkpoint.
    """
    if _is_checkpoint(name):
        if overrides:
            raise ConfigError(
                f"--set {overrides[0]}: {name} is a checkpoint, which is trained and fixed; "
                "give a network or a recipe"
            )
        print_checkpoint(load_checkpoint(name), console)
    elif name in recipe_names() or Path(name).suffix == ".toml":
        print_network(load_config(name, overrides), console)
    elif name in MODELS:
        print_network(_network_config(name, overrides), console)
    else:
        known = [*MODELS, *recipe_names(), *SHIPPED]
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise CheckpointError(
            f"{name}: no such checkpoint, network or recipe; nearest is '{nearest}'"
        )


def measure_config(config: ModelConfig, num_classes: int, num_frames: int = 16) -> ModelFacts:
    """Facts of the network of a configuration; nothing is computed."""
    with torch.device("meta"):
        model = build_model(config, num_classes, num_frames)
    return measure_facts(model, (3, num_frames, config.clip_size, config.clip_size))


def print_network(config: Config, console: Console) -> None:
    """Settings, cost and maps of a network that need not be trained."""
    num_classes = len(TINYVIRAT_CLASSES)
    facts = measure_config(config.model, num_classes, config.sampling.num_frames)
    table = Table(title=escape(config.title or config.model.name), show_header=False)
    _add_settings(table, config.model)
    table.add_row("classes", f"{num_classes}, as in TinyVIRAT")
    _add_cost(table, facts, config.sampling.num_frames)
    console.print(table)
    print_maps(facts, console)


def print_maps(facts: ModelFacts, console: Console) -> None:
    """The sizes of the feature maps, one column for each part of the network."""
    table = Table("part", "map", "frames × height × width × channels")
    for group in facts.groups:
        for index, map_ in enumerate(facts.group(group)):
            table.add_row(group if index == 0 else "", map_.name, str(map_))
        table.add_section()
    console.print(table)


def print_checkpoint(checkpoint: Checkpoint, console: Console) -> None:
    """Network, cost, sampling, normalisation, classes with their thresholds, scores, maps."""
    config = checkpoint.config
    num_frames, method = config.sampling.num_frames, config.sampling.method
    every = "; the maximum over all clips" if config.sampling.evaluation == "all" else ""
    cost = measure_config(config.model, len(checkpoint.labels), num_frames)
    normalisation = checkpoint.normalisation
    centre = "its own mean" if normalisation.per_clip else normalisation.mean
    spread = "its own deviation" if normalisation.own_contrast else normalisation.std
    channels = "; brightness and its changes" if normalisation.motion else ""
    facts = Table(title=escape(config.title or "checkpoint"), show_header=False)
    _add_settings(facts, config.model)
    _add_cost(facts, cost, num_frames)
    for name, value in (
        ("sampling", f"{method}, {num_frames} frames{every}"),
        ("clip length", f"{checkpoint.clip_seconds} s"),
        ("normalisation", f"minus {centre}, divided by {spread}{channels}"),
        ("test-time augmentation", _views(checkpoint)),
        ("task", IN_WORDS[checkpoint.task]),
    ):
        facts.add_row(name, str(value))
    if checkpoint.task == "single":
        limit = max(checkpoint.thresholds)
        facts.add_row("unknown below", f"{100 * limit:.1f} %" if limit else "never")
    for split, metrics in checkpoint.metrics.items():
        if "classification" in metrics:
            top1 = metrics["classification"]["top1"]
            facts.add_row(escape(f"top-1 on {split}"), f"{100 * top1:.1f} %")
        if "macro" in metrics:
            facts.add_row(escape(f"macro F1 on {split}"), f"{100 * metrics['macro']['f1']:.1f} %")
    console.print(facts)
    if checkpoint.note:
        console.print(f"note: {checkpoint.note}", style="yellow", markup=False)
    console.print(_classes_table(checkpoint))
    print_maps(cost, console)


def _classes_table(checkpoint: Checkpoint) -> Table:
    """Classes and what a mirror makes of them; with thresholds where each class has its own."""
    single = checkpoint.task == "single"
    table = Table("class", *([] if single else ["threshold"]), "a flip makes it")
    names = checkpoint.labels.class_names
    mirrored = dict(checkpoint.flip_pairs)
    mirrored |= {right: left for left, right in mirrored.items()}
    for index, (name, threshold) in enumerate(zip(names, checkpoint.thresholds, strict=True)):
        other = names[mirrored[index]] if index in mirrored else ""
        limits = [] if single else [f"{threshold:.3f}"]
        table.add_row(escape(name), *limits, escape(other))
    return table


def _is_checkpoint(name: str) -> bool:
    path = Path(name)
    if path.is_dir():
        return (path / "best.safetensors").is_file()
    return name in SHIPPED or (path.is_file() and path.suffix != ".toml")


def _network_config(name: str, overrides: Sequence[str]) -> Config:
    settings: dict[str, object] = {"name": name}
    if "multiscale" in name or name == "image_pyramid":
        settings["input_sizes"] = _STREAMS
    if name == "p3d":
        settings["depth"] = 50
    return change_settings(parse_config({"model": settings}, source=name), overrides)


def _add_settings(table: Table, config: ModelConfig) -> None:
    """The network's name, its depth and width, and every setting that is not the default."""
    changed = config.model_dump(mode="json", exclude_defaults=True)
    if config.name in _RESNETS and config.backbone == "resnet3d":
        changed = {"depth": config.depth, "width": config.width} | changed
    words = [f"{name} {value}" for name, value in changed.items() if name not in _SHOWN_APART]
    table.add_row("network", escape(", ".join([config.name, *words])))
    adapted = "stride-adapted" if config.adapted else "unadapted"
    enlarged = (
        "" if config.front_end == "none" else f", enlarged from clips of {config.clip_size} px"
    )
    table.add_row("input", f"{config.input_size} px, {adapted}{enlarged}")


def _add_cost(table: Table, facts: ModelFacts, num_frames: int) -> None:
    macs = f"{facts.macs / 1e9:.2f}"
    if facts.backbone_macs is not None:
        macs += f"; the backbone alone {facts.backbone_macs / 1e9:.2f}"
    for name, value in (
        ("parameters", f"{facts.parameters / 1e6:.2f} M"),
        (f"GMACs per clip of {num_frames} frames", macs),
        ("memory of the weights", f"{facts.weights_mib:.1f} MiB"),
        ("memory of one clip's maps", f"{facts.inference_mib:.1f} MiB at the peak"),
        ("kept of each clip in training", f"{facts.training_mib:.1f} MiB"),
    ):
        table.add_row(name, value)


def _views(checkpoint: Checkpoint) -> str:
    evaluation = checkpoint.config.evaluation
    views = [
        name
        for name, used in (
            ("horizontal flip", evaluation.flip),
            ("vertical flip", evaluation.vertical_flip),
            ("quarter turn", evaluation.quarter_turn),
        )
        if used
    ]
    if evaluation.num_clips > 1:
        views.append(f"{evaluation.num_clips} clips")
    return ", ".join(views) or "none"
