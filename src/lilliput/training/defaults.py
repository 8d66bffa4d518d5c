"""A recipe for the data at hand: every setting that should follow from the clips, with its reason.

The rules were chosen on real and rendered clips, 10 to 70 of a class; ``docs/training.md`` has
them, and what was seen. A setting that the user gives is left alone, and the choices after it
follow it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lilliput.builders import build_labels
from lilliput.checkpoint import load_checkpoint
from lilliput.config import INPUT_SIZES, Config, parse_config, parse_override, put_setting
from lilliput.data import VideoDataset
from lilliput.data.facts import DataFacts, in_words, measure_facts
from lilliput.data.task import find_task
from lilliput.errors import CheckpointError
from lilliput.training.precision import resolve_precision
from lilliput.weights import SHIPPED

_START = "people"
_FEW_CLIPS = 1000
_LEAST_SIDE = 24  # px; of smaller pictures what it learned elsewhere is worth less than nothing
_SIZES = tuple(size for size in INPUT_SIZES if 28 <= size <= 56)
_LEAST_SCALE = 0.7  # of a clip's short side
_BATCHES = ((200, 8), (1000, 16), (10**9, 32))  # up to so many clips
_LEAST_STEPS, _MOST_STEPS = 1000, 20_000
_PASSES = 60  # over the clips
_EPOCH_STEPS = 25
_LARGE = 2.0  # times the input size
_CAMERAS = (  # what differs from one camera, or one mounting of it, to the next
    ("padding", 0.06, "figures are not always in the same place"),
    ("rotation", 10.0, "cameras are not always level"),
    ("contrast", 0.15, "light is not always the same"),
)
_STRAIGHT_DOWN = ("vertical_flip", "quarter_turn")
_OF_TRAINING = {  # not of a trained network
    "dropout", "stochastic_depth", "members", "average", "front_end_weights", "front_end_frozen",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One setting, and why it was chosen."""

    setting: str
    value: Any
    reason: str

    def __str__(self) -> str:
        return f"{self.setting} = {self.value}: {self.reason}"


class _Settings:
    """What is given, and what is chosen beside it."""

    def __init__(self, given: Sequence[str]) -> None:
        self._given = dict(parse_override(text) for text in given)
        self._chosen: dict[str, Any] = {}
        self.choices: list[Choice] = []

    def choose(self, setting: str, value: Any, reason: str) -> Any:
        """Takes the value unless there is one already; returns the one that holds."""
        if setting in self._given or setting in self._chosen:
            return self.get(setting, None)
        self._chosen[setting] = value
        self.choices.append(Choice(setting, value, reason))
        return value

    def get(self, setting: str, default: Any) -> Any:
        """What was given or chosen."""
        return self._given.get(setting, self._chosen.get(setting, default))

    def gives(self, prefix: str) -> bool:
        """Whether any setting that begins so was given."""
        return any(setting.startswith(prefix) for setting in self._given)

    def build(self) -> Config:
        """The recipe."""
        nested: dict[str, Any] = {}
        for dotted, value in (self._chosen | self._given).items():
            put_setting(nested, dotted, value)
        return parse_config(nested, source="--set")


def choose_defaults(
    dataset: VideoDataset, given: Sequence[str] = (), *, pooled: bool = False
) -> tuple[Config, list[Choice]]:
    """Chooses a recipe for a data set.

    Args:
        dataset: What is to be learned.
        given: ``section.key=value``, settings that are not to be chosen.
        pooled: Whether the training and validation splits are pooled and divided into folds; then
            the second one may be missing.

    Returns:
        The recipe, and what was chosen, in order.

    Raises:
        ConfigError: A given setting is misspelt or does not fit.
        DataError: A split is missing, its clips cannot be opened, or the labels do not fit.
    """
    settings = _Settings(given)
    settings.choose("sampling.method", "segment", "the frames cover the whole clip")
    config = settings.build()  # refuses what is misspelt
    val = config.data.val
    splits = [config.data.train]
    if val and (dataset.splits.get(val) or not pooled):
        splits.append(val)
    dataset = replace(dataset, labels=build_labels(config, dataset.labels))
    task = find_task(dataset, splits, config.task)
    facts = measure_facts(dataset, config.data.train, task)
    _choose_task(settings, facts)
    _choose_start(settings, facts)
    _choose_network_of_pretrained(settings)
    _choose_input(settings, facts)
    _choose_augmentation(settings, facts)
    _choose_training(settings, facts)
    _choose_evaluation(settings, facts)
    title = f"settings chosen for {dataset.root.resolve().name}"
    return settings.build().model_copy(update={"title": title}), settings.choices


def _choose_task(settings: _Settings, facts: DataFacts) -> None:
    if facts.task == "single":
        settings.choose("task", "single", "each clip has exactly one label")
    else:
        settings.choose("task", "multi", "a clip has several labels, or none")


def _choose_start(settings: _Settings, facts: DataFacts) -> None:
    """The shipped model of people, where clips are few and large enough to show what it knows."""
    if settings.gives("model.") or facts.num_clips > _FEW_CLIPS or facts.short_side < _LEAST_SIDE:
        return
    settings.choose(
        "training.pretrained",
        _START,
        f"{facts.num_clips} clips are few; it knows how people move; leave it empty for others",
    )


def _choose_network_of_pretrained(settings: _Settings) -> None:
    """The network of the model to start from, where it is one of Lilliput's own."""
    source = settings.get("training.pretrained", "")
    if source not in SHIPPED and Path(source).suffix != ".safetensors":
        return
    try:
        config = load_checkpoint(source).config
    except CheckpointError:  # public weights, or none: told when they are loaded
        return
    trained = config.model.model_dump(mode="json", exclude_defaults=True)
    for key in sorted(trained.keys() - _OF_TRAINING):
        settings.choose(f"model.{key}", trained[key], f"that of {source}")
    settings.choose("sampling.num_frames", config.sampling.num_frames, f"as {source} has learned")


def _choose_input(settings: _Settings, facts: DataFacts) -> None:
    size = next((size for size in _SIZES if size >= facts.short_side * _LEAST_SCALE), _SIZES[-1])
    more = "; a larger input costs more than it brings" if size == _SIZES[-1] else ""
    settings.choose("model.input_size", size, f"clips are {facts.short_side} px{more}")
    if "width" in settings.build().model.used_settings:
        settings.choose("model.width", 16, "a narrow network trains in minutes")
    settings.choose("model.normalisation", "clip", "the brightness of a clip says nothing of it")


def _choose_augmentation(settings: _Settings, facts: DataFacts) -> None:
    size = settings.build().model.input_size
    if facts.short_side >= _LARGE * size:
        settings.choose("augment.short_side", [0.8, 1.6], "large pictures can be enlarged")
    else:
        settings.choose("augment.short_side", [0.95, 1.25], "of small ones little may be cut away")
    for setting, value, reason in _CAMERAS:
        settings.choose(f"augment.{setting}", value, reason)
    settings.choose("augment.rand_augment_operations", 0, "too strong for so few px")
    if facts.one_sided:
        name = facts.one_sided[0]
        settings.choose("augment.horizontal_flip", 0.0, f"class '{name}' has no mirror image")
    elif facts.mirrored:
        left, right = facts.mirrored[0]
        settings.choose("augment.horizontal_flip", 0.5, f"a flip exchanges {left} and {right}")
    else:
        settings.choose("augment.horizontal_flip", 0.5, "no class is named for a direction")
    for setting in _STRAIGHT_DOWN:
        settings.choose(f"augment.{setting}", 0.0, "give 0.5 if the camera looks straight down")


def _choose_training(settings: _Settings, facts: DataFacts) -> None:
    crops = settings.get("augment.crops_per_clip", 1)
    views = crops * settings.get("augment.repeated", 1)  # which share a batch
    size = next(size for most, size in _BATCHES if facts.num_clips <= most)
    batch = settings.choose(
        "training.batch_size",
        math.ceil(size / views) * views,
        f"{facts.num_clips} clips, {in_words(facts.clips_per_class)}",
    )
    clips = facts.num_clips * crops
    passes = settings.choose(
        "training.passes",
        max(1, round(_EPOCH_STEPS * batch / clips)),
        f"an epoch has some {_EPOCH_STEPS} steps or more before it is validated",
    )
    steps = round(min(max(_LEAST_STEPS, facts.num_clips * _PASSES / batch), _MOST_STEPS))
    per_epoch = math.ceil(passes * clips / batch)
    settings.choose(
        "training.epochs", math.ceil(steps / per_epoch), f"about {steps} steps of {batch} clips"
    )
    settings.choose("training.schedule", "one_cycle", "the rate ends near zero, without milestones")
    precision = resolve_precision(settings.build().training)
    settings.choose("training.precision", "auto", f"{precision} on this machine")
    if settings.get("training.optimizer", "adamw") == "adamw":
        if settings.get("training.pretrained", ""):
            settings.choose("training.learning_rate", 5e-4, "higher ones undo what was learned")
        else:
            settings.choose("training.learning_rate", 2e-3, "usual for a network of this size")
        settings.choose("training.weight_decay", 0.05, "usual for AdamW")


def _choose_evaluation(settings: _Settings, facts: DataFacts) -> None:
    flip = settings.get("augment.horizontal_flip", 0.5) > 0
    reason = "as in training" if flip else "no flips in training"
    settings.choose("evaluation.flip", flip, reason)
    settings.choose("evaluation.flip_merge", "mean", "all views count the same")
    for setting in _STRAIGHT_DOWN:
        if settings.get(f"augment.{setting}", 0.0) > 0:
            settings.choose(f"evaluation.{setting}", True, "as in training")
    if facts.task == "multi":
        settings.choose("evaluation.threshold", "per_class", "tuned where a class has ten clips")
