"""Every setting, in one place: frozen models, TOML in, JSON out.

A recipe is a TOML file with the sections below; whatever it leaves out takes the default
written here, which is the thesis' setting. This file imports no torch, so that a misspelt
setting is reported at once.
"""

import difflib
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from lilliput.errors import ConfigError

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
VIEW_SETTINGS = tuple(
    f"evaluation.{key}"
    for key in ("flip", "flip_merge", "vertical_flip", "quarter_turn", "num_clips", "clip_merge")
)


class Section(BaseModel):
    """Base of all sections: immutable, and no key passes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(Section):
    """Which splits are used, and how clips are read."""

    train: str = "train"
    val: str = "val"
    workers: Annotated[int, Field(ge=0)] = 2  # processes that prepare batches
    cache_gib: Annotated[float, Field(ge=0)] = 2.0  # a set below this stays decoded in memory


class SamplingConfig(Section):
    """Clip sampling, section 3.1."""

    method: Literal["random", "segment"] = "random"
    num_frames: Count = 16
    frame_step: Count = 1  # source frames between picks; random clips only

    @model_validator(mode="after")
    def _check_frame_step(self) -> "SamplingConfig":
        if self.method == "segment" and self.frame_step != 1:
            raise ValueError(
                f"sampling.frame_step = {self.frame_step} has no effect on segments, which cover "
                "the whole video; leave it at 1, or use sampling.method = 'random'"
            )
        return self


class AugmentConfig(Section):
    """Data augmentation, section 3.3; `enabled = false` is the thesis' "AG: No"."""

    enabled: bool = True
    short_side: tuple[Positive, Positive] = (8 / 7, 10 / 7)  # times the input size
    horizontal_flip: Probability = 0.5
    vertical_flip: Probability = 0.0  # for sensors that look straight down
    quarter_turn: Probability = 0.0  # likewise
    flip_labels: Literal["swap", "keep"] = "swap"
    flip_pairs: tuple[tuple[str, str], ...] | None = None  # None: found by name, left and right
    rand_augment_operations: Annotated[int, Field(ge=0)] = 2
    rand_augment_magnitude: Annotated[int, Field(ge=0, le=30)] = 9

    @field_validator("short_side")
    @classmethod
    def _check_short_side(cls, short_side: tuple[float, float]) -> tuple[float, float]:
        low, high = short_side
        if not 1 <= low <= high:
            raise ValueError("must be two factors, 1 <= low <= high")
        return short_side


class ModelConfig(Section):
    """The network, sections 3.2 and 3.6 to 3.10."""

    name: Literal["resnet3d"] = "resnet3d"
    depth: Literal[18, 34, 50] = 18
    width: Count = 64  # channels of the first stage
    input_size: int = 112
    adapted: bool = False  # section 3.2: spatial strides made for the input size
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    normalisation: Literal["kinetics", "imagenet", "dataset", "clip"] = "kinetics"

    @field_validator("input_size")
    @classmethod
    def _check_input_size(cls, input_size: int) -> int:
        if input_size not in (14, 28, 56, 112, 224):
            raise ValueError(
                "must be 14, 28, 56, 112 or 224, so that log2(224 / size) is a whole number, as "
                "stride adaptation needs (section 3.2)"
            )
        return input_size


class LossConfig(Section):
    """The loss, section 3.11."""

    name: Literal["bce"] = "bce"
    positive_weights: bool = False  # weigh positives by negatives/positives of the class


class TrainingConfig(Section):
    """The training procedure, section 4.1.4."""

    epochs: Count = 200
    batch_size: Annotated[int, Field(ge=2)] = 96  # batch normalisation needs two clips
    learning_rate: Positive = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["multistep", "one_cycle"] = "multistep"
    milestones: tuple[Probability, ...] = (0.25, 0.5, 0.75)  # multistep: fractions of epochs
    balanced_sampling: bool = False  # draw rare classes as often as frequent ones
    accumulate_batches: Count = 1
    gradient_clip: Annotated[float, Field(ge=0)] = 0.0  # 0: off
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: Literal["auto"] | Count = 1
    seed: Annotated[int, Field(ge=0)] = 1


class EvaluationConfig(Section):
    """Test-time augmentation and thresholds, sections 3.4 and 3.5."""

    batch_size: Count = 32
    flip: bool = False  # section 3.4.1
    flip_merge: Literal["max", "mean"] = "max"
    vertical_flip: bool = False  # for sensors that look straight down
    quarter_turn: bool = False  # likewise
    num_clips: Count = 1  # section 3.4.2
    clip_merge: Literal["max", "mean"] = "mean"
    threshold: Literal["fixed", "global", "per_class"] = "fixed"  # section 3.5
    fixed_threshold: Probability = 0.5
    objective: Literal["macro_f1", "micro_f1", "weighted_f1", "samples_f1"] = "macro_f1"
    min_support: Count = 10  # rarer classes take the global threshold

    @model_validator(mode="after")
    def _check_objective(self) -> "EvaluationConfig":
        # Known before a training, not only when its thresholds are tuned.
        if self.threshold == "per_class" and self.objective in ("micro_f1", "samples_f1"):
            raise ValueError(
                f"evaluation.objective = '{self.objective}' cannot be tuned class by class; "
                "use 'macro_f1' or 'weighted_f1', or threshold = 'global'"
            )
        return self


class Config(Section):
    """A whole recipe."""

    title: str = ""
    data: DataConfig = DataConfig()
    sampling: SamplingConfig = SamplingConfig()
    augment: AugmentConfig = AugmentConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


def recipe_names() -> list[str]:
    """Names of the recipes that ship with the package, such as ``thesis/baseline``."""
    root = Path(str(resources.files("lilliput") / "recipes"))
    return sorted(
        path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml")
    )


def load_config(recipe: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a recipe, by name or path, and applies ``section.key=value`` overrides.

    Raises:
        ConfigError: No such recipe, no valid TOML, or a key or value that does not fit; the
            message names its dotted path and the nearest valid one.
    """
    path = _find_recipe(recipe)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None
    for override in overrides:
        _apply(settings, override)
    return parse_config(settings, source=f"{path} with --set" if overrides else str(path))


def change_views(config: Config, overrides: Sequence[str]) -> Config:
    """Another test-time augmentation for a trained model, by ``evaluation.key=value``.

    Raises:
        ConfigError: The setting belongs to training, or its value does not fit.
    """
    settings = config.model_dump(mode="json")
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key not in VIEW_SETTINGS:
            raise ConfigError(
                f"--set {override}: a trained model can change {', '.join(VIEW_SETTINGS)} only"
            )
        _apply(settings, override)
    return parse_config(settings, source="--set")


def parse_config(settings: dict[str, Any], source: str) -> Config:
    """Validates plain nested dictionaries; ``source`` is named in errors."""
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(error.errors())}") from None


def _find_recipe(recipe: str | Path) -> Path:
    path = Path(recipe)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise ConfigError(f"{path}: no such recipe file")
        return path
    if str(recipe) not in recipe_names():
        near = difflib.get_close_matches(str(recipe), recipe_names(), n=1, cutoff=0.0)
        raise ConfigError(
            f"no recipe is called '{recipe}'; nearest is '{near[0]}', or give a .toml file"
        )
    return Path(str(resources.files("lilliput") / "recipes" / f"{recipe}.toml"))


def _apply(settings: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *parents, key = dotted.strip().split(".")
    for parent in parents:
        settings = settings.setdefault(parent, {})
        if not isinstance(settings, dict):
            raise ConfigError(f"--set {override}: '{parent}' is no section")
    settings[key] = value


def _valid_keys() -> list[str]:
    sections = {
        name: field.annotation
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    keys = [name for name in Config.model_fields if name not in sections]
    for name, section in sections.items():
        keys += [name, *(f"{name}.{key}" for key in section.model_fields)]
    return keys


def _explain(errors: Sequence[Any]) -> str:
    error = errors[0]
    location = [part for part in error["loc"] if isinstance(part, str)]
    dotted = ".".join(location)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(dotted, _valid_keys(), n=1, cutoff=0.0)
        return f"no setting is called '{dotted}'; nearest is '{near[0]}'"
    # A union reports the type it tried last as part of the place; only settings are places.
    while location and ".".join(location) not in _valid_keys():
        location.pop()
    dotted = ".".join(location)
    if error["type"] == "value_error" and len(location) == 1:
        return str(error["ctx"]["error"])  # of several settings, which it names itself
    # A union tells once per type why the input does not fit.
    size = len(location)
    same = [other["msg"] for other in errors if other["loc"][:size] == error["loc"][:size]]
    reasons = [reason.removeprefix("Value error, ") for reason in dict.fromkeys(same)]
    message = " or ".join(reason[0].lower() + reason[1:] for reason in reasons)
    choices = _choices(location)
    if choices and isinstance(error["input"], str):
        near = difflib.get_close_matches(error["input"], choices, n=1, cutoff=0.0)
        message += f"; nearest is '{near[0]}'"
    return f"{dotted} = {error['input']!r}: {message}"


def _choices(location: list[str]) -> list[str]:
    annotation: Any = Config
    for part in location:
        annotation = annotation.model_fields[part].annotation
    return [choice for choice in get_args(annotation) if isinstance(choice, str)]
