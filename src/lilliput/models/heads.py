"""From a backbone's stage maps to logits.

A head may hold several classifiers whose logits are added up (section 3.10), so heads give one
row of logits for each of them; most hold a single one.
"""

from collections.abc import Sequence

import torch
from torch import nn

from lilliput.models.attention_pool import AttentionPool3d, AveragePool3d


class LinearHead(nn.Module):
    """Pools the last map; one linear layer.

    Args:
        channels: Channels C of the last map.
        num_classes: Classes K.
        attention: Pool with attention (section 3.9) instead of averaging.
        dropout: Probability of dropping a pooled feature.

    Shape:
        - Input: stage maps, the last ``(N, C, T, H, W)``
        - Output: ``(1, N, K)`` logits
    """

    def __init__(
        self, channels: int, num_classes: int, *, attention: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pool = AttentionPool3d(channels) if attention else AveragePool3d()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, stages: Sequence[torch.Tensor]) -> torch.Tensor:
        """Classifies the last map."""
        logits: torch.Tensor = self.fc(self.dropout(self.pool(stages[-1])))
        return logits[None]


class Classifier(nn.Module):
    """A backbone and a head.

    Args:
        backbone: From clips to what the head reads, most often stage maps.
        head: From these to ``(B, N, K)``, the logits of B classifiers.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits, the sum of the classifiers'
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        return self.forward_branches(clips)[0]

    def forward_branches(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (N, K), and those of each classifier (B, N, K)."""
        branches = self.head(self.backbone(clips))
        return branches.sum(dim=0), branches
