"""From a network of images to one of video (thesis section 2.1.2.3).

Every N x N filter becomes T x N x N by repeating its weights T times along time and dividing
them by T. Clips are padded in time by repeating their first and last frame, not with zeros, so
that an inflated network sees in a clip that stands still exactly what the 2-D network sees in
its picture.

Source: Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017.
"""

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import nn

from lilliput.models.resize import FittedMaxPool3d

# Name and layer to its kernel and stride in time.
TimeRule: TypeAlias = Callable[[str, nn.Module], tuple[int, int]]
# 2-D layer, kernel and stride in time to the 3-D layer.
Inflater: TypeAlias = Callable[[Any, int, int], nn.Module]


def inflate_weight(weight: torch.Tensor, time: int) -> torch.Tensor:
    """Repeats a convolution's weights along time and divides them by the number of repeats.

    Shape:
        - weight: ``(O, I, H, W)``
        - Output: ``(O, I, time, H, W)``
    """
    return weight.unsqueeze(2).repeat(1, 1, time, 1, 1) / time


def pad_time(features: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Repeats the first and last frame so that windows lie around frames 0, s, 2 s and so on.

    A layer of this kernel and stride s then turns T frames into ceil(T / s).

    Shape:
        - Input: ``(N, C, T, H, W)``
        - Output: ``(N, C, T', H, W)``
    """
    num_frames = features.shape[2]
    last_window = (num_frames - 1) // stride * stride
    before = (kernel - 1) // 2
    after = max(last_window + kernel - before - num_frames, 0)
    if before == after == 0:
        return features
    first, last = features[:, :, :1], features[:, :, -1:]
    # Concatenation, as the gradient of replicated padding is not deterministic on a GPU.
    return torch.cat([first] * before + [features] + [last] * after, dim=2)


class PadTime(nn.Module):
    """``pad_time`` as a layer."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, C, T', H, W)."""
        return pad_time(features, self.kernel, self.stride)


class InflatedConv3d(nn.Conv3d):
    """A 2-D convolution inflated; it pads time by repeating frames, space as the 2-D one.

    Args:
        layer: The 2-D convolution; its space must be padded with zeros.
        kernel: Frames under the filter.
        stride: Stride in time.
    """

    def __init__(self, layer: nn.Conv2d, kernel: int, stride: int) -> None:
        if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise TypeError(f"cannot inflate the padding of {layer}")
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            (kernel, *layer.kernel_size),  # type: ignore[arg-type]
            (stride, *layer.stride),  # type: ignore[arg-type]
            (0, *layer.padding),  # type: ignore[arg-type]
            (1, *layer.dilation),  # type: ignore[arg-type]
            layer.groups,
            layer.bias is not None,
        )
        self.weight = nn.Parameter(inflate_weight(layer.weight.detach(), kernel))
        self.bias = layer.bias

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, O, ceil(T / stride), H', W')."""
        return super().forward(pad_time(features, self.kernel_size[0], self.stride[0]))


def _inflate_max_pool(layer: nn.MaxPool2d, kernel: int, stride: int) -> nn.Module:
    pool = FittedMaxPool3d(
        (kernel, *_pair(layer.kernel_size)),
        (stride, *_pair(layer.stride)),
        (0, *_pair(layer.padding)),
        ceil_mode=layer.ceil_mode,
    )
    return nn.Sequential(PadTime(kernel, stride), pool)


def _inflate_average_pool(layer: nn.AvgPool2d, kernel: int, stride: int) -> nn.Module:
    pool = nn.AvgPool3d(
        (kernel, *_pair(layer.kernel_size)),
        (stride, *_pair(layer.stride)),
        (0, *_pair(layer.padding)),
        layer.ceil_mode,
        layer.count_include_pad,
    )
    return nn.Sequential(PadTime(kernel, stride), pool)


def _inflate_adaptive_pool(layer: nn.AdaptiveAvgPool2d, _kernel: int, _stride: int) -> nn.Module:
    return nn.AdaptiveAvgPool3d((1, *_pair(layer.output_size)))


def _inflate_batch_norm(layer: nn.BatchNorm2d, _kernel: int, _stride: int) -> nn.Module:
    norm = nn.BatchNorm3d(
        layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats
    )
    norm.load_state_dict(layer.state_dict(), assign=True)  # keeps device and type
    return norm


_INFLATERS: Mapping[type[nn.Module], Inflater] = {
    nn.Conv2d: InflatedConv3d,
    nn.MaxPool2d: _inflate_max_pool,
    nn.AvgPool2d: _inflate_average_pool,
    nn.AdaptiveAvgPool2d: _inflate_adaptive_pool,
    nn.BatchNorm2d: _inflate_batch_norm,
}


def as_in_space(_name: str, layer: nn.Module) -> tuple[int, int]:
    """The rule of N x N x N: a layer does in time what it does in height."""
    return _pair(layer.kernel_size)[0], _pair(layer.stride)[0]


def inflate(
    net: nn.Module,
    time: TimeRule = as_in_space,
    inflaters: Mapping[type[nn.Module], Inflater] = MappingProxyType({}),
) -> nn.Module:
    """A copy of a 2-D network that takes clips; names of tensors stay.

    Works on any network whose ``forward`` treats height and width through its layers alone.

    Args:
        net: The 2-D network, from pictures ``(N, C, H, W)``.
        time: Kernel and stride in time of each convolution and pooling layer.
        inflaters: How to inflate types of layers that PyTorch itself does not have.

    Returns:
        The 3-D network, from clips ``(N, C, T, H, W)``. Global pooling averages over time too.

    Raises:
        TypeError: The network has a 2-D layer that cannot be inflated.
    """
    return _inflate(copy.deepcopy(net), "", time, {**_INFLATERS, **inflaters})


def _inflate(
    layer: nn.Module, name: str, time: TimeRule, inflaters: Mapping[type[nn.Module], Inflater]
) -> nn.Module:
    inflater = inflaters.get(type(layer))
    if inflater is not None:
        kernel, stride = time(name, layer) if hasattr(layer, "kernel_size") else (1, 1)
        return inflater(layer, kernel, stride).train(layer.training)
    children = list(layer.named_children())
    if not children and type(layer).__name__.lower().endswith("2d"):
        raise TypeError(f"cannot inflate {name or 'the network'}: {layer}")
    for child_name, child in children:
        setattr(
            layer, child_name, _inflate(child, f"{name}.{child_name}".lstrip("."), time, inflaters)
        )
    return layer


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
