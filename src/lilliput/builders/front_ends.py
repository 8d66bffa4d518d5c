"""Front ends by name, their weights, and the normalisation that they undo."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from lilliput.config import ModelConfig
from lilliput.errors import CheckpointError
from lilliput.models.super_resolution.basicvsr import BasicVsr
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.models.super_resolution.interpolation import Interpolation
from lilliput.models.super_resolution.registered import Registered
from lilliput.models.super_resolution.sof_vsr import SofVsr
from lilliput.models.super_resolution.span import Span, read_span_weights
from lilliput.video.normalisation import Normalisation

# From a scale to a module: (N, 3, T, H, W) in 0..1 to (N, 3, T, scale * H, scale * W).
FRONT_ENDS: dict[str, Callable[[int], nn.Module]] = {
    "bicubic": lambda scale: Interpolation(scale, "bicubic"),
    "lanczos": lambda scale: Interpolation(scale, "lanczos"),
    "registered": Registered,
    "span": Span,
    "sof_vsr": SofVsr,
    "basicvsr": BasicVsr,
}
_DOCUMENT_KEY = "lilliput_front_end"
_UNKNOWN_MEAN = (0.5, 0.5, 0.5)  # where a clip's own mean was subtracted
_UNKNOWN_STD = (0.2, 0.2, 0.2)  # where its own deviation was divided by: that of usual clips


def put_before(config: ModelConfig, network: nn.Module) -> nn.Module:
    """The network behind the front end that its settings name; without one, as it is."""
    if config.front_end == "none":
        return network
    enlarge = FRONT_ENDS[config.front_end](config.front_end_scale)
    return FrontEnd(enlarge, network, frozen=config.front_end_frozen)


def tell_normalisation(model: nn.Module, normalisation: Normalisation) -> None:
    """Lets a front end, if there is one, know what its clips are normalised with.

    Of what a clip's own mean or contrast was, nothing is left: usual values take its place.
    """
    mean = _UNKNOWN_MEAN if normalisation.per_clip else normalisation.mean
    std = _UNKNOWN_STD if normalisation.own_contrast else normalisation.std
    for module in model.modules():
        if isinstance(module, FrontEnd):
            module.set_normalisation(mean, std)


def start_front_end(model: nn.Module, config: ModelConfig) -> None:
    """Fills a learned front end from a file; SPAN without one from its published weights.

    Raises:
        CheckpointError: The file is missing, damaged, or of another front end or scale.
        ConfigError: SPAN's weights are not installed.
    """
    if not isinstance(model, FrontEnd):
        return
    if config.front_end_weights:
        state = load_front_end(
            Path(config.front_end_weights), config.front_end, config.front_end_scale
        )
        model.enlarge.load_state_dict(state)
    elif config.front_end == "span":
        model.enlarge.load_state_dict(read_span_weights(config.front_end_scale))


def save_front_end(
    enlarge: nn.Module, name: str, scale: int, path: Path, facts: Mapping[str, Any]
) -> None:
    """Writes a trained front end; a file that was there stays whole until the new one is.

    Args:
        enlarge: The front end.
        name: Its name.
        scale: Its scale.
        path: The file.
        facts: How it was trained, and what it scored: kept with the weights.

    Raises:
        CheckpointError: The file cannot be written.
    """
    document = json.dumps({"name": name, "scale": scale, **facts})
    state = {key: weight.detach().cpu().clone() for key, weight in enlarge.state_dict().items()}
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(state, partial, metadata={_DOCUMENT_KEY: document})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: cannot be written ({error})") from None
    partial.replace(path)


def load_front_end(path: Path, name: str, scale: int) -> Mapping[str, torch.Tensor]:
    """Reads the weights of a front end of this name and scale.

    Raises:
        CheckpointError: The file is missing, damaged, or of another front end or scale.
    """
    remedy = "give a file of `lilliput train-sr`"
    if not path.is_file():
        raise CheckpointError(f"{path}: no such front end; {remedy}")
    try:
        with safe_open(path, framework="pt") as file:
            document = json.loads((file.metadata() or {})[_DOCUMENT_KEY])
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        found = (str(document["name"]), int(document["scale"]))
    except (SafetensorError, OSError):
        raise CheckpointError(f"{path}: not a readable safetensors file; {remedy}") from None
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{path}: not the weights of a front end; {remedy}") from None
    if found != (name, scale):
        raise CheckpointError(
            f"{path}: is of front end '{found[0]}' at scale {found[1]}, not of '{name}' at scale "
            f"{scale}; set model.front_end = '{found[0]}' and model.front_end_scale = {found[1]}"
        )
    with torch.device("meta"):
        expected = FRONT_ENDS[name](scale).state_dict()
    if {key: tensor.shape for key, tensor in state.items()} != {
        key: tensor.shape for key, tensor in expected.items()
    }:
        raise CheckpointError(f"{path}: is of another version of '{name}'; train it anew")
    return state
