"""Augmentation where the network is: a GPU augments whole batches while processes only read.

A ``DeferredTransform`` draws as a ``TrainingTransform`` does and leaves the pixels alone. The
batch carries native pixels and draws to the device, which applies them: the same operations on the
same draws, so clips are those of a CPU up to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from lilliput.video.transforms import Augmentation, TrainingTransform


@dataclass(frozen=True)
class DrawnClip:
    """The frames of one clip, (T, 3, H, W) uint8, and what shall be done to them."""

    frames: torch.Tensor
    drawn: Augmentation
    transform: TrainingTransform


@dataclass(frozen=True)
class DeferredTransform:
    """Draws for a clip now; ``DrawnClips.to`` augments it later."""

    transform: TrainingTransform

    def __call__(
        self, frames: torch.Tensor, targets: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[DrawnClip, torch.Tensor]:
        """Frames (T, 3, H, W) and targets (K,) to a drawn clip and its targets."""
        height, width = frames.shape[-2:]
        drawn = self.transform.draw(height, width, generator)
        targets = self.transform.flips.swap(targets, drawn.flips)
        return DrawnClip(frames, drawn, self.transform), targets


@dataclass(frozen=True)
class DrawnClips:
    """A batch of them, of any native sizes, in one piece of memory that travels at once.

    Attributes:
        pixels: All frames, one clip after the other, flat.
        shapes: Of the N clips.
        drawn: N draws.
        transform: What applies them.
    """

    pixels: torch.Tensor
    shapes: tuple[torch.Size, ...]
    drawn: tuple[Augmentation, ...]
    transform: TrainingTransform

    @classmethod
    def join(cls, clips: Sequence[DrawnClip]) -> "DrawnClips":
        """Puts clips behind one another."""
        return cls(
            torch.cat([clip.frames.flatten() for clip in clips]),
            tuple(clip.frames.shape for clip in clips),
            tuple(clip.drawn for clip in clips),
            clips[0].transform,
        )

    def pin_memory(self) -> "DrawnClips":
        """The same in memory that a GPU reads without waiting."""
        return replace(self, pixels=self.pixels.pin_memory())

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> torch.Tensor:
        """Augments on a device: (N, 3, T, S, S) float."""
        pixels = self.pixels.to(device, non_blocking=non_blocking)
        pieces = torch.split(pixels, [shape.numel() for shape in self.shapes])
        frames = [piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True)]
        return self.transform.apply(frames, self.drawn)
