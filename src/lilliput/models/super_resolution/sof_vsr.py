"""Super-resolution of the flow first, then of the frames it brings together (thesis section 2.3).

Source: Wang et al., Deep Video Super-Resolution Using HR Optical Flow Estimation, IEEE TIP 2020
(SOF-VSR). Ours is small: about 0.2 M parameters, residual blocks instead of dense ones.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lilliput.models.super_resolution.blocks import (
    Reconstruction,
    residual_layers,
    standardize,
)
from lilliput.models.super_resolution.flow import CoarseToFineFlow, Flows, warp


class SofVsr(nn.Module):
    """Warps both neighbors of a frame over it in S * S ways, then enlarges all of it together.

    The flow is estimated from coarse to fine, and once more on the fine grid. Each of its S * S
    phases there warps the small neighbor: together they are the draft of the large picture.

    Args:
        scale: How many times larger, S.
        channels: Of the features.
        blocks: Residual blocks.

    Shape:
        - Input: ``(N, 3, T, H, W)`` in 0..1
        - Output: ``(N, 3, T, S * H, S * W)``
    """

    def __init__(self, scale: int, channels: int = 32, blocks: int = 6) -> None:
        super().__init__()
        self.scale = scale
        self.flow = CoarseToFineFlow()
        self.refine = nn.Sequential(
            nn.Conv2d(8, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * scale**2, 3, padding=1),
        )
        nn.init.normal_(self.refine[-1].weight, std=1e-2)  # type: ignore[arg-type]
        self.layers = residual_layers(3 * (1 + 2 * scale**2), channels, blocks)
        self.reconstruction = Reconstruction(channels, scale)

    def flows(self, clips: torch.Tensor) -> Flows:
        """Between neighboring frames; see ``CoarseToFineFlow.between_neighbors``."""
        return self.flow.between_neighbors(standardize(clips)[0])

    def forward(self, clips: torch.Tensor, flows: Flows | None = None) -> torch.Tensor:
        """Clips, enlarged; by flows that are known already, if given."""
        clips, mean, deviation = standardize(clips)
        onward, back = self.flow.between_neighbors(clips) if flows is None else flows
        frames = clips.transpose(1, 2)  # (N, T, 3, H, W)
        shape = frames.shape[:2]
        still = torch.zeros_like(frames[:, :1, :2])  # the first and last frame are neighbors, too
        before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
        after = torch.cat([frames[:, 1:], frames[:, -1:]], dim=1)
        frames = frames.flatten(0, 1)
        drafts = [
            self._draft(frames, before.flatten(0, 1), torch.cat([still, onward], 1).flatten(0, 1)),
            self._draft(frames, after.flatten(0, 1), torch.cat([back, still], 1).flatten(0, 1)),
        ]
        features = self.layers(torch.cat([frames, *drafts], dim=1))
        larger: torch.Tensor = self.reconstruction(features, frames)
        larger = larger.reshape(*shape, *larger.shape[1:]).transpose(1, 2)
        return larger * deviation + mean

    def _draft(
        self, frames: torch.Tensor, neighbors: torch.Tensor, flow: torch.Tensor
    ) -> torch.Tensor:
        """Neighbors (M, 3, H, W) warped by each phase of the fine flow: (M, 3 * S * S, H, W)."""
        change = self.refine(torch.cat([frames, warp(neighbors, flow), flow], dim=1))
        larger = F.interpolate(flow, scale_factor=self.scale, mode="bilinear", align_corners=False)
        fine = larger + F.pixel_shuffle(change, self.scale)  # (M, 2, S * H, S * W), in small px
        phases = F.pixel_unshuffle(fine, self.scale)  # (M, 2 * S * S, H, W): all of x, then of y
        phases = phases.reshape(-1, 2, self.scale**2, *flow.shape[-2:])
        return torch.cat([warp(neighbors, phase) for phase in phases.unbind(dim=2)], dim=1)
