"""C3D: a VGG of 3 x 3 x 3 filters (thesis section 2.1.2).

Source: Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015.
"""

import torch
from torch import nn

from lilliput.models.resize import FittedMaxPool3d, resize_to

_STAGES = ((1, 1), (1, 2), (2, 4), (2, 8), (2, 8))  # convolutions, and channels in widths
_MAP_SIDE = 4  # of the last map of a 112 px clip, which the first linear layer reads


class C3d(nn.Module):
    """Eight convolutions, five max-pooling layers, three linear layers.

    Follows the paper except in two things. Batch normalisation follows each convolution: the
    published net has none, and trains badly from scratch without it. The last map is averaged
    over time and brought to 4 x 4, as it is anyway for the paper's 16 frames of 112 px, so that
    other sizes fit. Pooling rounds up, so that no map vanishes. The paper's dropout is 0.5.

    Args:
        num_classes: Classes K.
        width: Channels of the first convolution; 64 in the paper.
        dropout: Probability of dropping a feature after each hidden linear layer.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    def __init__(self, num_classes: int, *, width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        stages = []
        in_channels = 3
        for number, (convolutions, multiple) in enumerate(_STAGES):
            channels = multiple * width
            stages.append(_stage(in_channels, channels, convolutions, pool=1 if number == 0 else 2))
            in_channels = channels
        self.stages = nn.Sequential(*stages)
        hidden = 64 * width
        self.classifier = nn.Sequential(
            nn.Linear(in_channels * _MAP_SIDE**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        features = self.stages(clips)  # (N, C, T / 16, H / 32, W / 32)
        features = features.mean(dim=2, keepdim=True)
        features = resize_to(features, (_MAP_SIDE, _MAP_SIDE))
        logits: torch.Tensor = self.classifier(features.flatten(1))
        return logits


def _stage(in_channels: int, channels: int, convolutions: int, pool: int) -> nn.Sequential:
    """Convolutions, then pooling by 2 in space and by ``pool`` in time."""
    layers: list[nn.Module] = []
    for _ in range(convolutions):
        convolution = nn.Conv3d(in_channels, channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        layers += [convolution, nn.BatchNorm3d(channels), nn.ReLU(inplace=True)]
        in_channels = channels
    return nn.Sequential(*layers, FittedMaxPool3d((pool, 2, 2), (pool, 2, 2), ceil_mode=True))
