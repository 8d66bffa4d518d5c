"""Recurrent and bidirectional super-resolution with flow alignment (thesis section 2.3).

Source: Chan et al., BasicVSR: The Search for Essential Components in Video Super-Resolution and
Beyond, CVPR 2021. Ours is small: about 0.3 M parameters, its flow learned with the rest.
"""

import torch
from torch import nn

from lilliput.models.super_resolution.blocks import (
    Reconstruction,
    residual_layers,
    standardize,
)
from lilliput.models.super_resolution.flow import CoarseToFineFlow, Flows, warp


class BasicVsr(nn.Module):
    """Features travel through the clip backward and forward, warped from frame to frame.

    Args:
        scale: How many times larger, S.
        channels: Of the features in each direction.
        blocks: Residual blocks at each step.

    Shape:
        - Input: ``(N, 3, T, H, W)`` in 0..1
        - Output: ``(N, 3, T, S * H, S * W)``
    """

    def __init__(self, scale: int, channels: int = 32, blocks: int = 5) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.flow = CoarseToFineFlow()
        self.backward_layers = residual_layers(3 + channels, channels, blocks)
        self.forward_layers = residual_layers(3 + channels, channels, blocks)
        self.fuse = nn.Sequential(nn.Conv2d(2 * channels, channels, 1), nn.LeakyReLU(0.1))
        self.reconstruction = Reconstruction(channels, scale)

    def flows(self, clips: torch.Tensor) -> Flows:
        """Between neighboring frames; see ``CoarseToFineFlow.between_neighbors``."""
        return self.flow.between_neighbors(standardize(clips)[0])

    def forward(self, clips: torch.Tensor, flows: Flows | None = None) -> torch.Tensor:
        """Clips, enlarged; by flows that are known already, if given."""
        clips, mean, deviation = standardize(clips)
        onward, back = self.flow.between_neighbors(clips) if flows is None else flows
        frames = clips.unbind(dim=2)
        late = _propagate(
            self.backward_layers, frames[::-1], back.unbind(dim=1)[::-1], self.channels
        )
        early = _propagate(self.forward_layers, frames, onward.unbind(dim=1), self.channels)
        features = torch.cat(
            [torch.stack(early, dim=1), torch.stack(late[::-1], dim=1)], dim=2
        )  # (N, T, 2C, H, W)
        larger: torch.Tensor = self.reconstruction(
            self.fuse(features.flatten(0, 1)), clips.transpose(1, 2).flatten(0, 1)
        )
        larger = larger.reshape(*features.shape[:2], *larger.shape[1:]).transpose(1, 2)
        return larger * deviation + mean


def _propagate(
    layers: nn.Module,
    frames: tuple[torch.Tensor, ...],
    flows: tuple[torch.Tensor, ...],
    channels: int,
) -> list[torch.Tensor]:
    """The features (N, C, H, W) of each frame, which know all frames before it."""
    first = frames[0]
    state = torch.zeros_like(first[:, :1]).expand(-1, channels, -1, -1)
    states = []
    for index, frame in enumerate(frames):
        if index:
            state = warp(state, flows[index - 1])
        state = layers(torch.cat([frame, state], dim=1))
        states.append(state)
    return states
