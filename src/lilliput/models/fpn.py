"""ResNet-3D feature pyramid network (thesis section 3.7, figure 3.8).

Source: Lin et al., Feature Pyramid Networks for Object Detection, CVPR 2017.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

Merge = Literal["sum", "mean", "max"]


class FeaturePyramid(nn.Module):
    """The top-down pathway: every level gets what the levels above it mean.

    A 1x1x1 lateral convolution brings each stage map to C channels. From the top down, each
    level is resized (nearest) to the one below and added to it. A 3x3x3 convolution with batch
    normalisation and ReLU smooths each sum; without a non-linearity a pooled pyramid would be
    no more than a linear map of the pooled stages.

    Args:
        in_channels: Channels of the stage maps c2 to c5.
        channels: Channels C of every level.

    Shape:
        - Input: stage maps c2 to c5, each ``(N, C_i, T_i, H_i, W_i)``
        - Output: levels p2 to p5, each ``(N, C, T_i, H_i, W_i)``
    """

    def __init__(self, in_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv3d(stage, channels, 1) for stage in in_channels)
        self.smoothing = nn.ModuleList(
            nn.Sequential(
                nn.Conv3d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm3d(channels),
                nn.ReLU(inplace=True),
            )
            for _ in in_channels
        )

    def forward(self, stages: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Goes down from the top level."""
        sums = [lateral(stage) for lateral, stage in zip(self.laterals, stages, strict=True)]
        for lower in range(len(sums) - 2, -1, -1):
            size = sums[lower].shape[-3:]
            sums[lower] = sums[lower] + nn.functional.interpolate(sums[lower + 1], size)
        return [smooth(level) for smooth, level in zip(self.smoothing, sums, strict=True)]


class Fpn(nn.Module):
    """A backbone, a pyramid, a classifier on every level; their logits combined.

    Args:
        backbone: From clips to stage maps c2 to c5; has ``out_channels``.
        heads: One per level, p2 to p5, from a level to ``(B, N, K)`` logits.
        channels: Channels of every level.
        merge: How the levels' logits are combined.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    def __init__(
        self,
        backbone: nn.Module,
        heads: Sequence[nn.Module],
        *,
        channels: int,
        merge: Merge = "sum",
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pyramid = FeaturePyramid(backbone.out_channels, channels)  # type: ignore[arg-type]
        self.heads = nn.ModuleList(heads)
        self.merge = merge

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        return self.forward_branches(clips)[0]

    def forward_branches(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (N, K), and those of every classifier of every level (B, N, K)."""
        levels = self.pyramid(self.backbone(clips))
        branches = [head([level]) for head, level in zip(self.heads, levels, strict=True)]
        return merge_levels(branches, self.merge), torch.cat(branches)


def merge_levels(branches: Sequence[torch.Tensor], merge: Merge) -> torch.Tensor:
    """The logits (N, K) of the (B, N, K) of each level's classifiers, added within a level."""
    by_level = torch.stack([level.sum(dim=0) for level in branches])  # (L, N, K)
    match merge:
        case "sum":
            return by_level.sum(dim=0)
        case "mean":
            return by_level.mean(dim=0)
        case "max":
            return by_level.amax(dim=0)
