"""The engine that needs nothing but PyTorch, and the one for GPUs."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lilliput.inference.engines.engine import NO_BF16, EngineName, Precision

_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")  # as x86 and ARM report it


class TorchEngine:
    """Runs a network as it was trained.

    Args:
        model: The network, in evaluation mode; changed in place to run faster.
        precision: ``"bf16"`` computes convolutions and products in bf16 where the device can.
        device: Where to compute; None takes the GPU where there is one.
    """

    name: EngineName = "torch"

    def __init__(
        self, model: nn.Module, precision: Precision = "fp32", device: str | None = None
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        able = precision == "fp32" or has_bf16(self.device)
        self.precision: Precision = precision if able else "fp32"
        self.note = "" if able else NO_BF16
        fold_batch_norms(model)
        self._model = model.to(self.device)
        if self.precision == "bf16":
            for layer in model.modules():
                if isinstance(layer, nn.Conv3d):
                    layer.to(memory_format=torch.channels_last_3d)

    @torch.inference_mode()
    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of clips (N, 3, T, H, W)."""
        half = self.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            logits: torch.Tensor = self._model(clips.to(self.device))
        return logits.float()


def fold_batch_norms(model: nn.Module) -> None:
    """Puts each batch normalisation that follows a convolution into its weights.

    One follows the other in every module of the project that has them side by side.
    """
    for parent in list(model.modules()):
        children = list(parent.named_children())
        for (name, layer), (follower, norm) in pairwise(children):
            if not isinstance(layer, nn.Conv2d | nn.Conv3d):
                continue
            if type(norm) is nn.BatchNorm2d or type(norm) is nn.BatchNorm3d:  # no activation in it
                setattr(parent, name, fuse_conv_bn_eval(layer, norm))
                setattr(parent, follower, nn.Identity())


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bf16 itself; emulating it is far slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(capabilities.get(flag, False) for flag in _BF16_FLAGS)
