"""Optical flow between frames, estimated from coarse to fine, and warping by it.

Sources: Ranjan and Black, Optical Flow Estimation Using a Spatial Pyramid Network, CVPR 2017. Ours
has one small network for all levels.
"""

import torch
from torch import nn
from torch.nn import functional as F

Flows = tuple[torch.Tensor, torch.Tensor]

_COARSEST = 6  # px: the flow starts at zero where a side would be shorter


class CoarseToFineFlow(nn.Module):
    """Flow between pictures: at each size, a correction of what the coarser size gave.

    Args:
        channels: Of the inner layers.
        levels: Sizes at most, each half of the next.

    Shape:
        - Input: frames and others, ``(N, 3, H, W)`` each
        - Output: ``(N, 2, H, W)``, in px along x and y: ``warp(others, flow)`` looks like frames
    """

    def __init__(self, channels: int = 24, levels: int = 4) -> None:
        super().__init__()
        self.levels = levels
        self.correct = nn.Sequential(
            nn.Conv2d(8, channels, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 2, 3, padding=1),
        )

    def forward(self, frames: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """The flow; see the class."""
        sizes = [(frames, others)]
        while len(sizes) < self.levels and min(sizes[-1][0].shape[-2:]) >= 2 * _COARSEST:
            sizes.append((F.avg_pool2d(sizes[-1][0], 2), F.avg_pool2d(sizes[-1][1], 2)))
        flow = torch.zeros_like(sizes[-1][0][:, :2])
        for left, right in reversed(sizes):
            flow = resize_flow(flow, left.shape[-2], left.shape[-1])
            flow = flow + self.correct(torch.cat([left, warp(right, flow), flow], dim=1))
        return flow

    def between_neighbors(self, clips: torch.Tensor) -> Flows:
        """Flows of clips (N, 3, T, H, W) along time, (N, T - 1, 2, H, W) each.

        Returns:
            Those that lay each frame but the last over the next one, and those that lay each but
            the first over the one before.
        """
        num_clips, _, num_frames, height, width = clips.shape
        frames = clips.transpose(1, 2)
        early, late = frames[:, :-1], frames[:, 1:]
        both, others = torch.cat([late, early], dim=1), torch.cat([early, late], dim=1)
        flows: torch.Tensor = self(both.flatten(0, 1), others.flatten(0, 1))
        flows = flows.reshape(num_clips, 2 * (num_frames - 1), 2, height, width)
        return flows[:, : num_frames - 1], flows[:, num_frames - 1 :]


def warp(pictures: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Samples pictures where the flow points to; outside lies what is at the edge.

    Args:
        pictures: ``(N, C, H, W)``.
        flow: ``(N, 2, H, W)``, px along x and y.
    """
    height, width = pictures.shape[-2:]
    y = torch.arange(height, device=flow.device, dtype=torch.float32)[:, None]
    x = torch.arange(width, device=flow.device, dtype=torch.float32)
    # In float32 whatever the rest computes in: bf16 knows no fractions of a large coordinate.
    places = flow.to(torch.promote_types(flow.dtype, torch.float32))
    across = (places[:, 0] + x + 0.5) * 2 / width - 1
    down = (places[:, 1] + y + 0.5) * 2 / height - 1
    grid = torch.stack([across, down], dim=-1)
    warped = F.grid_sample(
        pictures.to(grid.dtype), grid, padding_mode="border", align_corners=False
    )
    return warped.to(pictures.dtype)


def resize_flow(flow: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Flow for pictures of another size: (N, 2, H, W) to (N, 2, height, width)."""
    old_height, old_width = flow.shape[-2:]
    if (old_height, old_width) == (height, width):
        return flow
    larger = F.interpolate(flow, (height, width), mode="bilinear", align_corners=False)
    factors = torch.tensor([width / old_width, height / old_height]).to(larger)
    return larger * factors.view(2, 1, 1)


def warping_error(clips: torch.Tensor, flows: Flows) -> torch.Tensor:
    """Mean absolute difference of frames and their neighbors warped over them.

    It is what flow learns from where nobody knows the true one.

    Args:
        clips: ``(N, 3, T, H, W)``.
        flows: Of ``between_neighbors``.
    """
    frames = clips.transpose(1, 2)
    early, late = frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1)
    onward, back = (flow.flatten(0, 1) for flow in flows)
    if frames.shape[1] == 1:
        return clips.new_zeros(())
    return ((warp(early, onward) - late).abs().mean() + (warp(late, back) - early).abs().mean()) / 2
