"""The network's settings, and which of them each network takes."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lilliput.config.idt import IdtConfig
from lilliput.config.section import Count, Section

INPUT_SIZES = (14, 28, 56, 112, 224)  # px

# What of the model section each network takes; any other setting is refused, not ignored.
_ALWAYS_USED = {
    "name", "input_size", "resize", "normalisation", "dropout", "members", "front_end",
}  # fmt: skip
_RESNET = {"depth", "width", "wide", "adapted", "stochastic_depth"}
_POOLING = {"pool", "classifier", "filters_per_class"}
_MULTISCALE = {"input_sizes", "lateral"}
_PYRAMID = _RESNET | _POOLING | {"fpn_channels", "fpn_merge", "attention_levels"}
_MODEL_SETTINGS: dict[str, set[str]] = {
    "resnet3d": _RESNET | _POOLING | {"local_branch"},
    "multiscale": _RESNET | _MULTISCALE,
    "fpn": _PYRAMID | {"backbone"},
    "multiscale_fpn": _PYRAMID | _MULTISCALE,
    "image_pyramid": _RESNET | _POOLING | {"input_sizes", "fpn_merge"},
    "frame_resnet": {"depth"},
    "deepvideo": {"width", "fusion"},
    "c3d": {"width"},
    "i3d": set(),
    "r2plus1d": {"layout"},
    "p3d": {"depth", "width", "adapted", "p3d_blocks"},
    "mvit": set(),
    "video_vit": {"width", "class_token", "stem"},
    "idt": {"idt"},
}
_LEARNED_FRONT_ENDS = ("span", "sof_vsr", "basicvsr")
_LINEAR_FRONT_ENDS = ("none", "bicubic", "lanczos")  # which enlarge anything, not only colors
_SMALLEST_INPUT = {"i3d": 28}  # px; five halvings leave nothing of less


FrontEndName = Literal["none", "bicubic", "lanczos", "registered", "span", "sof_vsr", "basicvsr"]


class ModelConfig(Section):
    """The network, sections 2.1 and 3.2, 3.6 to 3.10."""

    name: Literal[
        "resnet3d", "multiscale", "fpn", "multiscale_fpn",
        "image_pyramid", "frame_resnet", "deepvideo", "c3d", "i3d", "r2plus1d", "p3d", "mvit",
        "video_vit", "idt",
    ] = "resnet3d"  # fmt: skip
    backbone: Literal["resnet3d", "r2plus1d", "efficientnet_lite0"] = "resnet3d"  # below an FPN
    depth: Literal[18, 34, 50, 101, 152] = 18
    width: Count = 64  # channels of the first stage
    wide: bool = False  # a Wide ResNet: twice as many channels within a bottleneck
    input_size: int = 112
    resize: Literal["short_side", "square"] = "short_side"  # to the input size, then cut; or both
    input_sizes: tuple[int, ...] = ()  # of streams or of a pyramid; the largest is input_size
    adapted: bool = False  # section 3.2: spatial strides made for the input size
    lateral: Literal["adjacent", "all"] = "adjacent"  # section 3.6: which larger streams flow in
    fpn_channels: Annotated[int, Field(ge=0)] = 0  # section 3.7; 0: twice the width
    fpn_merge: Literal["sum", "mean", "max"] = "sum"  # of the logits of a pyramid's levels
    pool: Literal["average", "attention"] = "average"  # section 3.9
    attention_levels: Literal["top", "all"] = "top"  # of an FPN
    classifier: Literal["linear", "filter_bank"] = "linear"  # section 3.10
    filters_per_class: Count = 10
    fusion: Literal["single", "early", "late", "slow"] = "single"  # DeepVideo's, of frames
    layout: Literal["torchvision", "kenshohara"] = "torchvision"  # of an R(2+1)D: as whose weights
    p3d_blocks: Literal["mixed", "a", "b", "c"] = "mixed"
    class_token: bool = False  # the video ViT's; without, the mean of the tokens is classified
    stem: Literal["linear", "conv"] = "linear"  # the video ViT's
    # What the bank reads on a ResNet-3D: stage 3's map through a convolution or a copy of stage 4.
    local_branch: Literal["convolution", "stage"] = "convolution"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the last block, 0 at the first
    normalisation: Literal[
        "kinetics", "imagenet", "symmetric", "dataset", "clip", "clip_contrast", "motion"
    ] = "kinetics"
    idt: IdtConfig = IdtConfig()  # hand-crafted features, section 2.1.1
    front_end: FrontEndName = "none"  # section 2.3: enlarges clips before the network sees them
    front_end_scale: Literal[2, 4] = 2  # by how much: clips have the input size over this
    front_end_weights: str = ""  # of a learned one: a file of `lilliput train-sr`
    front_end_frozen: bool = False  # of a learned one: it stays as it is while the network learns
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
        if self.name == "p3d" and self.depth < 50:
            raise ValueError(
                f"model.depth = {self.depth}: p3d has depth 50, 101 or 152 (P3D-63, 131 and 199)"
            )
        self._check_front_end()
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
                    f"model.input_sizes = {list(sizes)}: {self.name} needs two or more sizes, "
                    f"growing, that end with model.input_size = {self.input_size}"
                )
            if not set(sizes) <= set(INPUT_SIZES):
                raise ValueError("model.input_sizes must be among 14, 28, 56, 112 and 224")
        return self

    def _check_front_end(self) -> None:
        if self.front_end != "none" and self.input_size % self.front_end_scale:
            raise ValueError(
                f"model.front_end_scale = {self.front_end_scale} does not divide "
                f"model.input_size = {self.input_size}; use 2, or a larger input"
            )
        if self.normalisation == "motion" and self.front_end not in _LINEAR_FRONT_ENDS:
            raise ValueError(
                f"model.front_end = '{self.front_end}' enlarges colors, of which "
                "model.normalisation = 'motion' leaves nothing; use 'bicubic' or 'lanczos'"
            )

    @property
    def clip_size(self) -> int:
        """Side of the clips, px: what a front end enlarges to the network's input size."""
        return self.input_size // (1 if self.front_end == "none" else self.front_end_scale)

    @property
    def learns_front_end(self) -> bool:
        """Whether there is a front end that has weights."""
        return self.front_end in _LEARNED_FRONT_ENDS

    @property
    def used_settings(self) -> set[str]:
        """The names of those that this network takes."""
        used = _MODEL_SETTINGS[self.name] | _ALWAYS_USED
        if self.name == "idt":
            used = used - {"dropout", "front_end"}
        if self.backbone != "resnet3d":
            used = used - _RESNET | {"fpn_channels"}
        if "r2plus1d" in (self.name, self.backbone):
            used = used | {"layout"} | (_RESNET if self.layout == "kenshohara" else set())
        if self.depth < 50 or self.layout == "kenshohara":
            used = used - {"wide"}
        if self.classifier != "filter_bank":
            used = used - {"filters_per_class", "local_branch"}
        if self.pool != "attention":
            used = used - {"attention_levels"}
        if self.front_end != "none":
            used = used | {"front_end_scale"}
        if self.learns_front_end:
            used = used | {"front_end_weights", "front_end_frozen"}
        return used | {"average"} if self.members > 1 else used

    @staticmethod
    def smallest_input(name: str) -> int:
        """The smallest input size that a network takes, px."""
        return _SMALLEST_INPUT.get(name, INPUT_SIZES[0])

    def _in_words(self) -> str:
        pyramid = self.name == "fpn" and self.backbone != "resnet3d"
        words = f"{self.name} over {self.backbone}" if pyramid else self.name
        if "r2plus1d" in (self.name, self.backbone):
            words += f" in {self.layout}'s layout"
        if "wide" in _MODEL_SETTINGS[self.name] and self.depth < 50:
            words += f" of depth {self.depth}"
        if "classifier" in _MODEL_SETTINGS[self.name]:
            words += (
                f" with {self.pool} pooling and a {self.classifier.replace('_', ' ')} classifier"
            )
        return words
