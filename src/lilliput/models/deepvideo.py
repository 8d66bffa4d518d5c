"""DeepVideo: one network of images, and four ways to give it time (thesis section 2.1.2).

Source: Karpathy et al., Large-scale Video Classification with Convolutional Neural Networks,
CVPR 2014.
"""

from typing import Literal

import torch
from torch import nn

from lilliput.errors import ConfigError
from lilliput.models.resize import FittedMaxPool3d, resize_to

Fusion = Literal["single", "early", "late", "slow"]

# Channels in widths, side, spatial stride, whether max pooling follows.
_LAYERS = ((1.5, 11, 3, True), (4, 5, 1, True), (6, 3, 1, False), (6, 3, 1, False), (4, 3, 1, True))
_SLOW = ((4, 2), (2, 2))  # filter and stride in time of the first two layers; the third takes all
_MAP_SIDE = 6  # of the last map of the paper's 170 px, which the first linear layer reads


def time_filters(fusion: Fusion, num_frames: int) -> list[tuple[int, int]]:
    """Length and stride in time of the filters of the first three layers."""
    if fusion == "early":
        return [(num_frames, 1), (1, 1), (1, 1)]
    if fusion != "slow":
        return [(1, 1)] * 3
    filters = []
    for length, stride in _SLOW:
        filters.append((min(length, num_frames), stride))
        num_frames = (num_frames - filters[-1][0]) // stride + 1
    return [*filters, (num_frames, 1)]


class DeepVideo(nn.Module):
    """Five convolutions and three linear layers, as of AlexNet.

    - ``single``: every frame by itself; the mean of the frames' logits.
    - ``early``: filters of the first layer are as long as the clip.
    - ``late``: the first and the last frame by themselves; the linear layers see both.
    - ``slow``: filters of 4 frames, then 2, then all that is left, each layer seeing more time.

    Follows the paper except in three things. Batch normalization after each convolution replaces
    local response normalization, as without it the network trains badly from scratch. The last
    map is brought to 6 x 6, as it is there for 170 px, so that other sizes fit. Clips have any
    number of frames: the paper's early and slow fusion see 10, its late fusion two 15 apart.

    Args:
        num_classes: Classes K.
        fusion: How frames come together.
        num_frames: Frames T of a clip.
        width: 64 gives the paper's 96 channels behind the first convolution, and 4096 hidden
            features; others scale all of them.
        dropout: Probability of dropping a feature after each hidden linear layer.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits

    Raises:
        ConfigError: The fusion is unknown.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        fusion: Fusion = "single",
        num_frames: int = 16,
        width: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if fusion not in ("single", "early", "late", "slow"):
            raise ConfigError(f"DeepVideo's fusion is single, early, late or slow, not {fusion}")
        self.fusion = fusion
        times = [*time_filters(fusion, num_frames), (1, 1), (1, 1)]
        stages, in_channels = [], 3
        for (widths, side, stride, pooled), time in zip(_LAYERS, times, strict=True):
            channels = int(widths * width)
            stages.append(_stage(in_channels, channels, (time[0], side), (time[1], stride), pooled))
            in_channels = channels
        self.stages = nn.Sequential(*stages)
        maps, hidden = 2 if fusion == "late" else 1, 64 * width
        self.classifier = nn.Sequential(
            nn.Linear(maps * in_channels * _MAP_SIDE**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        if self.fusion == "late":
            clips = torch.stack([clips[:, :, 0], clips[:, :, -1]], dim=2)
        features = resize_to(self.stages(clips), (_MAP_SIDE, _MAP_SIDE))  # (N, C, T', 6, 6)
        if self.fusion == "single":
            frames = features.transpose(1, 2).flatten(2)  # (N, T, C * 36)
            return self.classifier(frames).mean(dim=1)  # type: ignore[no-any-return]
        logits: torch.Tensor = self.classifier(features.flatten(1))
        return logits


def _stage(
    in_channels: int,
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pooled: bool,
) -> nn.Sequential:
    """A convolution, kernel and stride given in time and space, and perhaps pooling in space."""
    (time, side), (step, apart) = kernel, stride
    convolution = nn.Conv3d(
        in_channels,
        channels,
        (time, side, side),
        (step, apart, apart),
        (0, side // 2, side // 2),
        bias=False,
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    layers = [convolution, nn.BatchNorm3d(channels), nn.ReLU(inplace=True)]
    if pooled:
        layers.append(FittedMaxPool3d((1, 2, 2), (1, 2, 2), ceil_mode=True))
    return nn.Sequential(*layers)
