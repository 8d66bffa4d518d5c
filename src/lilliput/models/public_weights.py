"""Public weights as they are published: reading them, and telling which network they are of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torchvision.models import WeightsEnum, get_model_weights, get_weight

from lilliput.errors import CheckpointError
from lilliput.models.efficientnet import read_imagenet_weights
from lilliput.models.kenshohara import for_unit_deviation, takes_pixels, with_projections

State = Mapping[str, torch.Tensor]

TORCHVISION = (
    "r3d_18", "r2plus1d_18", "mvit_v2_s", "resnet18", "resnet34", "resnet50", "resnet101",
    "resnet152", "wide_resnet50_2", "googlenet",
)  # fmt: skip
EFFICIENTNET = "efficientnet_lite0"
LILLIPUT = "lilliput"
_NETWORK = "network."  # what stands behind a front end

# A tensor that only this format has, its number of dimensions, the format, and that in words.
_SIGNS = (
    ("layer1.0.conv1.0.0.weight", 5, "r2plus1d", "R(2+1)D of torchvision"),
    ("conv1_s.weight", 5, "r2plus1d_resnet", "R(2+1)D of kenshohara/3D-ResNets-PyTorch"),
    ("layer1.0.conv1.0.weight", 5, "video_resnet", "video ResNet of torchvision"),
    ("layer1.0.conv1.weight", 5, "resnet3d", "ResNet-3D of kenshohara/3D-ResNets-PyTorch"),
    ("layer1.0.conv1.weight", 4, "resnet", "ResNet of torchvision, of images"),
    (
        "inception3a.branch1.conv.weight",
        4,
        "googlenet",
        "GoogLeNet of torchvision, of images in -1..1",
    ),
    ("conv_proj.weight", 5, "mvit", "MViT of torchvision"),
    ("conv_stem.weight", 4, EFFICIENTNET, "EfficientNet-Lite0, of images in -1..1"),
)

# torchvision's video ResNet wraps convolution and normalisation: conv1.0 and conv1.1 of a block.
_VIDEO_RESNET = (
    (r"^stem\.0\.", "conv1."),
    (r"^stem\.1\.", "bn1."),
    (r"^(layer\d\.\d+)\.conv(\d)\.0\.", r"\1.conv\2."),
    (r"^(layer\d\.\d+)\.conv(\d)\.1\.", r"\1.bn\2."),
)


@dataclass(frozen=True)
class PublicWeights:
    """Weights of some network.

    Attributes:
        source: The file or name they come from.
        kind: The network, one word; the names of ``state`` follow from it.
        title: The network, in words.
        state: Tensors by name, without the counters of batch normalisation.
    """

    source: str
    kind: str
    title: str
    state: State


def read_public_weights(source: str) -> PublicWeights:
    """Reads weights by name or from a ``.pth``, ``.pt`` or ``.safetensors`` file.

    Nothing in a file is ever executed. A run folder of Lilliput stands for its best model.

    Raises:
        CheckpointError: There is no such file, it cannot be read or downloaded, or it is of no
            network known here.
        ConfigError: A package that ``efficientnet_lite0`` needs is not installed.
    """
    if source == EFFICIENTNET:
        return _recognise(source, read_imagenet_weights())
    if source.partition("_Weights.")[0].lower() in TORCHVISION:
        return _recognise(source, _download(source))
    path = Path(source)
    if path.is_dir():
        path = path / "best.safetensors"
    if not path.is_file():
        raise CheckpointError(_missing(path))
    if path.suffix != ".safetensors":
        return _recognise(source, _read_torch(path))
    state, by_lilliput = _read_safetensors(path)
    if by_lilliput:
        return PublicWeights(source, LILLIPUT, "a model trained by Lilliput", state)
    return _recognise(source, state)


def has_front_end(weights: PublicWeights) -> bool:
    """Whether they are of a network that Lilliput trained behind a front end."""
    return weights.kind == LILLIPUT and any(name.startswith(_NETWORK) for name in weights.state)


def without_front_end(weights: PublicWeights) -> PublicWeights:
    """Those of the network alone."""
    names = [name for name in weights.state if name.startswith(_NETWORK)]
    state = {name.removeprefix(_NETWORK): weights.state[name] for name in names}
    return replace(weights, state=state)


def _missing(path: Path) -> str:
    remedy = f"give an existing file, or one of {', '.join((*TORCHVISION, EFFICIENTNET))}"
    if re.fullmatch(r"r(3d|2p1d)\d+_\w+ep\.pth", path.name):
        remedy = (
            "it is among the Kinetics-700 weights that kenshohara/3D-ResNets-PyTorch publishes; "
            "put it there"
        )
    return (
        f'{path}: no such file; {remedy}, or train from scratch with --set training.pretrained=""'
    )


def _download(name: str) -> State:
    try:
        weights: WeightsEnum = get_weight(name) if "." in name else get_model_weights(name).DEFAULT
    except (KeyError, ValueError):
        raise CheckpointError(
            f"{name}: torchvision has no such weights; '{name.partition('_Weights')[0].lower()}' "
            "gives its default ones"
        ) from None
    try:
        state: State = weights.get_state_dict(
            check_hash=True, weights_only=True, map_location="cpu"
        )
    except Exception as error:  # of the network, of the file's checksum, of an unpickler
        raise CheckpointError(
            f"{name}: cannot be downloaded from {weights.url} ({_first_line(error)}); give the "
            "path of a copy"
        ) from None
    return state


def _read_torch(path: Path) -> State:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception:  # a damaged file may make the unpickler raise anything
        raise CheckpointError(
            f"{path}: damaged, or no file of weights (code in a file is never run); give a file "
            "that torch.save wrote of a state dict"
        ) from None
    if isinstance(content, dict):
        content = content.get("state_dict", content)
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds no tensors by name; give a state dict")
    return {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}


def _read_safetensors(path: Path) -> tuple[State, bool]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _without_counters(state), LILLIPUT in (file.metadata() or {})
    except Exception as error:  # likewise
        raise CheckpointError(
            f"{path}: not a readable safetensors file ({_first_line(error)})"
        ) from None


def _recognise(source: str, state: State) -> PublicWeights:
    if state and all(name.startswith("module.") for name in state):  # saved from DataParallel
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    state = _without_counters(state)
    for sign, dimensions, kind, title in _SIGNS:
        if sign in state and state[sign].ndim == dimensions:
            if kind == "video_resnet":
                return PublicWeights(source, "resnet3d", title, _rename(state))
            if kind == "resnet3d" and takes_pixels(state):
                title, state = f"{title}, of 2018", for_unit_deviation(state)
            if kind == "resnet3d":
                state = with_projections(state)
            return PublicWeights(source, kind, title, state)
    titles = ", ".join(title for *_, title in _SIGNS)
    raise CheckpointError(f"{source}: weights of no network known here, which are: {titles}")


def _rename(state: State) -> State:
    renamed = {}
    for name, tensor in state.items():
        for pattern, replacement in _VIDEO_RESNET:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def _without_counters(state: State) -> State:
    return {n: tensor for n, tensor in state.items() if not n.endswith("num_batches_tracked")}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
