"""What `lilliput info` prints."""

from importlib.metadata import version

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lilliput.checkpoint import SHIPPED, Checkpoint
from lilliput.config import load_config, recipe_names


def print_overview(console: Console) -> None:
    """The recipes and the models that ship with the package."""
    console.print(f"lilliput {version('lilliput')}", highlight=False)
    recipes = Table("recipe", "", title="recipes: lilliput train RECIPE --data ROOT")
    for name in recipe_names():
        recipes.add_row(name, escape(load_config(name).title))
    console.print(recipes)
    console.print(f"shipped models: {', '.join(SHIPPED)}", highlight=False)


def print_checkpoint(checkpoint: Checkpoint, console: Console) -> None:
    """Network, sampling, normalisation, classes with their thresholds, scores."""
    config = checkpoint.config
    parameters = sum(weight.numel() for weight in checkpoint.build_model().parameters())
    adapted = "stride-adapted" if config.model.adapted else "unadapted"
    method = config.sampling.method
    centre = "its own mean" if checkpoint.normalisation.per_clip else checkpoint.normalisation.mean
    facts = Table(title=escape(config.title or "checkpoint"), show_header=False)
    for name, value in (
        ("network", f"{config.model.name}, depth {config.model.depth}, width {config.model.width}"),
        ("input", f"{config.model.input_size} px, {adapted}"),
        ("parameters", f"{parameters / 1e6:.2f} M"),
        ("sampling", f"{method}, {config.sampling.num_frames} frames"),
        ("clip length", f"{checkpoint.clip_seconds} s"),
        ("normalisation", f"minus {centre}, divided by {checkpoint.normalisation.std}"),
        ("test-time augmentation", _views(checkpoint)),
    ):
        facts.add_row(name, str(value))
    for split, metrics in checkpoint.metrics.items():
        if "macro" in metrics:
            facts.add_row(escape(f"macro F1 on {split}"), f"{100 * metrics['macro']['f1']:.1f} %")
    console.print(facts)
    if checkpoint.note:
        console.print(f"note: {checkpoint.note}", style="yellow", markup=False)
    classes = Table("class", "threshold", "a flip makes it")
    names = checkpoint.labels.class_names
    mirrored = dict(checkpoint.flip_pairs)
    mirrored |= {right: left for left, right in mirrored.items()}
    for index, (name, threshold) in enumerate(zip(names, checkpoint.thresholds, strict=True)):
        other = names[mirrored[index]] if index in mirrored else ""
        classes.add_row(escape(name), f"{threshold:.3f}", escape(other))
    console.print(classes)


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
