"""The training procedure's settings, and those of what a network learns from."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lilliput.config.section import Count, Positive, Probability, Section

Logger = Literal["tensorboard", "csv", "mlflow", "wandb"]


class LossConfig(Section):
    """The loss, section 3.11 and beyond."""

    name: Literal["auto", "bce", "cross_entropy", "asymmetric", "focal"] = "auto"  # by the task
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # bce and cross_entropy
    class_balance: Annotated[float, Field(ge=0, lt=1)] = 0.0  # beta of Cui et al. 2019; 0: off
    positive_weights: bool = False  # bce: weigh positives by negatives/positives of the class
    gamma: Annotated[float, Field(ge=0)] = 2.0  # focal: focus on hard clips
    gamma_pos: Annotated[float, Field(ge=0)] = 1.0  # asymmetric: focus on hard positives
    gamma_neg: Annotated[float, Field(ge=0)] = 4.0  # and on hard negatives
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.05  # negatives below it count nothing
    focus_gradient: bool = False  # asymmetric: differentiate through the focusing weight
    logit_adjustment: Annotated[float, Field(ge=0)] = 0.0  # scores of equal priors: 1; 0: off
    reduction: Literal["mean", "sum"] = "mean"  # over the batch
    super_resolution: Annotated[float, Field(ge=0)] = 0.0  # weight of the front end's own; 0: off
    branches: bool = False  # supervise each of the classifiers that a model adds up, too

    @model_validator(mode="after")
    def _check_used(self) -> "LossConfig":
        used = _LOSS_SETTINGS[self.name] | _ALWAYS_USED
        for name, field in type(self).model_fields.items():
            if name not in used and getattr(self, name) != field.default:
                raise ValueError(f"loss.{name} has no effect on {self._in_words()}; leave it out")
        return self

    def _in_words(self) -> str:
        return {"asymmetric": "the asymmetric loss", "focal": "the focal loss"}.get(
            self.name, self.name
        )


_ALWAYS_USED = {"name", "logit_adjustment", "reduction", "branches", "super_resolution"}
_COMMON = {"label_smoothing", "class_balance"}
_LOSS_SETTINGS: dict[str, set[str]] = {
    "auto": _COMMON,
    "bce": _COMMON | {"positive_weights"},
    "cross_entropy": _COMMON,
    "asymmetric": {"gamma_pos", "gamma_neg", "margin", "focus_gradient"},
    "focal": {"class_balance", "gamma"},
}


class TrainingConfig(Section):
    """The training procedure, section 4.1.4, and what newer recipes add to it."""

    epochs: Count = 200
    passes: Count = 1  # of an epoch over the clips; few clips are passed too soon to validate
    batch_size: Annotated[int, Field(ge=2)] = 96  # batch normalisation needs two clips
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # sgd, Nesterov's
    learning_rate: Positive = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["multistep", "one_cycle", "cosine"] = "multistep"
    milestones: tuple[Probability, ...] = (0.25, 0.5, 0.75)  # multistep: fractions of epochs
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0  # cosine: fraction of steps, linear
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0  # average of weights, per step; 0: off
    keep: Literal["best", "last"] = "best"  # which epoch's weights become best.safetensors
    patience: Annotated[int, Field(ge=0)] = 0  # epochs without a better val score; 0: no early stop
    balanced_sampling: bool = False  # draw rare classes as often as frequent ones
    accumulate_batches: Count = 1
    gradient_clip: Annotated[float, Field(ge=0)] = 0.0  # 0: off
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on GPUs that have it
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: Literal["auto"] | Count = 1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    loggers: tuple[Logger, ...] = ("tensorboard",)
    pretrained: str = ""  # section 4.1.4: a weights file, or a public name; empty: from scratch
    freeze_epochs: Annotated[int, Field(ge=0)] = 0  # pretrained: the classifier alone learns first
    freeze_batch_norm: bool = False  # pretrained: keep its statistics, where batches are small
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0  # rate of each stage, of the next one's
    teacher: tuple[str, ...] = ()  # trained models whose scores are learned, too
    teacher_weight: Probability = 0.5  # of their scores in the targets; the rest is the labels'
    teacher_views: Literal["fixed", "same"] = "fixed"  # same: the crop that is learned, larger
    teacher_features: Annotated[float, Field(ge=0)] = 0.0  # same: weight of their last map; 0: off

    @model_validator(mode="before")
    @classmethod
    def _take_one_teacher(cls, settings: object) -> object:
        if isinstance(settings, dict) and isinstance(settings.get("teacher"), str):
            teacher = settings["teacher"]
            return {**settings, "teacher": (teacher,) if teacher else ()}
        return settings

    @model_validator(mode="after")
    def _check_used(self) -> "TrainingConfig":
        for names, wanted, needs in (
            (("momentum",), self.optimizer == "sgd", "training.optimizer = 'sgd'"),
            (("warmup",), self.schedule == "cosine", "training.schedule = 'cosine'"),
            (("milestones",), self.schedule == "multistep", "training.schedule = 'multistep'"),
            (("freeze_epochs", "freeze_batch_norm"), self.pretrained, "training.pretrained"),
            (
                ("teacher_weight", "teacher_views", "teacher_features"),
                self.teacher,
                "training.teacher",
            ),
            (
                ("teacher_features",),
                self.teacher_views == "same",
                "training.teacher_views = 'same'",
            ),
        ):
            for name in names:
                if not wanted and getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"training.{name} has no effect without {needs}; leave it out")
        if self.freeze_epochs >= self.epochs:
            raise ValueError(
                f"training.freeze_epochs = {self.freeze_epochs}: of training.epochs = "
                f"{self.epochs} none would be left to train the whole network"
            )
        return self
