"""A whole recipe: every section and its default, which is the thesis' setting."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lilliput.config.idt import check_idt
from lilliput.config.model import ModelConfig
from lilliput.config.section import Count, Positive, Probability, Section
from lilliput.config.training import LossConfig, TrainingConfig
from lilliput.task import Task

# Settings that bear on where and how fast a training computes and what it tells of itself, not on
# what it computes.
NEUTRAL_SETTINGS = {"data": {"workers", "cache_gib"}, "training": {"accelerator", "loggers"}}


class DataConfig(Section):
    """Which splits are used, and how clips are read."""

    train: str = "train"
    val: str = "val"  # empty: train without one, as --folds does; the last epoch is the best
    workers: Annotated[int, Field(ge=0)] = 2  # processes that prepare batches
    cache_gib: Annotated[float, Field(ge=0)] = 2.0  # a set below this stays decoded in memory


class SamplingConfig(Section):
    """Clip sampling, section 3.1."""

    method: Literal["random", "segment"] = "random"
    num_frames: Count = 16
    frame_step: Count = 1  # source frames between picks; random clips only
    coverage: Annotated[float, Field(gt=0, le=1)] = 1.0  # least share of a video; segments only
    evaluation: Literal["centre", "all"] = "centre"  # all: clips of a video, one after the other,
    # and the maximum over them; random clips only

    @model_validator(mode="after")
    def _check_coverage(self) -> "SamplingConfig":
        if self.method == "random" and self.coverage != 1:
            raise ValueError(
                f"sampling.coverage = {self.coverage} has no effect on random clips, which are as "
                "long as their frames; leave it at 1, or use sampling.method = 'segment'"
            )
        return self

    @model_validator(mode="after")
    def _check_evaluation(self) -> "SamplingConfig":
        if self.method == "segment" and self.evaluation == "all":
            raise ValueError(
                "sampling.evaluation = 'all' has no effect on segments, which cover the whole "
                "video; leave it at 'centre', or use sampling.method = 'random'"
            )
        return self

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
    padding: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # a crop reaches so far over the edge
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0  # degrees, either way
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0  # times 1 plus or minus up to this
    horizontal_flip: Probability = 0.5
    vertical_flip: Probability = 0.0  # for sensors that look straight down
    quarter_turn: Probability = 0.0  # likewise
    flip_labels: Literal["swap", "keep"] = "swap"
    flip_pairs: tuple[tuple[str, str], ...] | None = None  # None: found by name, left and right
    rand_augment_operations: Annotated[int, Field(ge=0)] = 2
    rand_augment_magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    rand_augment_probability: Probability = 1.0  # of each operation; PyTorchVideo's is 0.5
    rand_augment_size: Literal["input", "native"] = "input"  # native: where it is the smaller
    mixup: Annotated[float, Field(ge=0)] = 0.0  # alpha of Zhang et al. 2018; 0: off
    cutmix: Annotated[float, Field(ge=0)] = 0.0  # alpha of Yun et al. 2019; 0: off
    mixing: Literal["always", "adaptive"] = "always"  # adaptive: as often as clips are known
    crops_per_clip: Count = 1  # views of each clip in its batch; an epoch grows with them
    repeated: Count = 1  # the same, of as many clips fewer: an epoch keeps its length

    @model_validator(mode="after")
    def _check_mixing(self) -> "AugmentConfig":
        if self.mixing == "adaptive" and not (self.mixup or self.cutmix):
            raise ValueError(
                "augment.mixing has no effect without augment.mixup or augment.cutmix; leave it out"
            )
        return self

    @field_validator("short_side")
    @classmethod
    def _check_short_side(cls, short_side: tuple[float, float]) -> tuple[float, float]:
        low, high = short_side
        if not 0.5 <= low <= high:
            raise ValueError("must be two factors, 0.5 <= low <= high")
        return short_side


class EvaluationConfig(Section):
    """Test-time augmentation and thresholds, sections 3.4 and 3.5."""

    batch_size: Count = 32
    flip: bool = False  # section 3.4.1
    flip_merge: Literal["max", "mean"] = "max"
    vertical_flip: bool = False  # for sensors that look straight down
    quarter_turn: bool = False  # likewise
    num_clips: Count = 1  # section 3.4.2
    clip_merge: Literal["max", "mean"] = "mean"
    unknown_below: Probability | Literal["tuned"] = 0.0  # single label: a less likely class is none
    threshold: Literal["fixed", "global", "per_class"] = "fixed"  # section 3.5; multi label
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
    task: Literal["auto", "single", "multi"] = (
        "auto"  # labels of a clip; auto: as the data has them
    )
    data: DataConfig = DataConfig()
    sampling: SamplingConfig = SamplingConfig()
    augment: AugmentConfig = AugmentConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @property
    def clip_merge(self) -> Literal["max", "mean"]:
        """How the scores of several clips of a video become one."""
        return "max" if self.sampling.evaluation == "all" else self.evaluation.clip_merge

    @property
    def known_task(self) -> Task:
        """The task; one that is still to be found in the data counts as multi label."""
        return "single" if self.task == "single" else "multi"

    @model_validator(mode="after")
    def _check_idt(self) -> "Config":
        if self.model.name == "idt":
            check_idt(self)
        return self

    @model_validator(mode="after")
    def _check_features(self) -> "Config":
        if self.training.teacher_features and (self.augment.mixup or self.augment.cutmix):
            raise ValueError(
                "training.teacher_features does not go with augment.mixup or augment.cutmix: the "
                "teacher sees clips before they are mixed; leave one of them out"
            )
        if self.training.teacher_features and self.loss.branches:
            raise ValueError(
                "training.teacher_features does not go with loss.branches, which takes the logits "
                "of each classifier instead of its features; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _check_patience(self) -> "Config":
        if self.training.patience and not self.data.val:
            raise ValueError(
                f"training.patience = {self.training.patience}: there is no validation split to "
                "stop on; leave it at 0"
            )
        return self

    @model_validator(mode="after")
    def _check_clips(self) -> "Config":
        if self.sampling.evaluation == "all" and self.evaluation.num_clips > 1:
            raise ValueError(
                f"evaluation.num_clips = {self.evaluation.num_clips} has no effect with "
                "sampling.evaluation = 'all', which takes every clip of a video; leave it at 1, or "
                "use sampling.evaluation = 'centre'"
            )
        return self

    @model_validator(mode="after")
    def _check_ensemble(self) -> "Config":
        fitting = "softmax" if self.task == "single" else "sigmoid"
        if self.model.members > 1 and self.model.average != fitting:
            raise ValueError(
                f"model.average = '{self.model.average}' is not what scores of task = "
                f"'{self.task}' are; use '{fitting}'"
            )
        return self

    @model_validator(mode="after")
    def _check_branches(self) -> "Config":
        pyramid = self.model.name in ("fpn", "multiscale_fpn")
        if self.loss.branches and not pyramid and self.model.classifier != "filter_bank":
            raise ValueError(
                f"loss.branches has no effect on {self.model.name}, which has one classifier; "
                "leave it out"
            )
        return self

    @model_validator(mode="after")
    def _check_super_resolution(self) -> "Config":
        model = self.model
        if self.loss.super_resolution and (not model.learns_front_end or model.front_end_frozen):
            raise ValueError(
                f"loss.super_resolution has no effect on model.front_end = '{model.front_end}', "
                f"which {'is frozen' if model.front_end_frozen else 'learns nothing'}; leave it "
                "at 0"
            )
        return self

    @model_validator(mode="after")
    def _check_views(self) -> "Config":
        # A batch that held one view of a clip without the others would be no batch of views.
        augment, batch_size = self.augment, self.training.batch_size
        views = augment.crops_per_clip * augment.repeated
        if augment.enabled and batch_size % views:
            raise ValueError(
                f"training.batch_size = {batch_size} is no multiple of the {views} views of each "
                f"clip (augment.crops_per_clip = {augment.crops_per_clip} times augment.repeated "
                f"= {augment.repeated}), which share a batch; use {-(-batch_size // views) * views}"
            )
        return self
