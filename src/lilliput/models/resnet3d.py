"""ResNet-3D and its stride adaptation to very small inputs (thesis sections 2.1.2.1 and 3.2).

Attribute names are those of the public Kinetics weights (kenshohara/3D-ResNets-PyTorch), so
that those load untouched.

Source: Hara et al., Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?,
CVPR 2018.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

from lilliput.errors import ConfigError

Strides = tuple[int, int, int, int, int]

STANDARD_INPUT_SIZE = 224  # px for which the five stride-2 layers end in a 7 x 7 map
BLOCKS = {  # of each stage, by depth
    18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3),
}  # fmt: skip


def adapted_strides(input_size: int) -> Strides:
    """Spatial strides of conv1, maxpool, layer2, layer3, layer4 for a square input.

    Section 3.2: the first log2(224 / size) of the five strides of 2 become 1, so that the
    last map is 7 x 7 again. Time keeps its strides.

    Raises:
        ConfigError: 224 / size is no power of two between 1 and 16.
    """
    halvings = math.log2(STANDARD_INPUT_SIZE / input_size) if input_size > 0 else math.nan
    if halvings not in (0, 1, 2, 3, 4):
        raise ConfigError(
            f"an adapted network cannot take {input_size} px: log2(224 / size) must be a whole "
            "number, as for 14, 28, 56, 112 and 224"
        )
    ones = int(halvings)
    return (1,) * ones + (2,) * (5 - ones)  # type: ignore[return-value]


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions and a skip connection (figures 2.1 to 2.3)."""

    expansion = 1

    def __init__(
        self, in_channels: int, channels: int, stride: tuple[int, int, int], drop: float = 0.0
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels, stride)
        self.stochastic_depth = stochastic_depth_layer(drop)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, channels, T', H', W')."""
        residual = self.relu(self.bn1(self.conv1(features)))
        residual = self.bn2(self.conv2(residual))
        if self.stochastic_depth is not None:
            residual = self.stochastic_depth(residual)
        skip = features if self.downsample is None else self.downsample(features)
        output: torch.Tensor = self.relu(residual + skip)
        return output


class Bottleneck(nn.Module):
    """1x1x1, 3x3x3, 1x1x1 and a skip connection; the stride is on the 3x3x3."""

    expansion = 4

    def __init__(
        self, in_channels: int, channels: int, stride: tuple[int, int, int], drop: float = 0.0
    ) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv3d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        self.conv3 = nn.Conv3d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)
        self.stochastic_depth = stochastic_depth_layer(drop)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, 4 * channels, T', H', W')."""
        residual = self.relu(self.bn1(self.conv1(features)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        if self.stochastic_depth is not None:
            residual = self.stochastic_depth(residual)
        skip = features if self.downsample is None else self.downsample(features)
        output: torch.Tensor = self.relu(residual + skip)
        return output


class WideBottleneck(Bottleneck):
    """As many channels outside, twice as many within: a Wide ResNet (widening factor 2).

    Source: Zagoruyko and Komodakis, Wide Residual Networks, BMVC 2016.
    """

    expansion = 2


def shortcut(
    in_channels: int, out_channels: int, stride: tuple[int, int, int]
) -> nn.Sequential | None:
    """Shortcut B: a projection, only where the shapes differ (figure 2.3)."""
    if in_channels == out_channels and stride == (1, 1, 1):
        return None
    return nn.Sequential(
        nn.Conv3d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm3d(out_channels)
    )


def stochastic_depth_layer(drop: float) -> StochasticDepth | None:
    """Leaves the residual of a clip out now and then, in training; where it never does, nothing."""
    return StochasticDepth(drop, "row") if drop else None


class ResNet3d(nn.Module):
    """A backbone: stem and four stages.

    Args:
        depth: 18, 34, 50, 101 or 152.
        width: Channels of the first stage; 64 in the published nets.
        wide: Twice as many channels within the bottlenecks, from depth 50 on: a Wide ResNet.
        spatial_strides: Strides in H and W of conv1, maxpool, layer2, layer3, layer4;
            ``adapted_strides(size)`` gives those for a small input.
        lateral_channels: Channels that another network adds to the inputs of layer2, layer3 and
            layer4 (section 3.6), behind their own.
        stochastic_depth: Probability of leaving out the last block; it grows in equal steps from
            0 at the first (Huang et al., Deep Networks with Stochastic Depth, ECCV 2016).

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
        wide: bool = False,
        spatial_strides: Strides = (2, 2, 2, 2, 2),
        lateral_channels: tuple[int, int, int] = (0, 0, 0),
        stochastic_depth: float = 0.0,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ConfigError(f"ResNet-3D has depths 18, 34, 50, 101 and 152, not {depth}")
        if wide and depth < 50:
            raise ConfigError(f"a Wide ResNet-3D has depth 50, 101 or 152, not {depth}")
        block = WideBottleneck if wide else Bottleneck if depth >= 50 else BasicBlock
        self.out_channels = stage_channels(depth, width)
        stem, pool, *stages = spatial_strides
        self.conv1 = nn.Conv3d(3, width, 7, (1, stem, stem), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d(3, (2, pool, pool), padding=1)
        c2, c3, c4, _ = self.out_channels
        l2, l3, l4 = lateral_channels
        s2, s3, s4 = ((2, stride, stride) for stride in stages)
        inner = 2 * width if wide else width
        one, two, three, four = drops(depth, stochastic_depth)
        self.layer1 = _stage(block, width, inner, (1, 1, 1), one)
        self.layer2 = _stage(block, c2 + l2, 2 * inner, s2, two)
        self.layer3 = _stage(block, c3 + l3, 4 * inner, s3, three)
        self.layer4 = _stage(block, c4 + l4, 8 * inner, s4, four)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
        """layer1 to layer4."""
        return self.layer1, self.layer2, self.layer3, self.layer4

    def stem(self, clips: torch.Tensor) -> torch.Tensor:
        """What comes before the first stage: convolution and max pooling."""
        pooled: torch.Tensor = self.maxpool(self.relu(self.bn1(self._convolve(clips))))
        return pooled

    def _convolve(self, clips: torch.Tensor) -> torch.Tensor:
        """conv1; of grey clips one channel with the summed weights, a third of the work."""
        if not _is_grey(clips):
            features: torch.Tensor = self.conv1(clips)
            return features
        weight = self.conv1.weight.sum(1, keepdim=True)
        stride, padding = self.conv1.stride, self.conv1.padding
        return functional.conv3d(clips[:, :1], weight, self.conv1.bias, stride, padding)

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """(N, 3, T, H, W) to c2, c3, c4, c5."""
        features = self.stem(clips)
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        return maps


def _is_grey(clips: torch.Tensor) -> bool:
    """Whether the colours are equal, as from thermal and night cameras; looked for on CPUs only.

    On a GPU a look would cost more than it saves, and an exported network must not depend on it.
    """
    if clips.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    red, green, blue = clips.unbind(1)
    return torch.equal(red, green) and torch.equal(red, blue)


def stage_channels(depth: int, width: int) -> tuple[int, int, int, int]:
    """Channels of the four stage maps."""
    expansion = 4 if depth >= 50 else 1
    return width * expansion, 2 * width * expansion, 4 * width * expansion, 8 * width * expansion


def _stage(
    block: type[BasicBlock] | type[Bottleneck],
    in_channels: int,
    channels: int,
    stride: tuple[int, int, int],
    probabilities: Sequence[float],
) -> nn.Sequential:
    first, *others = probabilities
    layers: list[nn.Module] = [block(in_channels, channels, stride, first)]
    for drop in others:
        layers.append(block(channels * block.expansion, channels, (1, 1, 1), drop))
    return nn.Sequential(*layers)


def drops(depth: int, last: float) -> list[list[float]]:
    """For each block of each stage, the probability of leaving it out; ``last`` of the last."""
    blocks = BLOCKS[depth]
    numbers = itertools.count()
    return [[last * next(numbers) / (sum(blocks) - 1) for _ in range(stage)] for stage in blocks]


def initialise(model: nn.Module) -> None:
    """He's initialization of every convolution, as the published networks start."""
    for module in model.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
