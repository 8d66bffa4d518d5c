"""Thesis scale, and stated reductions of it for less time and smaller machines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lilliput.config import Config, change_settings, parse_config
from lilliput.errors import ConfigError

if TYPE_CHECKING:  # so that the command line can name the scales without torch
    from lilliput.data import Clip, VideoDataset

_BATCH_SIZE = 32
_LEARNING_RATE = 1e-3  # lower ones are meant for pretrained networks and 200 epochs
_TRANSFORMERS = ("mvit", "video_vit")  # which learn little at such a rate
SMOKE_CLIPS_PER_CLASS = 2


class Scale(StrEnum):
    """How large the experiments are run.

    ``thesis``: as the recipes say. ``medium``, for one GPU: networks of half the width,
    half the input size, few epochs, from scratch. ``small``, for two CPU cores: narrow networks, a
    quarter of the input size, half the frames. ``smoke``: one epoch of that on a few clips, to see
    that all runs.
    """

    THESIS = "thesis"
    MEDIUM = "medium"
    SMALL = "small"
    SMOKE = "smoke"


@dataclass(frozen=True)
class _Reduction:
    """Width and epochs; what input sizes and frames are divided by."""

    width: int
    epochs: int
    sizes: int
    frames: int


_REDUCTIONS = {
    Scale.MEDIUM: _Reduction(width=32, epochs=15, sizes=2, frames=1),
    # One training of the heaviest row takes at most four minutes on two cores with 2,110 clips.
    Scale.SMALL: _Reduction(width=8, epochs=4, sizes=4, frames=2),
    Scale.SMOKE: _Reduction(width=8, epochs=1, sizes=4, frames=2),
}


def scale_recipe(
    config: Config,
    scale: Scale,
    seed: int,
    overrides: Sequence[str] = (),
    *,
    from_scratch: bool = False,
) -> Config:
    """The recipe as it is run.

    Args:
        config: A recipe of the thesis.
        scale: How large.
        seed: Of the training.
        overrides: ``section.key=value``, which have the last word.
        from_scratch: Without pretrained weights; reductions always are.

    Raises:
        ConfigError: An override does not fit.
    """
    settings = config.model_dump(mode="json")
    model, sampling, training = settings["model"], settings["sampling"], settings["training"]
    training["seed"] = seed
    if from_scratch:
        training["pretrained"] = ""
    if scale in _REDUCTIONS:
        reduction = _REDUCTIONS[scale]
        if "width" in config.model.used_settings:
            model["width"] = reduction.width
        model["input_size"] = _divide(model["input_size"], reduction.sizes)
        model["input_sizes"] = sorted(
            {_divide(size, reduction.sizes) for size in model["input_sizes"]}
        )
        sampling["num_frames"] //= reduction.frames
        if sampling["method"] == "random":
            # As much of the video; segments cover all of it anyway.
            sampling["frame_step"] *= reduction.frames
        training["epochs"] = reduction.epochs
        training["batch_size"] = _BATCH_SIZE
        if config.model.name not in _TRANSFORMERS:
            training["learning_rate"] = max(training["learning_rate"], _LEARNING_RATE)
        training["pretrained"] = ""
    scaled = change_settings(parse_config(settings, source=f"--scale {scale}"), overrides)
    if scaled.training.seed != seed:
        raise ConfigError("--set training.seed: give --seeds instead")
    return scaled


def scale_dataset(dataset: "VideoDataset", scale: Scale) -> "VideoDataset":
    """All clips, or for ``smoke`` the first few of each class in each split."""
    if scale is not Scale.SMOKE:
        return dataset
    return replace(
        dataset, splits={name: _first_of_each(clips) for name, clips in dataset.splits.items()}
    )


def changes_in_words(pairs: Iterable[tuple[Config, Config]]) -> list[str]:
    """What distinguishes settings as run from their recipes, one line per setting.

    Args:
        pairs: Recipe and settings as run. What does not bear on scores, and the seed, which is
            told by itself, are passed over.
    """
    changes: dict[str, list[str]] = {}
    for recipe, config in pairs:
        before, after = dict(_flat(recipe)), dict(_flat(config))
        for key in before:
            words = f"{_in_words(before[key])} → {_in_words(after[key])}"
            if before[key] != after[key] and words not in changes.setdefault(key, []):
                changes[key].append(words)
    return [f"{key} {', '.join(words)}" for key, words in changes.items() if words]


def _flat(config: Config) -> Iterator[tuple[str, Any]]:
    neutral = {"training": {"seed", "accelerator", "devices"}, "data": {"workers", "cache_gib"}}
    for name, section in config.model_dump(mode="json", exclude={"title": True, **neutral}).items():
        if isinstance(section, dict):
            yield from ((f"{name}.{key}", value) for key, value in section.items())
        else:  # task stands outside the sections
            yield name, section


def _in_words(value: Any) -> str:
    return "none" if value == "" else str(value)


def _divide(input_size: int, divisor: int) -> int:
    return max(14, input_size // divisor)


def _first_of_each(clips: "Sequence[Clip]") -> "tuple[Clip, ...]":
    """Clips, in order, of which a label has not been seen often enough."""
    seen: dict[int | None, int] = {}
    kept = []
    for clip in clips:
        labels: tuple[int | None, ...] = (None,) if clip.labels is None else clip.labels
        if any(seen.get(label, 0) < SMOKE_CLIPS_PER_CLASS for label in labels):
            kept.append(clip)
            for label in labels:
                seen[label] = seen.get(label, 0) + 1
    return tuple(kept)
