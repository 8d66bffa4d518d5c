"""Degradation step by step, against area scaling and the noise and blur it is told."""

import torch
from torch.nn import functional as F

from lilliput.video.degradation import Degradation


def _clips(side: int = 16) -> torch.Tensor:
    return torch.rand(2, 3, 4, side, side, generator=torch.Generator().manual_seed(0))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_without_the_rest_it_shrinks_by_area() -> None:
    clips = _clips()
    small = Degradation(4, blur=0, noise=0, quality=None)(clips, _generator())
    expected = F.avg_pool2d(clips.flatten(0, 2)[:, None], 4).view(2, 3, 4, 4, 4)
    torch.testing.assert_close(small, expected)


def test_noise_is_as_strong_as_drawn() -> None:
    flat = torch.full((40, 3, 4, 16, 16), 0.5)
    small = Degradation(2, blur=0, noise=0.1, quality=None)(flat, _generator())
    deviations = small.std(dim=(1, 2, 3, 4))
    assert 0 <= float(deviations.min()) < 0.02
    assert 0.08 < float(deviations.max()) < 0.11


def test_blur_lowers_contrast_and_compression_changes_little() -> None:
    clips = _clips(32)
    plain = Degradation(2, blur=0, noise=0, quality=None)(clips, _generator())
    blurred = Degradation(2, blur=2, noise=0, quality=None)(clips, _generator())
    assert float(blurred.std()) < float(plain.std())
    smooth = blurred * 0.5 + 0.25
    twice = smooth.repeat_interleave(2, -1).repeat_interleave(2, -2)
    compressed = Degradation(2, blur=0, noise=0, quality=(90, 95))(twice, _generator())
    assert not torch.equal(compressed, smooth)
    torch.testing.assert_close(compressed, smooth, atol=0.15, rtol=0)


def test_draws_repeat_with_their_generator() -> None:
    degrade = Degradation(2)
    once, again = (degrade(_clips(), _generator()) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == (2, 3, 4, 8, 8)
    assert 0 <= float(once.min()) <= float(once.max()) <= 1
