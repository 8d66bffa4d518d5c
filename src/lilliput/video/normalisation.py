"""The last step of every transform, where the layout flips: frames become a clip.

``frames`` are (T, 3, H, W) uint8 until then, a clip is (3, T, H, W) float afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from and divided into pixels of 0..1, per RGB channel.

    Args:
        mean: Per-channel mean.
        std: Per-channel standard deviation.
        per_clip: Subtract each clip's own mean instead of ``mean``. Exposure, ambient light
            and, on a thermal sensor, room temperature then no longer reach the model.
        own_contrast: Divide by each clip's own deviation instead of ``std``, with ``per_clip``:
            what is faint in the dark then looks as it does by day.
        motion: Give brightness and how it changes instead of colors; see ``add_motion``.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    per_clip: bool = False
    own_contrast: bool = False
    motion: bool = False

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """(..., T, 3, H, W) uint8 to (..., 3, T, H, W) float32.

        Colours that lie side by side in memory, as scaling leaves them, stay so: to part them
        takes longer than all the arithmetic, and networks on CPUs want them together.
        """
        clip = self._normalise(frames)
        return add_motion(clip) if self.motion else clip

    def _normalise(self, frames: torch.Tensor) -> torch.Tensor:
        if frames.stride(-3) == 1:
            return self._normalise_together(frames)
        clip = frames.transpose(-4, -3).to(torch.float32, memory_format=torch.contiguous_format)
        mean = self._mean(clip.device).view(3, 1, 1, 1)
        if self.per_clip:
            mean = clip.mean(dim=(-3, -2, -1), keepdim=True)
        clip.sub_(mean)  # in place: bound by memory
        if self.own_contrast:
            return clip.mul_(_own_scale(clip, (-4, -3, -2, -1)))
        return clip.mul_(self._scale(clip.device).view(3, 1, 1, 1))

    def _normalise_together(self, frames: torch.Tensor) -> torch.Tensor:
        """The same on rows of H, each W times three colours."""
        pixels = frames.movedim(-3, -1)
        width = pixels.shape[-2]
        rows = torch.empty((*pixels.shape[:-2], 3 * width), device=frames.device)
        rows.view(pixels.shape).copy_(pixels)
        mean = self._mean(rows.device)
        if self.per_clip:
            columns = rows.mean(dim=(-3, -2), keepdim=True)
            mean = columns.reshape(*columns.shape[:-1], width, 3).mean(dim=-2)
        rows.sub_(mean.repeat(*[1] * (mean.ndim - 1), width))
        if self.own_contrast:
            rows.mul_(_own_scale(rows, (-3, -2, -1)))
        else:
            rows.mul_(self._scale(rows.device).repeat(width))
        return rows.view(pixels.shape).movedim(-1, -4)

    def _mean(self, device: torch.device) -> torch.Tensor:
        return torch.tensor(self.mean, device=device) * 255

    def _scale(self, device: torch.device) -> torch.Tensor:
        return 1 / (255 * torch.tensor(self.std, device=device))


def add_motion(clip: torch.Tensor) -> torch.Tensor:
    """Brightness, its distance from the mean over time, and its step from the frame before.

    What stands still is zero in the last two, which are brought to the deviation of the distance:
    a still camera's background is gone, and how people look counts less than how they move. Of
    colors nothing is left.

    Args:
        clip: (..., 3, T, H, W) with a deviation of about 1.

    Returns:
        The same shape, with its channels side by side in memory.
    """
    brightness = clip.mean(dim=-4)
    distance = brightness - brightness.mean(dim=-3, keepdim=True)
    step = torch.zeros_like(brightness)
    step[..., 1:, :, :] = brightness[..., 1:, :, :] - brightness[..., :-1, :, :]
    deviation = distance.square().mean(dim=(-3, -2, -1), keepdim=True).sqrt_()
    scale = 1 / deviation.clamp(min=_STILL)
    return torch.stack([brightness, distance * scale, step * scale], dim=-1).movedim(-1, -4)


_STILL = 0.1  # of the clip's deviation: what changes less is noise, and stays faint


def _own_scale(centred: torch.Tensor, dims: tuple[int, ...]) -> torch.Tensor:
    """What makes each clip's deviation 1; noise in what is all but one color stays faint."""
    variance = centred.square().mean(dim=dims, keepdim=True)
    return variance.clamp(min=_FAINTEST**2).rsqrt_()


_FAINTEST = 2.0  # of 255
KINETICS = Normalisation((0.4345, 0.4051, 0.3775), (0.2768, 0.2713, 0.2737))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SYMMETRIC = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # -1 to 1: TensorFlow's ImageNet nets

OWN_CONTRAST = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), per_clip=True, own_contrast=True)

MOTION = replace(OWN_CONTRAST, motion=True)


def stack_clips(clips: Sequence[torch.Tensor]) -> torch.Tensor:
    """``torch.stack`` of (..., 3, T, H, W); colours that lie side by side in all clips stay so."""
    if any(clip.stride(-4) != 1 for clip in clips):
        return torch.stack(list(clips))
    return torch.stack([clip.movedim(-4, -1) for clip in clips]).movedim(-1, -4)
