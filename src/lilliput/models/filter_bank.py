"""Spatio-temporal discriminative filter banks (thesis section 3.10, figure 3.10).

Source: Martinez et al., Action Recognition with Spatial-Temporal Discriminative Filter Banks,
ICCV 2019.
"""

from collections.abc import Sequence

import torch
from torch import nn

from lilliput.models.heads import LinearHead


class FilterBank(nn.Module):
    """Filters that each look for one local cue, wherever and whenever it appears.

    A 1x1x1 filter responds at every position; its highest response counts. The responses are
    classified twice: by a linear layer, and by averaging the filters that belong to each class.

    Args:
        channels: Channels C of the map.
        num_classes: Classes K.
        filters_per_class: Filters k of each class.

    Shape:
        - Input: ``(N, C, T, H, W)``
        - Output: ``(2, N, K)`` logits, of the linear layer and of the averages
    """

    def __init__(self, channels: int, num_classes: int, filters_per_class: int = 10) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.filters = nn.Conv3d(channels, num_classes * filters_per_class, 1)
        self.fc = nn.Linear(num_classes * filters_per_class, num_classes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Highest responses, then both classifiers."""
        responses = self.filters(features).amax(dim=(-3, -2, -1))  # (N, K * k)
        averages = responses.unflatten(1, (self.num_classes, -1)).mean(dim=2)  # (N, K)
        return torch.stack([self.fc(responses), averages])


class LocalStage(nn.Module):
    """Keeps detail for the bank: a copy of the last stage on stage 3's map at twice its size.

    The copy's stride takes the map back to the size it had, so that the bank sees twice as many
    positions along H and W as the global branch. It starts from the same weights as the last
    stage (``models.pretrained``), then learns its own.

    By second-hand summaries this is the paper's local feature branch, which we have not read; that
    the map is enlarged bilinearly is ours.

    Args:
        stage: The copy, from stage 3's map to ``out_channels`` channels.
        out_channels: Channels C' of the output.

    Shape:
        - Input: ``(N, C, T, H, W)``
        - Output: ``(N, C', T', 2 * H', 2 * W')``, where the stage makes ``(T', H', W')`` of the
          map as it was
    """

    def __init__(self, stage: nn.Module, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.upsample = nn.Upsample(scale_factor=(1, 2, 2), mode="trilinear")
        self.stage = stage

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Enlarges, runs the stage."""
        output: torch.Tensor = self.stage(self.upsample(features))
        return output


class LocalConvolution(nn.Module):
    """A lighter local branch: stage 3's map at twice its size in space, convolved once.

    Args:
        channels: Channels C of the map.

    Shape:
        - Input: ``(N, C, T, H, W)``
        - Output: ``(N, C, T, 2 * H, 2 * W)``
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_channels = channels
        self.upsample = nn.Upsample(scale_factor=(1, 2, 2), mode="nearest")
        self.conv = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm3d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Enlarges, convolves."""
        output: torch.Tensor = self.relu(self.bn(self.conv(self.upsample(features))))
        return output


class FilterBankHead(nn.Module):
    """A global branch, which is the plain head, beside a filter bank.

    On a ResNet-3D the bank reads the local branch, made from stage 3. On a level of a pyramid,
    which is large already, it reads the level's own map.

    Args:
        channels: Channels of the last map.
        num_classes: Classes K.
        local_branch: From the map before the last to the bank's; None: the bank reads the last.
        filters_per_class: Filters of each class.
        attention: Pool the global branch with attention.
        dropout: In the global branch.

    Shape:
        - Input: stage maps, each ``(N, C, T, H, W)``
        - Output: ``(3, N, K)`` logits: global, bank, averages of the bank
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        *,
        local_branch: LocalStage | LocalConvolution | None = None,
        filters_per_class: int = 10,
        attention: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.global_branch = LinearHead(channels, num_classes, attention=attention, dropout=dropout)
        self.local_branch = local_branch
        bank_channels = channels if local_branch is None else local_branch.out_channels
        self.bank = FilterBank(bank_channels, num_classes, filters_per_class)

    def forward(self, stages: Sequence[torch.Tensor]) -> torch.Tensor:
        """Logits of the three classifiers."""
        local = stages[-1] if self.local_branch is None else self.local_branch(stages[-2])
        return torch.cat([self.global_branch(stages), self.bank(local)])
