"""Every setting and its default, which is the thesis' setting."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lilliput.config.model import ModelConfig
from lilliput.config.section import Count, Positive, Probability, Section

# Settings that bear on where and how fast a training computes, not on what it computes.
NEUTRAL_SETTINGS = {"data": {"workers", "cache_gib"}, "training": {"accelerator"}}


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
    rand_augment_size: Literal["input", "native"] = "input"  # native: where it is the smaller

    @field_validator("short_side")
    @classmethod
    def _check_short_side(cls, short_side: tuple[float, float]) -> tuple[float, float]:
        low, high = short_side
        if not 1 <= low <= high:
            raise ValueError("must be two factors, 1 <= low <= high")
        return short_side


class LossConfig(Section):
    """The loss, section 3.11."""

    name: Literal["bce", "asymmetric"] = "bce"
    positive_weights: bool = False  # bce: weigh positives by negatives/positives of the class
    gamma_pos: Annotated[float, Field(ge=0)] = 1.0  # asymmetric: focus on hard positives
    gamma_neg: Annotated[float, Field(ge=0)] = 4.0  # and on hard negatives
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.05  # negatives below it count nothing
    focus_gradient: bool = False  # asymmetric: differentiate through the focusing weight
    reduction: Literal["mean", "sum"] = "mean"  # over the batch
    branches: bool = False  # supervise each of the classifiers that a model adds up, too

    @model_validator(mode="after")
    def _check_weights(self) -> "LossConfig":
        if self.name == "asymmetric" and self.positive_weights:
            raise ValueError(
                "loss.positive_weights has no effect on the asymmetric loss; leave it out"
            )
        if self.name == "bce":
            for name in ("gamma_pos", "gamma_neg", "margin", "focus_gradient"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"loss.{name} has no effect on bce; leave it out")
        return self


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
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on GPUs that have it
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: Literal["auto"] | Count = 1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    pretrained: str = ""  # section 4.1.4: a weights file, or a public name; empty: from scratch


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

    @model_validator(mode="after")
    def _check_branches(self) -> "Config":
        pyramid = self.model.name in ("fpn", "multiscale_fpn")
        if self.loss.branches and not pyramid and self.model.classifier != "filter_bank":
            raise ValueError(
                f"loss.branches has no effect on {self.model.name}, which has one classifier; "
                "leave it out"
            )
        return self
