"""What a temporally coherent adversarial loss judges large clips with (thesis section 2.3).

Source: Chu et al., Learning Temporal Coherence via Self-Supervision for GAN-based Video Generation,
ACM TOG 2020 (TecoGAN).
"""

import torch
from torch import nn

from lilliput.models.super_resolution.flow import Flows, resize_flow, warp


class SpatioTemporalDiscriminator(nn.Module):
    """Tells real triplets of frames from made ones: how they look, and how they change.

    It sees three frames as they are; the outer ones warped over the middle one, so that detail
    that flickers stands out; and the small frames that they were made of, interpolated.

    Args:
        channels: Of the first layer.

    Shape:
        - large: ``(N, 3, T, H, W)`` in 0..1, real or made
        - interpolated: likewise, from the small clips
        - flows: two of ``(N, T - 1, 2, h, w)`` between the small frames
        - Output: ``(N * (T - 2),)`` logits; above 0 is real
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(27, channels, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * channels, 1, 3, padding=1),
        )

    def forward(
        self, large: torch.Tensor, interpolated: torch.Tensor, flows: Flows
    ) -> torch.Tensor:
        """Logits of every frame that has two neighbors."""
        before, middle, after = _triplets(large)
        height, width = large.shape[-2:]
        onward, back = flows
        from_before = resize_flow(onward[:, :-1].flatten(0, 1), height, width)
        from_after = resize_flow(back[:, 1:].flatten(0, 1), height, width)
        warped = (warp(before, from_before), middle, warp(after, from_after))
        seen = torch.cat([before, middle, after, *warped, *_triplets(interpolated)], dim=1)
        logits: torch.Tensor = self.layers(seen)
        return logits.mean(dim=(1, 2, 3))


def _triplets(clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Frames before, in the middle and after, (N * (T - 2), 3, H, W) each."""
    frames = clips.transpose(1, 2)
    before, middle, after = frames[:, :-2], frames[:, 1:-1], frames[:, 2:]
    return before.flatten(0, 1), middle.flatten(0, 1), after.flatten(0, 1)
