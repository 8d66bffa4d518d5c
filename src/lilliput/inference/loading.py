"""From a name or a file to a network that runs."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import torch

from lilliput.checkpoint import Description, find_checkpoint, load_checkpoint
from lilliput.errors import ConfigError
from lilliput.inference.cache import cached, digest
from lilliput.inference.conversion import is_convertible, read_description, write_onnx
from lilliput.inference.engines import Engine, EngineName, check_pair
from lilliput.inference.engines.onnx import OnnxEngine
from lilliput.inference.engines.openvino import OpenVinoEngine
from lilliput.inference.engines.pytorch import TorchEngine

EXPORTS: dict[str, EngineName] = {".onnx": "onnx", ".xml": "openvino"}  # by suffix


def load_model(
    path: Path | str,
    *,
    engine: str = "auto",
    precision: str | None = None,
    device: str | None = None,
) -> tuple[Description, Engine]:
    """Loads a checkpoint or an exported model into an engine.

    Args:
        path: A checkpoint file, a run folder, a shipped model's name, or an exported file.
        engine: ``"torch"``, ``"onnx"``, ``"openvino"``; or ``"auto"``: for an export its own, else
            PyTorch on a GPU and for hand-crafted features, else OpenVINO where it is installed
            and what is converted for it can be kept, else PyTorch.
        precision: ``"fp32"``, ``"bf16"`` or ``"int8"``; None is fp32 for a checkpoint, and what
            an export was made for.
        device: Where PyTorch computes; None takes the GPU where there is one.

    Raises:
        CheckpointError: There is no such model, or it is damaged.
        ConfigError: It does not run in this engine or precision.
    """
    if Path(path).suffix in EXPORTS:
        return _load_export(Path(path), engine, precision, device)
    chosen = _fastest(device) if engine == "auto" else engine
    name, number_format = check_pair(chosen, precision or "fp32")
    if number_format == "int8":
        raise ConfigError(
            f"{path}: int8 needs clips to calibrate with; run "
            f"`lilliput export {path} --format openvino --precision int8 --data ROOT` first"
        )
    file = find_checkpoint(path)
    checkpoint = load_checkpoint(file)
    if name == "torch" or (engine == "auto" and not is_convertible(checkpoint)):
        return checkpoint, TorchEngine(checkpoint.build_model(), number_format, device)
    _check_device(name, device)
    key = " ".join([digest(file), *map(_version, ("lilliput", "torch", "onnx", "onnxscript"))])
    try:
        converted = cached(key, ".onnx", lambda made: write_onnx(checkpoint, made, name))
    except (ConfigError, OSError) as error:  # such as a folder that is read-only, or full
        if engine != "auto":
            raise
        instead = TorchEngine(checkpoint.build_model(), number_format, device)
        why = f"{error}; until then engine 'torch' computes"
        instead.note = "; ".join(filter(None, (instead.note, why)))
        return checkpoint, instead
    if name == "onnx":
        return checkpoint, OnnxEngine(converted)
    return checkpoint, OpenVinoEngine(converted, number_format)


def _load_export(
    path: Path, engine: str, precision: str | None, device: str | None
) -> tuple[Description, Engine]:
    own = EXPORTS[path.suffix]
    if engine not in ("auto", own):
        raise ConfigError(f"{path}: runs in engine '{own}', not in '{engine}'; give the checkpoint")
    _check_device(own, device)
    description, made_for = read_description(path)
    if precision not in (None, made_for):
        raise ConfigError(f"{path}: was exported for {made_for}; export it again for {precision}")
    if own == "onnx":
        return description, OnnxEngine(path)
    return description, OpenVinoEngine(path, made_for)


def _check_device(engine: EngineName, device: str | None) -> None:
    if device not in (None, "cpu"):
        raise ConfigError(f"engine '{engine}' computes on the CPU: use engine 'torch' on {device}")


def _fastest(device: str | None) -> EngineName:
    """OpenVINO is ahead of the others on CPUs; see benchmarks/results.md."""
    on_cpu = device == "cpu" or (device is None and not torch.cuda.is_available())
    needed = ("openvino", "onnx", "onnxscript")
    return "openvino" if on_cpu and all(map(find_spec, needed)) else "torch"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
