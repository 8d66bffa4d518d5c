"""I3D: Inception-v1 inflated to video (thesis section 2.1.2.3, figure 2.7).

Source: Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017.
"""

import torch
from torch import nn
from torchvision.models import googlenet

from lilliput.models.inflate import as_in_space, inflate


class I3d(nn.Module):
    """Every filter and pooling window becomes cubic, but for the first two pooling layers.

    Those leave time alone, which would otherwise shrink too fast beside space. Time goes 16 to
    8, 4 and 2. ``net`` has the names of torchvision's GoogLeNet, so that its weights, inflated,
    fit one to one.

    Args:
        num_classes: Classes K.
        dropout: Probability of dropping a pooled feature.

    Shape:
        - Input: ``(N, 3, T, H, W)``, 15 px or more
        - Output: ``(N, K)`` logits
    """

    def __init__(self, num_classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        flat = googlenet(
            weights=None,
            num_classes=num_classes,
            aux_logits=False,
            init_weights=False,
            dropout=dropout,
        )
        self.net = inflate(flat, _time)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        logits: torch.Tensor = self.net(clips)
        return logits


def _time(name: str, layer: nn.Module) -> tuple[int, int]:
    return (1, 1) if name in ("maxpool1", "maxpool2") else as_in_space(name, layer)
