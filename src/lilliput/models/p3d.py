"""P3D: bottlenecks whose 3-D filter is split in one of three ways (thesis section 2.1.2.2).

Source: Qiu et al., Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks,
ICCV 2017; layer by layer as in the authors' published network of 152 + 47 layers, but for max
pooling, which pads on both sides as in the other ResNets.
"""

import itertools
from collections.abc import Iterator
from typing import Literal

import torch
from torch import nn

from lilliput.errors import ConfigError
from lilliput.models.resize import FittedMaxPool3d
from lilliput.models.resnet3d import BLOCKS, Strides, initialise, stage_channels

P3dBlocks = Literal["mixed", "a", "b", "c"]


class Pseudo3dConv(nn.Module):
    """A 3x3x3 filter as S, 1x3x3 of space, and T, 3x1x1 of time, each normalized.

    Args:
        channels: C, before and behind.
        variant: ``a``: one after the other, T(S(x)). ``b``: side by side, S(x) + T(x).
            ``c``: both, S(x) + T(S(x)). ``2d``: S alone.

    Shape:
        - Input and output: ``(N, C, T, H, W)``
    """

    def __init__(self, channels: int, variant: str) -> None:
        super().__init__()
        self.variant = variant
        self.conv_s = nn.Conv3d(channels, channels, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.bn_s = nn.BatchNorm3d(channels)
        if variant != "2d":
            self.conv_t = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0), bias=False)
            self.bn_t = nn.BatchNorm3d(channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Of maps behind a ReLU; so is the output."""
        space = torch.relu(self.bn_s(self.conv_s(features)))
        if self.variant == "2d":
            return space
        time: torch.Tensor = self.bn_t(self.conv_t(features if self.variant == "b" else space))
        return torch.relu(time if self.variant == "a" else space + time)


class P3dBottleneck(nn.Module):
    """1x1x1 with the spatial stride, a split 3x3x3, 1x1x1, and a skip connection."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, variant: str) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        strides = (1, stride, stride)
        self.conv1 = nn.Conv3d(in_channels, channels, 1, strides, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = Pseudo3dConv(channels, variant)
        self.conv3 = nn.Conv3d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv3d(in_channels, out_channels, 1, strides, bias=False),
                nn.BatchNorm3d(out_channels),
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, 4 * channels, T, H', W')."""
        residual = torch.relu(self.bn1(self.conv1(features)))
        residual = self.bn3(self.conv3(self.conv2(residual)))
        return torch.relu(residual + self.downsample(features))


class P3d(nn.Module):
    """A backbone: stem and four stages; the last stage sees every frame by itself.

    With ``mixed`` blocks, the variants a, b and c follow one another. That and depths 50, 101
    and 152 are the published P3D-63, P3D-131 and P3D-199.

    Args:
        depth: Of the 2-D ResNet: 50, 101 or 152.
        width: Channels of the stem; 64 in the published nets.
        blocks: The variant of all blocks, or ``mixed``.
        spatial_strides: Strides in H and W of conv1, maxpool, layer2, layer3, layer4;
            ``adapted_strides(size)`` gives those for a small input.

    Attributes:
        out_channels: Channels of the four stage maps.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: the stage maps c2 to c5, T / 2, T / 4, T / 8 and T / 16 frames long
    """

    def __init__(
        self,
        *,
        depth: int = 50,
        width: int = 64,
        blocks: P3dBlocks = "mixed",
        spatial_strides: Strides = (2, 2, 2, 2, 2),
    ) -> None:
        super().__init__()
        if depth not in (50, 101, 152):
            raise ConfigError(f"P3D has depths 50, 101 and 152, not {depth}")
        stem, pool, s2, s3, s4 = spatial_strides
        self.out_channels = stage_channels(depth, width)
        c2, c3, c4, _ = self.out_channels
        self.conv1 = nn.Conv3d(3, width, (1, 7, 7), (1, stem, stem), (0, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.maxpool = FittedMaxPool3d((2, 3, 3), (2, pool, pool), (0, 1, 1), ceil_mode=False)
        self.halve_time = FittedMaxPool3d((2, 1, 1), (2, 1, 1), ceil_mode=False)
        one, two, three, four = BLOCKS[depth]
        variants = itertools.cycle("abc" if blocks == "mixed" else blocks)
        self.layer1 = _stage(width, width, 1, itertools.islice(variants, one))
        self.layer2 = _stage(c2, 2 * width, s2, itertools.islice(variants, two))
        self.layer3 = _stage(c3, 4 * width, s3, itertools.islice(variants, three))
        self.layer4 = _stage(c4, 8 * width, s4, itertools.repeat("2d", four))
        initialise(self)

    def stem(self, clips: torch.Tensor) -> torch.Tensor:
        """What comes before the first stage: convolution of every frame and max pooling."""
        pooled: torch.Tensor = self.maxpool(torch.relu(self.bn1(self.conv1(clips))))
        return pooled

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """(N, 3, T, H, W) to c2, c3, c4, c5."""
        c2 = self.layer1(self.stem(clips))
        c3 = self.layer2(self.halve_time(c2))
        c4 = self.layer3(self.halve_time(c3))
        return [c2, c3, c4, self.layer4(self.halve_time(c4))]


def _stage(in_channels: int, channels: int, stride: int, variants: Iterator[str]) -> nn.Sequential:
    first, *others = variants
    layers = [P3dBottleneck(in_channels, channels, stride, first)]
    for variant in others:
        layers.append(P3dBottleneck(channels * P3dBottleneck.expansion, channels, 1, variant))
    return nn.Sequential(*layers)
