"""Feature maps of one network made to fit those of another."""

import torch
from torch import nn


def resize_to(features: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resizes maps in space; time stays.

    By average pooling where the sizes divide, so that no position is left out, else trilinearly.

    Shape:
        - features: ``(N, C, T, H, W)``
        - Output: ``(N, C, T, *size)``
    """
    num_frames, height, width = features.shape[-3:]
    if (height, width) == size:
        return features
    if height % size[0] == 0 and width % size[1] == 0:
        return nn.functional.avg_pool3d(features, (1, height // size[0], width // size[1]))
    return nn.functional.interpolate(features, (num_frames, *size), mode="trilinear")
