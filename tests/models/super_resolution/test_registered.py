"""Registration on known motion, and fusion of frames that tell of one scene."""

import pytest
import torch
from torch.nn import functional as F

from lilliput.models.super_resolution.interpolation import Interpolation
from lilliput.models.super_resolution.registered import (
    Registered,
    find_affine,
    identity_like,
    invert_affine,
    warp_affine,
)
from lilliput.scoring.pictures import clip_psnr


def _scene(side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, side // 4, side // 4, generator=generator)
    return Interpolation(4)(coarse[:, :, None])[:, :, 0].clamp(0, 1)


@pytest.mark.parametrize("side", [20, 48])
def test_a_known_affine_motion_is_found(side: int) -> None:
    scene = _scene(side)
    true = torch.tensor([[[1.02, 0.03, 0.08], [-0.02, 0.99, -0.05]]])
    found = find_affine(warp_affine(scene, true), scene)
    torch.testing.assert_close(found, true, atol=0.01, rtol=0)


def test_no_motion_where_nothing_can_be_seen() -> None:
    flat = torch.full((2, 3, 14, 14), 0.5)
    torch.testing.assert_close(find_affine(flat, flat), identity_like(flat))


def test_the_inverse_leads_back() -> None:
    motion = torch.tensor([[[1.1, 0.2, 0.3], [-0.1, 0.9, -0.4]]])
    whole = torch.cat([motion, torch.tensor([[[0.0, 0.0, 1.0]]])], dim=1)
    torch.testing.assert_close(invert_affine(motion), torch.linalg.inv(whole)[:, :2])


def test_several_frames_tell_more_than_one() -> None:
    """A scene that drifts by parts of a pixel: what one frame misses is seen in another."""
    generator = torch.Generator().manual_seed(1)
    scene = torch.rand(1, 3, 40, 40, generator=generator)
    scene = F.interpolate(scene, scale_factor=2, mode="bilinear")
    shifts = [torch.tensor([[[1, 0, 0.013 * t], [0, 1, -0.008 * t]]]) for t in range(6)]
    frames = torch.cat([warp_affine(scene, shift) for shift in shifts])
    true = frames.transpose(0, 1)[None]
    small = F.avg_pool2d(frames, 2).transpose(0, 1)[None]
    gains = [clip_psnr(module(small), true) for module in (Registered(2), Interpolation(2))]
    assert gains[0] > gains[1] + 2


def test_clips_may_be_of_one_frame() -> None:
    assert Registered(2)(torch.rand(2, 3, 1, 14, 14)).shape == (2, 3, 1, 28, 28)
