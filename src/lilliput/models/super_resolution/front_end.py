"""A network with a front end that enlarges its clips (thesis sections 2.3 and 5.1)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


class FrontEnd(nn.Module):
    """Enlarges clips, then lets a network see them: one more network to all others.

    Clips arrive normalised; front ends work on pixels in 0..1. So the normalisation is undone
    before and done again behind.

    Args:
        enlarge: From pixels ``(N, 3, T, H, W)`` to ``(N, 3, T, S * H, S * W)``.
        network: From clips ``(N, 3, T, S * H, S * W)`` to logits.
        frozen: Whether training leaves ``enlarge`` as it is.

    Attributes:
        mean: (3,) of the normalisation: see ``set_normalisation``.
        std: (3,) likewise.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, enlarge: nn.Module, network: nn.Module, *, frozen: bool = False) -> None:
        super().__init__()
        self.frozen = frozen
        self.enlarge = enlarge.requires_grad_(not frozen)
        self.network = network
        self.register_buffer("mean", torch.full((3,), 0.5))
        self.register_buffer("std", torch.full((3,), 0.25))

    def set_normalisation(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Tells what clips are normalised with, per color; it is saved with the weights."""
        self.mean.copy_(torch.tensor(mean))
        self.std.copy_(torch.tensor(std))

    def to_pixels(self, clips: torch.Tensor) -> torch.Tensor:
        """Normalised clips to pixels in 0..1, of any size."""
        return clips * self.std.view(3, 1, 1, 1) + self.mean.view(3, 1, 1, 1)

    def to_clips(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels in 0..1 to normalised clips, of any size."""
        return (pixels - self.mean.view(3, 1, 1, 1)) / self.std.view(3, 1, 1, 1)

    def enlarge_clips(self, clips: torch.Tensor) -> torch.Tensor:
        """What the network sees of clips: both normalised."""
        return self.to_clips(self.enlarge(self.to_pixels(clips)))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        logits: torch.Tensor = self.network(self.enlarge_clips(clips))
        return logits

    def forward_branches(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (N, K), and those of each classifier (B, N, K), of a network that has some."""
        network: Any = self.network
        logits, branches = network.forward_branches(self.enlarge_clips(clips))
        return logits, branches
