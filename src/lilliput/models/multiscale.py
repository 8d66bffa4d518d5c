"""Multi-scale ResNet-3D (thesis section 3.6, figure 3.7).

Several ResNet-3Ds see the same clip at different sizes. After stages 1, 2 and 3 the larger
streams' maps flow into the smaller streams: resized to theirs and concatenated on the channels.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from lilliput.models.attention_pool import AveragePool3d
from lilliput.models.resize import resize_to
from lilliput.models.resnet3d import ResNet3d, adapted_strides, stage_channels

Lateral = Literal["adjacent", "all"]


class MultiScaleResNet3d(nn.Module):
    """One ResNet-3D per input size, with lateral connections from larger to smaller.

    Args:
        input_sizes: Square sizes in px, growing; clips are resized to each.
        depth: Of every stream: 18, 34, 50, 101 or 152.
        width: Channels of every stream's first stage.
        wide: Whether every stream is a Wide ResNet.
        adapted: Whether every stream's strides are made for its size (section 3.2).
        lateral: Whether a stream receives from the next larger one or from all larger ones.
        stochastic_depth: Probability of leaving out the last block of every stream.

    Attributes:
        out_channels: Channels of the four stage maps of every stream.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: for every stream, smallest first, its stage maps c2 to c5
    """

    def __init__(
        self,
        input_sizes: Sequence[int],
        *,
        depth: int = 18,
        width: int = 64,
        wide: bool = False,
        adapted: bool = False,
        lateral: Lateral = "adjacent",
        stochastic_depth: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_sizes = tuple(input_sizes)
        self.lateral = lateral
        self.out_channels = stage_channels(depth, width)
        c2, c3, c4, _ = self.out_channels
        streams = []
        for index, size in enumerate(input_sizes):
            donors = len(self.donors(index))
            streams.append(
                ResNet3d(
                    depth=depth,
                    width=width,
                    wide=wide,
                    spatial_strides=adapted_strides(size) if adapted else (2, 2, 2, 2, 2),
                    lateral_channels=(donors * c2, donors * c3, donors * c4),
                    stochastic_depth=stochastic_depth,
                )
            )
        self.streams = nn.ModuleList(streams)

    def donors(self, index: int) -> range:
        """Streams whose maps flow into stream ``index``."""
        last = len(self.input_sizes) if self.lateral == "all" else index + 2
        return range(index + 1, min(last, len(self.input_sizes)))

    def forward(self, clips: torch.Tensor) -> list[list[torch.Tensor]]:
        """Runs all streams side by side, stage after stage."""
        streams: list[ResNet3d] = list(self.streams)  # type: ignore[arg-type]
        features = [
            stream.stem(resize_to(clips, (size, size)))
            for stream, size in zip(streams, self.input_sizes, strict=True)
        ]
        maps: list[list[torch.Tensor]] = [[] for _ in streams]
        for stages in zip(*(stream.stages for stream in streams), strict=True):
            outputs = [stage(inputs) for stage, inputs in zip(stages, features, strict=True)]
            for stream_maps, output in zip(maps, outputs, strict=True):
                stream_maps.append(output)
            features = [self._with_laterals(outputs, index) for index in range(len(streams))]
        return maps

    def _with_laterals(self, outputs: Sequence[torch.Tensor], index: int) -> torch.Tensor:
        """A stream's map and, behind it, those of the larger streams in its size."""
        own = outputs[index]
        size = (own.shape[-2], own.shape[-1])
        return torch.cat(
            [own, *(resize_to(outputs[donor], size) for donor in self.donors(index))], dim=1
        )


class SummedStreamsHead(nn.Module):
    """Adds up the streams' pooled last maps; one linear layer.

    For maps of equal size, as adapted streams have, this is the sum of the maps, pooled.

    Args:
        channels: Channels C of a stream's last map.
        num_classes: Classes K.
        dropout: Probability of dropping a pooled feature.

    Shape:
        - Input: stage maps of every stream
        - Output: ``(1, N, K)`` logits
    """

    def __init__(self, channels: int, num_classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.pool = AveragePool3d()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, streams: Sequence[Sequence[torch.Tensor]]) -> torch.Tensor:
        """Classifies the sum of the streams."""
        pooled = torch.stack([self.pool(maps[-1]) for maps in streams]).sum(dim=0)  # (N, C)
        logits: torch.Tensor = self.fc(self.dropout(pooled))
        return logits[None]
