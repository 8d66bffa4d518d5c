"""The network's settings, and which of them each network takes."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lilliput.config.section import Count, Section

INPUT_SIZES = (14, 28, 56, 112, 224)  # px

# What of the model section each network takes; any other setting is refused, not ignored.
_ALWAYS_USED = {"name", "input_size", "normalisation", "dropout", "members"}
_RESNET = {"depth", "width", "adapted", "stochastic_depth"}
_POOLING = {"pool", "classifier", "filters_per_class"}
_MULTISCALE = {"input_sizes", "lateral"}
_PYRAMID = _RESNET | _POOLING | {"fpn_channels", "fpn_merge", "attention_levels"}
_MODEL_SETTINGS: dict[str, set[str]] = {
    "resnet3d": _RESNET | _POOLING | {"local_branch"},
    "multiscale": _RESNET | _MULTISCALE,
    "fpn": _PYRAMID | {"backbone"},
    "multiscale_fpn": _PYRAMID | _MULTISCALE,
    "frame_resnet": {"depth"},
    "c3d": {"width"},
    "i3d": set(),
    "r2plus1d": set(),
    "mvit": set(),
    "video_vit": {"width"},
}
_SMALLEST_INPUT = {"i3d": 28}  # px; five halvings leave nothing of less


class ModelConfig(Section):
    """The network, sections 2.1 and 3.2, 3.6 to 3.10."""

    name: Literal[
        "resnet3d", "multiscale", "fpn", "multiscale_fpn",
        "frame_resnet", "c3d", "i3d", "r2plus1d", "mvit", "video_vit",
    ] = "resnet3d"  # fmt: skip
    backbone: Literal["resnet3d", "r2plus1d", "efficientnet_lite0"] = "resnet3d"  # below an FPN
    depth: Literal[18, 34, 50] = 18
    width: Count = 64  # channels of the first stage
    input_size: int = 112
    input_sizes: tuple[int, ...] = ()  # the streams of a multi-scale net; largest: input_size
    adapted: bool = False  # section 3.2: spatial strides made for the input size
    lateral: Literal["adjacent", "all"] = "adjacent"  # section 3.6: which larger streams flow in
    fpn_channels: Annotated[int, Field(ge=0)] = 0  # section 3.7; 0: twice the width
    fpn_merge: Literal["sum", "mean", "max"] = "sum"  # of the levels' logits
    pool: Literal["average", "attention"] = "average"  # section 3.9
    attention_levels: Literal["top", "all"] = "top"  # of an FPN
    classifier: Literal["linear", "filter_bank"] = "linear"  # section 3.10
    filters_per_class: Count = 10
    # What the bank reads on a ResNet-3D: stage 3's map through a convolution or a copy of stage 4.
    local_branch: Literal["convolution", "stage"] = "convolution"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the last block, 0 at the first
    normalisation: Literal[
        "kinetics", "imagenet", "symmetric", "dataset", "clip", "clip_contrast", "motion"
    ] = "kinetics"
    members: Count = 1  # networks of an ensemble, section 5.1; --final ensemble makes one
    average: Literal["sigmoid", "softmax"] = "sigmoid"  # of their logits; softmax: single label

    @field_validator("input_size")
    @classmethod
    def _check_input_size(cls, input_size: int) -> int:
        if input_size not in INPUT_SIZES:
            raise ValueError(
                "must be 14, 28, 56, 112 or 224, so that log2(224 / size) is a whole number, as "
                "stride adaptation needs (section 3.2)"
            )
        return input_size

    @model_validator(mode="after")
    def _check_settings(self) -> "ModelConfig":
        smallest = self.smallest_input(self.name)
        if self.input_size < smallest:
            raise ValueError(
                f"model.input_size = {self.input_size}: {self.name} needs at least {smallest} px"
            )
        used = self.used_settings
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name not in used and value != field.default:
                raise ValueError(
                    f"model.{name} = {value} has no effect on {self._in_words()}; leave it at "
                    f"{field.default}"
                )
        if "input_sizes" in used:
            sizes = self.input_sizes
            if len(sizes) < 2 or sorted(set(sizes)) != list(sizes) or sizes[-1] != self.input_size:
                raise ValueError(
                    f"model.input_sizes = {list(sizes)}: a multi-scale net needs two or more "
                    f"sizes, growing, that end with model.input_size = {self.input_size}"
                )
            if not set(sizes) <= set(INPUT_SIZES):
                raise ValueError("model.input_sizes must be among 14, 28, 56, 112 and 224")
        return self

    @property
    def used_settings(self) -> set[str]:
        """The names of those that this network takes."""
        used = _MODEL_SETTINGS[self.name] | _ALWAYS_USED
        if self.backbone != "resnet3d":
            used = used - _RESNET | {"fpn_channels"}
        if self.classifier != "filter_bank":
            used = used - {"filters_per_class", "local_branch"}
        if self.pool != "attention":
            used = used - {"attention_levels"}
        return used | {"average"} if self.members > 1 else used

    @staticmethod
    def smallest_input(name: str) -> int:
        """The smallest input size that a network takes, px."""
        return _SMALLEST_INPUT.get(name, INPUT_SIZES[0])

    def _in_words(self) -> str:
        pyramid = self.name == "fpn" and self.backbone != "resnet3d"
        words = f"{self.name} over {self.backbone}" if pyramid else self.name
        if "classifier" in _MODEL_SETTINGS[self.name]:
            words += (
                f" with {self.pool} pooling and a {self.classifier.replace('_', ' ')} classifier"
            )
        return words
