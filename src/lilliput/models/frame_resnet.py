"""A 2-D ResNet on every frame: the comparator that sees no motion (thesis section 2.1.2).

Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016.
"""

import torch
from torch import nn
from torchvision.models import resnet18, resnet34, resnet50, resnet101, resnet152

from lilliput.errors import ConfigError

_NETS = {18: resnet18, 34: resnet34, 50: resnet50, 101: resnet101, 152: resnet152}


class FrameResNet(nn.Module):
    """Logits of each frame, averaged over the frames; their order does not matter.

    ``net`` is torchvision's, so that its ImageNet weights load untouched.

    Args:
        num_classes: Classes K.
        depth: 18, 34, 50, 101 or 152.
        dropout: Probability of dropping a pooled feature.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    def __init__(self, num_classes: int, *, depth: int = 18, dropout: float = 0.0) -> None:
        super().__init__()
        if depth not in _NETS:
            raise ConfigError(f"the 2-D ResNet has model.depth 18, 34, 50, 101 or 152, not {depth}")
        self.net = _NETS[depth](weights=None, num_classes=num_classes)
        self.net.avgpool = nn.Sequential(self.net.avgpool, nn.Dropout(dropout))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        num_frames = clips.shape[2]
        frames = clips.transpose(1, 2).flatten(0, 1)  # (N * T, 3, H, W)
        logits: torch.Tensor = self.net(frames)
        return logits.view(-1, num_frames, logits.shape[1]).mean(dim=1)
