"""Several frames registered by affine motion and fused on a finer grid (thesis section 2.3).

This is the traditional kind, which learns nothing. Neighboring frames show the same scene sampled
elsewhere; once their motion is known to a fraction of a pixel, they tell of what lies between the
pixels of one frame. The large picture is the one that, moved and shrunk, gives the frames that
were seen (iterative back-projection).

Sources: Irani and Peleg, Improving Resolution by Image Registration, 1991; Lucas and Kanade, An
Iterative Image Registration Technique, 1981 (Gauss-Newton, from coarse to fine).
"""

import torch
from torch import nn
from torch.nn import functional as F

from lilliput.models.super_resolution.interpolation import Interpolation

_STEPS = 5  # of Gauss-Newton, at each size
_SMALLEST = 12  # px: below it, affine motion cannot be told from noise
_DAMPING = 1e-3  # of the mean curvature: flat pictures then stay where they are
_STEP = 0.5  # share of the difference that each back-projection takes back
_TOLERANCE = 0.04  # pixels that differ by this (of 1) after registration count e times less


class Registered(nn.Module):
    """Fuses each frame with its neighbors.

    Args:
        scale: How many times larger, S.
        reach: Frames before and after each that are fused with it.
        iterations: Of back-projection.

    Shape:
        - Input: ``(N, 3, T, H, W)`` in 0..1
        - Output: ``(N, 3, T, S * H, S * W)``
    """

    def __init__(self, scale: int, reach: int = 2, iterations: int = 10) -> None:
        super().__init__()
        self.scale = scale
        self.reach = reach
        self.iterations = iterations
        self.interpolation = Interpolation(scale)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips, enlarged."""
        num_frames = clips.shape[2]
        frames = clips.transpose(1, 2)  # (N, T, 3, H, W)
        centers = frames.flatten(0, 1)
        estimate: torch.Tensor = self.interpolation(clips).transpose(1, 2).flatten(0, 1)
        seen = []
        for offset in range(-self.reach, self.reach + 1):
            picks = (torch.arange(num_frames, device=clips.device) + offset).clamp(
                0, num_frames - 1
            )
            neighbors = frames[:, picks].flatten(0, 1)
            motion = find_affine(centers, neighbors) if offset else identity_like(centers)
            trust = (-(warp_affine(neighbors, motion) - centers).abs() / _TOLERANCE).exp()
            seen.append((neighbors, motion, trust.mean(dim=1, keepdim=True)))
        for _ in range(self.iterations):
            estimate = estimate + _STEP * self._missing(estimate, seen)
        return estimate.reshape(*frames.shape[:2], *estimate.shape[1:]).transpose(1, 2)

    def _missing(
        self,
        estimate: torch.Tensor,
        seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
    ) -> torch.Tensor:
        """What the frames hold that the estimate, moved and shrunk as they are, does not."""
        total, weights = torch.zeros_like(estimate), torch.full_like(estimate[:, :1], 1e-3)
        for frames, motion, trust in seen:
            shrunk = F.avg_pool2d(warp_affine(estimate, invert_affine(motion)), self.scale)
            larger = F.interpolate(frames - shrunk, scale_factor=self.scale, mode="nearest")
            weight = F.interpolate(trust, scale_factor=self.scale, mode="nearest")
            total = total + weight * warp_affine(larger, motion)
            weights = weights + weight
        return total / weights


@torch.no_grad()
def find_affine(frames: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """The affine motions that lay others over frames, by Gauss-Newton from coarse to fine.

    Where none brings the two nearer to each other, there is no motion.

    Args:
        frames: ``(N, 3, H, W)`` in 0..1.
        others: Of the same shape.

    Returns:
        ``(N, 2, 3)``, in coordinates of -1..1 over the picture: ``warp_affine(others, motion)``
        looks like ``frames``.
    """
    pairs = [(frames.mean(dim=1, keepdim=True), others.mean(dim=1, keepdim=True))]
    while min(pairs[-1][0].shape[-2:]) >= 2 * _SMALLEST:
        left, right = pairs[-1]
        pairs.append((F.avg_pool2d(left, 2), F.avg_pool2d(right, 2)))
    still = identity_like(frames)
    motion = still
    for left, right in reversed(pairs):
        for _ in range(_STEPS):
            motion = motion - _gauss_newton(left, right, motion)
    left, right = pairs[0]
    worse = _difference(left, right, motion) >= _difference(left, right, still)
    return torch.where(worse[:, None, None] | ~motion.isfinite(), still, motion)


def _gauss_newton(left: torch.Tensor, right: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """One step: (N, 2, 3) to take off the motion."""
    moved = warp_affine(right, motion)
    height, width = moved.shape[-2:]
    across, down = torch.gradient(moved, dim=(-1, -2))
    grid = _grid(moved)  # (H, W, 3)
    slopes = torch.stack([across * width / 2, down * height / 2], dim=-1)[:, 0]  # (N, H, W, 2)
    jacobian = (slopes[..., None] * grid[..., None, :]).flatten(1, 2).flatten(2)  # (N, HW, 6)
    residual = (moved - left).flatten(1)[..., None]
    curvature = jacobian.mT @ jacobian
    size = curvature.diagonal(dim1=-2, dim2=-1).mean(dim=-1)[:, None, None]
    damping = (_DAMPING * size + 1e-6) * torch.eye(6, device=moved.device, dtype=moved.dtype)
    step: torch.Tensor = torch.linalg.solve(curvature + damping, jacobian.mT @ residual)
    return step.view(-1, 2, 3).clamp(-0.5, 0.5)


def _difference(left: torch.Tensor, right: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    return (warp_affine(right, motion) - left).square().mean(dim=(1, 2, 3))


def identity_like(pictures: torch.Tensor) -> torch.Tensor:
    """No motion, (N, 2, 3)."""
    eye = torch.eye(2, 3, device=pictures.device, dtype=pictures.dtype)
    return eye.expand(len(pictures), 2, 3)


def invert_affine(motion: torch.Tensor) -> torch.Tensor:
    """The motion back, (N, 2, 3); all but singular ones stay small."""
    (a, b, x), (c, d, y) = (row.unbind(dim=-1) for row in motion.unbind(dim=-2))
    determinant = (a * d - b * c).clamp(min=0.1)
    rows = (d, -b, b * y - d * x), (-c, a, c * x - a * y)
    return (
        torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2) / determinant[:, None, None]
    )


def warp_affine(pictures: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Samples ``(N, C, H, W)`` at affinely moved places; outside lies what is at the edge."""
    places = torch.einsum("hwk,njk->nhwj", _grid(pictures), motion)
    return F.grid_sample(pictures, places, padding_mode="border", align_corners=False)


def _grid(pictures: torch.Tensor) -> torch.Tensor:
    """(H, W, 3): x and y of each pixel's center in -1..1, and 1."""
    height, width = pictures.shape[-2:]
    y, x = (
        (torch.arange(length, device=pictures.device, dtype=pictures.dtype) + 0.5) * 2 / length - 1
        for length in (height, width)
    )
    x, y = x.expand(height, width), y[:, None].expand(height, width)
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)
