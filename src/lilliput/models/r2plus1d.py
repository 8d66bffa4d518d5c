"""R(2+1)D: every 3-D filter split into one of space and one of time (thesis section 2.1.2.2).

Source: Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition,
CVPR 2018.
"""

import torch
from torch import nn
from torchvision.models.video import r2plus1d_18


class R2plus1d(nn.Module):
    """torchvision's R(2+1)D-18 as a backbone, under its names, so that its weights load.

    Attributes:
        out_channels: Channels of the four stage maps.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: the stage maps c2 to c5, ``(N, C, T / s, H / 2s, W / 2s)`` for s = 1, 2, 4, 8
    """

    out_channels = (64, 128, 256, 512)

    def __init__(self) -> None:
        super().__init__()
        net = r2plus1d_18(weights=None)
        self.stem = net.stem
        self.layer1 = net.layer1
        self.layer2 = net.layer2
        self.layer3 = net.layer3
        self.layer4 = net.layer4

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """The outputs of the four stages."""
        c2 = self.layer1(self.stem(clips))
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return [c2, c3, c4, self.layer4(c4)]
