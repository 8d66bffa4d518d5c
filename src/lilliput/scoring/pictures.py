"""How near pictures are to the true ones: PSNR and SSIM.

Source of SSIM: Wang et al., Image Quality Assessment: From Error Visibility to Structural
Similarity, IEEE TIP 2004; windows of 11×11 px, Gaussian with a deviation of 1.5 px, around
every pixel; the edges are mirrored.
"""

import torch
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

LEAST_SIDE = 8  # px: of pictures that are large enough to mirror their edges for SSIM's window


def clip_psnr(clips: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each clip, in dB.

    Args:
        clips: (N, 3, T, H, W); cut off at 0 and 1, as in a picture.
        true: Likewise.

    Returns:
        (N,)
    """
    pairs = zip(clips.clamp(0, 1), true, strict=True)
    return torch.stack([peak_signal_noise_ratio(*pair, data_range=1.0) for pair in pairs])


def clip_ssim(clips: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Structural similarity of each clip, the mean over its frames; arguments as of ``clip_psnr``.

    Returns:
        (N,) at most 1.
    """
    made, expected = (part.transpose(1, 2).flatten(0, 1) for part in (clips.clamp(0, 1), true))
    values = structural_similarity_index_measure(made, expected, data_range=1.0, reduction="none")
    assert isinstance(values, torch.Tensor)
    return values.view(len(clips), -1).mean(dim=1)
