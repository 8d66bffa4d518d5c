"""Multi-scale ResNet-3D feature pyramid network (thesis section 3.8, figure 3.9).

The bottom-up pathway of the pyramid is a multi-scale ResNet-3D. The pyramid's laterals start from
all its streams: resized to the largest stream's map and concatenated.
"""

import torch
from torch import nn

from lilliput.models.multiscale import MultiScaleResNet3d
from lilliput.models.resize import resize_to


class ConcatenatedStreams(nn.Module):
    """Makes one backbone of a multi-scale ResNet-3D.

    Args:
        multiscale: The streams.

    Attributes:
        out_channels: Channels of the four stage maps, of all streams together.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: stage maps c2 to c5, of the largest stream's sizes
    """

    def __init__(self, multiscale: MultiScaleResNet3d) -> None:
        super().__init__()
        self.multiscale = multiscale
        num_streams = len(multiscale.streams)
        c2, c3, c4, c5 = multiscale.out_channels
        self.out_channels = c2 * num_streams, c3 * num_streams, c4 * num_streams, c5 * num_streams

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """Concatenates the streams, stage by stage."""
        maps = []
        for stage in zip(*self.multiscale(clips), strict=True):
            size = (stage[-1].shape[-2], stage[-1].shape[-1])  # the largest stream comes last
            maps.append(torch.cat([resize_to(stream, size) for stream in stage], dim=1))
        return maps
