"""In which number format a training computes.

The backward pass of small 3-D convolutions in half precision gives garbage gradients on CPUs that
have bf16 instructions, now and then and without a warning. So CPUs compute in single precision.
"""

from typing import Literal

import torch

from lilliput.config import TrainingConfig
from lilliput.errors import ConfigError

Precision = Literal["fp32", "bf16", "fp16"]


def resolve_precision(config: TrainingConfig) -> Precision:
    """What ``training.precision`` means on this machine.

    ``auto`` is bf16, with weights in single precision, on a CUDA GPU that computes in it, and
    single precision everywhere else.

    Raises:
        ConfigError: Half precision is asked for on a CPU.
    """
    cuda = config.accelerator in ("auto", "gpu") and torch.cuda.is_available()
    mps = config.accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available()
    if config.precision == "auto":
        native = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if native else "fp32"
    if config.precision != "fp32" and not (cuda or mps):
        raise ConfigError(
            f"training.precision = '{config.precision}': gradients of 3-D convolutions "
            "in half precision are unreliable on CPUs; use 'auto' or 'fp32'"
        )
    return config.precision
