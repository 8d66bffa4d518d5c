"""PSNR and SSIM against their formulas, written out."""

import numpy as np
import torch
from scipy.ndimage import correlate1d

from lilliput.scoring.pictures import LEAST_SIDE, clip_psnr, clip_ssim


def _pair(side: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    true = torch.rand(2, 3, 2, side, side, generator=generator)
    made = true + 0.1 * torch.randn(true.shape, generator=generator)
    return made, true


def _ssim(made: np.ndarray, true: np.ndarray) -> float:
    """Of one color of one frame, the window of 11 × 11 px around every pixel."""
    x = np.arange(-5, 6)
    window = np.exp(-(x**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(picture: np.ndarray) -> np.ndarray:
        for axis in (0, 1):
            picture = correlate1d(picture, window, axis, mode="mirror")
        return picture

    first, second = mean(made), mean(true)
    variances = mean(made**2) - first**2 + mean(true**2) - second**2
    covariance = mean(made * true) - first * second
    low, high = 0.01**2, 0.03**2
    ratio = (2 * first * second + low) * (2 * covariance + high)
    return float((ratio / ((first**2 + second**2 + low) * (variances + high))).mean())


def test_psnr_is_the_logarithm_of_the_mean_square() -> None:
    made, true = _pair()
    difference = (made.clamp(0, 1) - true).double().square().mean(dim=(1, 2, 3, 4))
    expected = -10 * difference.log10()
    torch.testing.assert_close(clip_psnr(made, true).double(), expected, rtol=1e-5, atol=0)


def test_ssim_is_its_formula() -> None:
    for side in (LEAST_SIDE, 20):
        made, true = _pair(side)
        frames = [
            clips.clamp(0, 1).transpose(1, 2).double().reshape(2, 6, side, side)
            for clips in (made, true)
        ]
        expected = [
            np.mean([_ssim(*pair) for pair in zip(*clip, strict=True)])
            for clip in zip(*(part.numpy() for part in frames), strict=True)
        ]
        np.testing.assert_allclose(clip_ssim(made, true), expected, atol=2e-4)


def test_a_perfect_clip() -> None:
    _, true = _pair()
    torch.testing.assert_close(clip_ssim(true, true), torch.ones(2))
