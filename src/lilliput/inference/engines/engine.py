"""What every engine has in common."""

from importlib import import_module
from typing import Any, Literal, Protocol

import torch

from lilliput.errors import ConfigError

EngineName = Literal["torch", "onnx", "openvino"]
Precision = Literal["fp32", "bf16", "int8"]

NO_BF16 = "this machine has no bf16 arithmetic: computing in fp32"


class Engine(Protocol):
    """A network, ready to run.

    Attributes:
        name: Which engine it is.
        precision: The number format that this machine really computes in.
        device: Where clips are best kept.
        note: What the user should know of it; empty for nothing.
    """

    name: EngineName
    precision: Precision
    device: torch.device
    note: str

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """(N, 3, T, H, W) float32 clips to (N, K) float32 logits, on ``device``."""


def import_extra(extra: str, package: str) -> Any:
    """A package that one of Lilliput's extras brings.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ConfigError(
            f"engine '{extra}' needs the package {package}: pip install 'lilliput[{extra}]'"
        ) from None
