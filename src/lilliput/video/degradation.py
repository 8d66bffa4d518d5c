"""Large clips made small as cameras make them: what super-resolution learns to undo.

Sources: as in Real-ESRGAN (Wang et al., ICCV Workshops 2021), in its first order: blur, shrinking,
noise, compression.
"""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as tvf


@dataclass(frozen=True)
class Degradation:
    """Blurs, shrinks by area, adds noise and compresses; how much is drawn for each clip.

    Args:
        scale: How many times smaller, S.
        blur: Largest deviation of the Gaussian, px of the large clip; each clip draws up to it.
        noise: Largest deviation of the noise, of 1; likewise, for the whole clip.
        quality: Range of JPEG quality, of 1 to 100, of frames one by one; None: no compression.

    Shape:
        - Input: ``(N, 3, T, H, W)`` in 0..1, H and W divisible by S
        - Output: ``(N, 3, T, H / S, W / S)`` in 0..1
    """

    scale: int
    blur: float = 0.8
    noise: float = 0.02
    quality: tuple[int, int] | None = (50, 95)

    def __call__(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The small clips; the draws are made on the CPU."""
        return torch.stack([self._shrink(clip, generator) for clip in clips])

    def _shrink(self, clip: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        blur, noise, quality = torch.rand(3, generator=generator).tolist()
        frames = clip.transpose(0, 1)  # (T, 3, H, W)
        if blur * self.blur > _LEAST_BLUR:
            size = 2 * round(3 * self.blur) + 1
            size = min(size, 2 * ((min(frames.shape[-2:]) - 1) // 2) + 1)
            frames = tvf.gaussian_blur(frames, [size, size], [blur * self.blur])
        frames = F.avg_pool2d(frames, self.scale)
        if self.noise:
            draws = torch.randn(frames.shape, generator=generator).to(frames)
            frames = frames + noise * self.noise * draws
        frames = frames.clamp(0, 1)
        if self.quality is not None:
            low, high = self.quality
            frames = _compress(frames, round(low + quality * (high - low)))
        return frames.transpose(0, 1)


_LEAST_BLUR = 0.1  # px; less changes nothing


def _compress(frames: torch.Tensor, quality: int) -> torch.Tensor:
    pictures = (frames * 255).round().to(torch.uint8).movedim(1, -1).cpu().numpy()
    decoded = np.stack([_decode(_encode(picture, quality)) for picture in pictures])
    return torch.from_numpy(decoded).movedim(-1, 1).to(frames) / 255


def _encode(picture: np.ndarray, quality: int) -> bytes:
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=quality)
    return written.getvalue()


def _decode(written: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(written)) as picture:
        return np.asarray(picture.convert("RGB"))
