"""What a network costs and how large its maps are, counted on shapes alone.

Everything runs on PyTorch's meta device, where tensors have a shape and no values, so that the
largest network takes seconds and no memory.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from lilliput.models.c3d import C3d
from lilliput.models.deepvideo import DeepVideo
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.filter_bank import LocalConvolution, LocalStage
from lilliput.models.fpn import FeaturePyramid
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.i3d import I3d
from lilliput.models.image_pyramid import ImagePyramid
from lilliput.models.multiscale import MultiScaleResNet3d
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.mvit import Mvit
from lilliput.models.p3d import P3d
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.resnet3d import ResNet3d
from lilliput.models.video_vit import VideoVit

_MIB = 2**20
BACKBONE = "backbone"  # the group of a single stream's maps
PYRAMID = "pyramid"
_STAGES = {f"layer{stage}": f"stage {stage}" for stage in (1, 2, 3, 4)}

# The layers whose outputs are shown, by attribute, and what each is called. An empty attribute is
# the module itself, which then gives a list of maps.
_SHOWN: dict[type[nn.Module], Mapping[str, str]] = {
    ResNet3d: {"conv1": "conv1", "maxpool": "max pooling", **_STAGES},
    R2plus1dResNet: {"conv1_t": "conv1", "maxpool": "max pooling", **_STAGES},
    P3d: {"conv1": "conv1", "maxpool": "max pooling", **_STAGES},
    R2plus1d: {"stem": "stem", **_STAGES},
    EfficientNetLite0: {"": "stage {}"},
    FrameResNet: {"net.conv1": "conv1", **{f"net.{key}": name for key, name in _STAGES.items()}},
    C3d: {f"stages.{index}": f"stage {index + 1}" for index in range(5)},
    DeepVideo: {f"stages.{index}": f"stage {index + 1}" for index in range(5)},
    I3d: {
        "net.conv1": "conv1",
        "net.conv3": "conv3",
        **{f"net.inception{block}": f"inception {block}" for block in ("3b", "4e", "5b")},
    },
    Mvit: {
        "net.conv_proj": "patches",
        **{f"net.blocks.{last}": f"stage {stage}" for stage, last in enumerate((0, 2, 13, 15), 1)},
    },
    VideoVit: {"conv_proj": "tubelets"},
    FeaturePyramid: {f"smoothing.{index}": f"p{index + 2}" for index in range(4)},
    ConcatenatedStreams: {"": "c{}"},
    LocalConvolution: {"": "map"},
    LocalStage: {"": "map"},
}
_GROUPS = {
    FeaturePyramid: PYRAMID,
    ConcatenatedStreams: "concatenation",
    LocalConvolution: "local branch",
    LocalStage: "local branch",
}


@dataclass(frozen=True)
class MapFacts:
    """One feature map of one clip.

    Attributes:
        group: The part of the network it belongs to, such as ``112 px stream`` or ``pyramid``.
        name: Such as ``stage 1`` or ``p2``.
        channels: C.
        size: T, H, W.
    """

    group: str
    name: str
    channels: int
    size: tuple[int, int, int]

    def __str__(self) -> str:
        """Such as ``8×56×56×64``: time, height, width, channels."""
        return "×".join(map(str, (*self.size, self.channels)))


@dataclass(frozen=True)
class ModelFacts:
    """The cost of a network for one clip in 32-bit floats.

    Attributes:
        parameters: Number of trainable weights.
        macs: Multiply-adds of convolutions, matrix products and attention in a forward pass;
            the rest (normalisation, pooling) is not counted, as is usual.
        backbone_macs: Those of the backbone alone, where the network has one.
        weights_mib: Memory of the weights and of batch normalisation's statistics.
        inference_mib: The most that feature maps, the clip included, hold at one time in a
            forward pass that frees each after its last use. Scratch memory of the kernels is
            not counted, and attention is taken as plain matrix products, which hold every pair
            of positions; fused kernels hold less.
        training_mib: What a forward pass keeps for the backward pass, attention likewise.
        maps: Group by group, in the order in which the network reaches them.
    """

    parameters: int
    macs: int
    backbone_macs: int | None
    weights_mib: float
    inference_mib: float
    training_mib: float
    maps: tuple[MapFacts, ...]

    def group(self, name: str) -> tuple[MapFacts, ...]:
        """The maps of one part of the network."""
        return tuple(map_ for map_ in self.maps if map_.group == name)

    @property
    def groups(self) -> tuple[str, ...]:
        """The parts of the network."""
        return tuple(dict.fromkeys(map_.group for map_ in self.maps))


def measure_facts(model: nn.Module, clip_shape: Sequence[int]) -> ModelFacts:
    """Counts what one forward pass of one clip takes; the model itself stays untouched.

    Args:
        model: From clips to logits; on any device, the meta device included.
        clip_shape: ``(3, T, H, W)``.
    """
    model = copy.deepcopy(model).to("meta").eval()
    shown = _Shown(model)
    with torch.device("meta"):  # for tensors that a network makes in its forward pass
        live = _LiveMemory()
        with torch.no_grad(), FlopCounterMode(display=False) as counter, live:
            model(torch.empty(1, *clip_shape))
        maps = shown.maps()
        # Two clips: batch normalisation cannot learn from a single one's 1 x 1 x 1 map.
        kept = _measure_kept(model.train(), torch.empty(2, *clip_shape)) / 2
    by_module = counter.get_flop_counts()
    name = f"{type(model).__name__}.backbone"
    backbone = sum(by_module[name].values()) // 2 if name in by_module else None
    return ModelFacts(
        parameters=sum(weight.numel() for weight in model.parameters()),
        macs=counter.get_total_flops() // 2,
        backbone_macs=backbone,
        weights_mib=sum(storage.nbytes() for storage in _storages(model).values()) / _MIB,
        inference_mib=live.peak / _MIB,
        training_mib=kept / _MIB,
        maps=maps,
    )


class _Shown:
    """Notes the sizes of the maps that ``_SHOWN`` names."""

    def __init__(self, model: nn.Module) -> None:
        self._found: dict[str, list[MapFacts]] = {}
        self._image = ""  # the scale at which a pyramid of images runs its backbone
        streams = {}
        for module in model.modules():
            if isinstance(module, MultiScaleResNet3d):
                for size, stream in zip(module.input_sizes, module.streams, strict=True):
                    streams[stream] = f"{size} px stream"
            if isinstance(module, ImagePyramid):
                module.backbone.register_forward_pre_hook(self._enter_scale)
            kind = type(module)
            if kind not in _SHOWN:
                continue
            group = streams.get(module, _GROUPS.get(kind, BACKBONE))
            for attribute, name in _SHOWN[kind].items():
                layer = module.get_submodule(attribute)
                layer.register_forward_hook(self._hook(group, name))

    def _hook(self, group: str, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            outputs = output if isinstance(output, list) else [output]
            first = 2 if group == "concatenation" else 1  # c2 to c5, stage 1 to stage 4
            part = self._image or group
            found = self._found.setdefault(part, [])
            for number, each in enumerate(outputs, first):
                channels, size = _channels_and_size(each)
                found.append(MapFacts(part, name.format(number), channels, size))

        return note

    def _enter_scale(self, _module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self._image = f"{inputs[0].shape[-1]} px image"

    def maps(self) -> tuple[MapFacts, ...]:
        """All of the last forward pass, those of an ensemble's members once."""
        return tuple(dict.fromkeys(map_ for maps in self._found.values() for map_ in maps))


def _channels_and_size(output: Any) -> tuple[int, tuple[int, int, int]]:
    if isinstance(output, tuple):  # MViT: tokens (1, 1 + L, C), and T, H, W
        tokens, (frames, height, width) = output
        return tokens.shape[-1], (frames, height, width)
    if output.ndim == 4:  # a net on frames: (T, C, H, W)
        frames, channels, height, width = output.shape
    else:
        _, channels, frames, height, width = output.shape
    return channels, (frames, height, width)


class _LiveMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The most bytes that tensors made under this mode hold at one time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._live: dict[Any, int] = {}

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        known = {_identity(tensor.untyped_storage()) for tensor in _tensors((args, kwargs))}
        output = operation(*args, **(kwargs or {}))
        for tensor in _tensors(output):
            storage = tensor.untyped_storage()
            identity = _identity(storage)
            if identity not in known:  # a view, or in place, makes nothing new
                self._live[identity] = storage.nbytes()
        self._live = {
            identity: size for identity, size in self._live.items() if not identity.expired()
        }
        self.peak = max(self.peak, sum(self._live.values()))
        return output


def _measure_kept(model: nn.Module, clips: torch.Tensor) -> int:
    """Bytes that autograd keeps, besides the weights."""
    weights = _storages(model)
    kept: dict[Any, torch.UntypedStorage] = {}  # holds them, so that no identity is reused

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[_identity(storage)] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(clips)
    return sum(storage.nbytes() for identity, storage in kept.items() if identity not in weights)


def _storages(model: nn.Module) -> dict[Any, torch.UntypedStorage]:
    """What holds the weights and buffers; a weight used twice is there once."""
    storages = [tensor.untyped_storage() for tensor in (*model.parameters(), *model.buffers())]
    return {_identity(storage): storage for storage in storages}


def _identity(storage: torch.UntypedStorage) -> Any:
    """Equal for all tensors in one piece of memory; on the meta device addresses are all 0."""
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor))
