"""Starting a training from public weights (thesis section 4.1.4).

The weights fill every backbone of a model: all streams of a multi-scale net, the network below
an FPN; and the copy of the last stage beside a filter bank. What a file has no weights for stays
as it was initialised, and is reported.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from lilliput.errors import CheckpointError, ConfigError
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.filter_bank import LocalStage
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.inflate import inflate_weight
from lilliput.models.mvit import Mvit
from lilliput.models.public_weights import (
    EFFICIENTNET,
    LILLIPUT,
    PublicWeights,
    has_front_end,
    read_public_weights,
    without_front_end,
)
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.resnet3d import ResNet3d
from lilliput.models.super_resolution.front_end import FrontEnd

# The kinds of public weights that each backbone takes.
_TAKES: dict[type[nn.Module], tuple[str, ...]] = {
    ResNet3d: ("resnet3d", "resnet"),
    R2plus1d: ("r2plus1d",),
    R2plus1dResNet: ("r2plus1d_resnet",),
    FrameResNet: ("resnet",),
    I3d: ("googlenet",),
    Mvit: ("mvit",),
    EfficientNetLite0: (EFFICIENTNET,),
}

# Depend on the number of classes or on the clip's size, so that a file's may differ.
_FREE = re.compile(r"(fc|head|classifier|aux\d)\..*|.*\.rel_pos_[htw]|pos_encoding\..*")
# Take in the laterals of a multi-scale net, behind the stream's own channels (section 3.6).
_WIDENED = re.compile(r"layer[234]\.0\.(conv1|downsample\.0)\.weight")
_NAMES_SHOWN = 4

# Prefixes of tensors of the model, each with what stands for it in a public file.
_Places = Mapping[str, str]


@dataclass(frozen=True)
class PretrainedReport:
    """What became of a file's weights.

    Attributes:
        source: The file or name.
        title: The network they are of, in words.
        backbones: Where in the model they went, as prefixes of tensor names: backbones, and copies
            of a backbone's stage.
        filled: How each filled tensor of the model was filled: ``loaded``; ``inflated`` from 2-D;
            ``padded`` with zeros in time; ``sliced``, where laterals widen a layer: into the
            first input channels, the others zero.
        missing: Tensors of the model that stay as they were initialised.
        unused: Tensors of the file that went nowhere.
    """

    source: str
    title: str
    backbones: tuple[str, ...]
    filled: Mapping[str, str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report for humans."""
        lines = [f"pretrained: {self.source} ({self.title})"]
        for prefix in self.backbones:
            counts = Counter(how for name, how in self.filled.items() if name.startswith(prefix))
            counted = ", ".join(f"{count} {how}" for how, count in counts.items())
            lines.append(f"  {prefix.rstrip('.') or 'model'}: {counted}")
        elsewhere = [name for name in self.filled if not name.startswith(self.backbones)]
        for title, names in (
            ("loaded", elsewhere),
            ("left as initialised", self.missing),
            ("not used of the file", self.unused),
        ):
            if names:
                lines.append(f"  {title}: {len(names)} ({_shorten(names)})")
        if any("sliced" in how for how in self.filled.values()):
            lines.append("  sliced: weights of the laterals' channels start at zero")
        return lines


def load_pretrained(model: nn.Module, source: str) -> PretrainedReport:
    """Fills a model's backbones, and its linear classifier where the classes are as many.

    The model is left as it was if this fails.

    Args:
        model: Any network of this package.
        source: A ``.pth``, ``.pt`` or ``.safetensors`` file: of kenshohara/3D-ResNets-PyTorch,
            torchvision or Lilliput; or the name of weights that torchvision publishes, or
            ``efficientnet_lite0``.

    Raises:
        CheckpointError: The weights cannot be read, or are of another network than the model's.
        ConfigError: There are no public weights for the model, or a package is missing.
    """
    weights = read_public_weights(source)
    if isinstance(model, FrontEnd) and not has_front_end(weights):
        model = model.network
    elif has_front_end(weights) and not isinstance(model, FrontEnd):
        weights = without_front_end(weights)
    backbones = _find_backbones(model, weights)
    targets = _tensors(model)
    origins = dict(_pair(model, weights, backbones))
    values: dict[str, torch.Tensor] = {}
    filled: dict[str, str] = {}
    for name, origin in origins.items():
        weight, target = weights.state[origin], targets[name]
        value, how = _fit(weight, target, _local(name, backbones))
        if value.shape == target.shape:
            values[name], filled[name] = value, how
        elif _is_fixed(name, backbones):
            raise CheckpointError(
                f"{source}: its {origin} is {_size(weight)}, the model's {name} is "
                f"{_size(target)}; take weights of a net of the same depth and width (public "
                "weights need model.width = 64)"
            )
    used = {origins[name] for name in filled}
    report = PretrainedReport(
        source,
        weights.title,
        tuple(backbones),
        filled,
        tuple(name for name in targets if name not in filled),
        tuple(name for name in weights.state if name not in used),
    )
    _check_complete(report, backbones, weights.kind)
    model.load_state_dict(values, strict=False)
    return report


def _find_backbones(model: nn.Module, weights: PublicWeights) -> _Places:
    """Where backbones and copies of a stage are; the rest of a name is as in the public file."""
    found = {
        f"{name}.".lstrip(".") + ("net." if hasattr(module, "net") else ""): type(module)
        for name, module in model.named_modules()
        if type(module) in _TAKES
    }
    copies = {
        f"{name}.stage.": "layer4."
        for name, module in model.named_modules()
        if isinstance(module, LocalStage)
    }
    places = {**dict.fromkeys(found, ""), **copies}
    if weights.kind == LILLIPUT:
        return places
    if not found:
        raise ConfigError(
            f"training.pretrained = '{weights.source}': there are no public weights for "
            f"{type(model).__name__}; leave it empty, or give a model trained by Lilliput"
        )
    if not any(weights.kind in _TAKES[backbone] for backbone in found.values()):
        names = ", ".join(sorted({backbone.__name__ for backbone in found.values()}))
        raise CheckpointError(
            f"{weights.source}: weights of {weights.title}, which do not fit {names}; give others "
            "in training.pretrained, or leave it empty"
        )
    return places


def _pair(
    model: nn.Module, weights: PublicWeights, backbones: _Places
) -> Iterator[tuple[str, str]]:
    """The model's tensors, each with the one of the file that is to fill it."""
    network = model.network if isinstance(model, FrontEnd) else model
    linear = isinstance(getattr(network, "head", None), LinearHead)
    for name in _tensors(model):
        origins = [_local(name, backbones)] if name.startswith(tuple(backbones)) else []
        if weights.kind == LILLIPUT:  # a single-scale net fills every stream of a multi-scale one
            origins = [name, *(f"backbone.{origin}" for origin in origins)]
        elif linear and name.startswith("head.fc."):
            origins = [name.removeprefix("head.")]
        for origin in [origin for origin in origins if origin in weights.state][:1]:
            yield name, origin


def _fit(weight: torch.Tensor, target: torch.Tensor, name: str) -> tuple[torch.Tensor, str]:
    """The weight in the target's shape as far as that is allowed, and what was done to it."""
    done = []
    weight = weight.to(target.dtype)
    if weight.ndim == 4 and target.ndim == 5:
        weight = inflate_weight(weight, target.shape[2])
        done.append("inflated")
    if weight.ndim != 5 or target.ndim != 5:
        return weight, "loaded"
    longer = target.shape[2] - weight.shape[2]
    if name == "conv1.weight" and longer > 0 and longer % 2 == 0:  # the same convolution
        weight = F.pad(weight, (0, 0, 0, 0, longer // 2, longer // 2))
        done.append("padded")
    wider = target.shape[1] - weight.shape[1]
    if wider > 0 and _WIDENED.fullmatch(name):
        weight = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, wider))
        done.append("sliced")
    return weight, " and ".join(done) or "loaded"


def _check_complete(report: PretrainedReport, backbones: _Places, kind: str) -> None:
    """Refuses weights of another network, though many of their tensors may fit."""
    remedy = "take weights of the same network and depth"
    if not report.backbones and len(report.filled) < len(report.missing):
        raise CheckpointError(
            f"{report.source}: {len(report.missing)} tensors of the model have no counterpart in "
            f"it, the first is {report.missing[0]}; {remedy}"
        )
    for name in report.missing:
        if _is_fixed(name, backbones):
            raise CheckpointError(
                f"{report.source}: holds nothing for the model's {name}; {remedy}"
            )
    places = {**backbones, "backbone.": ""} if kind == LILLIPUT else {"": ""}
    for name in report.unused:
        if _is_fixed(name, places):
            raise CheckpointError(f"{report.source}: the model has no place for {name}; {remedy}")


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and statistics, without the counters of batch normalisation."""
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def _local(name: str, places: _Places) -> str:
    """The name within its backbone, which is the one of a public file."""
    prefix = next((prefix for prefix in places if name.startswith(prefix)), "")
    return places.get(prefix, "") + name.removeprefix(prefix)


def _is_fixed(name: str, places: _Places) -> bool:
    """Whether a tensor lies in a backbone and depends neither on classes nor on clip size."""
    return name.startswith(tuple(places)) and not _FREE.fullmatch(_local(name, places))


def _size(tensor: torch.Tensor) -> str:
    return " x ".join(map(str, tensor.shape))


def _shorten(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f", and {more} more" if more > 0 else "")
