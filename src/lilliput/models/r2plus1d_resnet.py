"""R(2+1)D of any depth, as kenshohara/3D-ResNets-PyTorch publishes it (thesis section 2.1.2.2).

Attribute names and shapes are those of its files (``r2p1d18``, ``r2p1d34``, ``r2p1d50``), so that
they load untouched. It differs from torchvision's network: the stem is 7 frames long and followed
by max pooling, and each of a block's convolutions has its own number of channels in the middle.

Sources: Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR
2018; Kataoka et al., Would Mega-scale Datasets Further Enhance Spatiotemporal 3D CNNs?, 2020.
"""

from collections.abc import Sequence

import torch
from torch import nn

from lilliput.errors import ConfigError
from lilliput.models.resnet3d import (
    BLOCKS,
    Strides,
    drops,
    initialise,
    shortcut,
    stage_channels,
    stochastic_depth_layer,
)

_Stride = tuple[int, int, int]  # in T, H and W


def split_convolution(
    in_channels: int, channels: int, stride: _Stride, *, time: int = 3, side: int = 3
) -> tuple[nn.Conv3d, nn.BatchNorm3d, nn.Conv3d, nn.BatchNorm3d]:
    """A 3-D filter as one of space and one of time, each normalized (figure 2.5).

    Between them are as many channels as give the weights of the 3-D filter, rounded down.
    """
    middle = in_channels * channels * time * side**2 // (in_channels * side**2 + time * channels)
    across, along = (1, side, side), (time, 1, 1)
    half, frames = side // 2, time // 2
    return (
        nn.Conv3d(in_channels, middle, across, (1, *stride[1:]), (0, half, half), bias=False),
        nn.BatchNorm3d(middle),
        nn.Conv3d(middle, channels, along, (stride[0], 1, 1), (frames, 0, 0), bias=False),
        nn.BatchNorm3d(channels),
    )


class SplitBasicBlock(nn.Module):
    """Two split 3x3x3 convolutions and a skip connection."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: _Stride, drop: float = 0.0) -> None:
        super().__init__()
        first = split_convolution(in_channels, channels, stride)
        self.conv1_s, self.bn1_s, self.conv1_t, self.bn1_t = first
        second = split_convolution(channels, channels, (1, 1, 1))
        self.conv2_s, self.bn2_s, self.conv2_t, self.bn2_t = second
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels, stride)
        self.stochastic_depth = stochastic_depth_layer(drop)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, channels, T', H', W')."""
        residual = self.relu(self.bn1_s(self.conv1_s(features)))
        residual = self.relu(self.bn1_t(self.conv1_t(residual)))
        residual = self.relu(self.bn2_s(self.conv2_s(residual)))
        residual = self.bn2_t(self.conv2_t(residual))
        if self.stochastic_depth is not None:
            residual = self.stochastic_depth(residual)
        skip = features if self.downsample is None else self.downsample(features)
        output: torch.Tensor = self.relu(residual + skip)
        return output


class SplitBottleneck(nn.Module):
    """1x1x1, a split 3x3x3 with the stride, 1x1x1, and a skip connection."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: _Stride, drop: float = 0.0) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv3d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        split = split_convolution(channels, channels, stride)
        self.conv2_s, self.bn2_s, self.conv2_t, self.bn2_t = split
        self.conv3 = nn.Conv3d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)
        self.stochastic_depth = stochastic_depth_layer(drop)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, 4 * channels, T', H', W')."""
        residual = self.relu(self.bn1(self.conv1(features)))
        residual = self.relu(self.bn2_s(self.conv2_s(residual)))
        residual = self.relu(self.bn2_t(self.conv2_t(residual)))
        residual = self.bn3(self.conv3(residual))
        if self.stochastic_depth is not None:
            residual = self.stochastic_depth(residual)
        skip = features if self.downsample is None else self.downsample(features)
        output: torch.Tensor = self.relu(residual + skip)
        return output


class R2plus1dResNet(nn.Module):
    """A backbone: stem and four stages of split convolutions.

    Args:
        depth: 18, 34, 50, 101 or 152.
        width: Channels of the first stage; 64 in the published nets.
        spatial_strides: Strides in H and W of the stem, maxpool, layer2, layer3, layer4;
            ``adapted_strides(size)`` gives those for a small input.
        stochastic_depth: Probability of leaving out the last block, 0 at the first.

    Attributes:
        out_channels: Channels of the four stage maps.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: the stage maps c2 to c5, T / 2, T / 4, T / 8 and T / 16 frames long
    """

    def __init__(
        self,
        *,
        depth: int = 18,
        width: int = 64,
        spatial_strides: Strides = (2, 2, 2, 2, 2),
        stochastic_depth: float = 0.0,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ConfigError(f"R(2+1)D has depths 18, 34, 50, 101 and 152, not {depth}")
        block = SplitBottleneck if depth >= 50 else SplitBasicBlock
        self.out_channels = stage_channels(depth, width)
        stem, pool, *stages = spatial_strides
        convolution = split_convolution(3, width, (1, stem, stem), time=7, side=7)
        self.conv1_s, self.bn1_s, self.conv1_t, self.bn1_t = convolution
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d(3, (2, pool, pool), padding=1)
        one, two, three, four = drops(depth, stochastic_depth)
        c2, c3, c4, _ = self.out_channels
        s2, s3, s4 = ((2, stride, stride) for stride in stages)
        self.layer1 = _stage(block, width, width, (1, 1, 1), one)
        self.layer2 = _stage(block, c2, 2 * width, s2, two)
        self.layer3 = _stage(block, c3, 4 * width, s3, three)
        self.layer4 = _stage(block, c4, 8 * width, s4, four)
        initialise(self)

    def stem(self, clips: torch.Tensor) -> torch.Tensor:
        """What comes before the first stage: a split convolution and max pooling."""
        features = self.relu(self.bn1_s(self.conv1_s(clips)))
        pooled: torch.Tensor = self.maxpool(self.relu(self.bn1_t(self.conv1_t(features))))
        return pooled

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """(N, 3, T, H, W) to c2, c3, c4, c5."""
        c2 = self.layer1(self.stem(clips))
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return [c2, c3, c4, self.layer4(c4)]


def _stage(
    block: type[SplitBasicBlock] | type[SplitBottleneck],
    in_channels: int,
    channels: int,
    stride: _Stride,
    probabilities: Sequence[float],
) -> nn.Sequential:
    first, *others = probabilities
    layers: list[nn.Module] = [block(in_channels, channels, stride, first)]
    for drop in others:
        layers.append(block(channels * block.expansion, channels, (1, 1, 1), drop))
    return nn.Sequential(*layers)
