"""Feature maps of one network made to fit those of another, and windows to fit the maps."""

import torch
from torch import nn

_Lengths = tuple[int, int, int]  # in T, H and W


class FittedMaxPool3d(nn.Module):
    """Max pooling whose window is never longer than the padded map.

    The values are those of ``MaxPool3d``; but the runtimes that read exported networks refuse a
    window that hangs over.
    """

    def __init__(
        self, kernel: _Lengths, stride: _Lengths, padding: _Lengths = (0, 0, 0), *, ceil_mode: bool
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, T, H, W) to (N, C, T', H', W')."""
        lengths = zip(self.kernel, features.shape[-3:], self.padding, strict=True)
        kernel = [min(window, length + 2 * pad) for window, length, pad in lengths]
        return nn.functional.max_pool3d(
            features, kernel, self.stride, self.padding, ceil_mode=self.ceil_mode
        )


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
