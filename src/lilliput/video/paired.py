"""One view of a clip in two sizes: a network learns the one, its teacher sees the other."""

from dataclasses import dataclass

import torch

from lilliput.video.transforms import TrainingTransform


@dataclass(frozen=True)
class PairedClip:
    """The same part of a clip, flipped and changed alike.

    Attributes:
        clip: (3, T, S, S) float.
        larger: (3, T, L, L) float, as the teacher takes it.
    """

    clip: torch.Tensor
    larger: torch.Tensor


@dataclass(frozen=True)
class PairedTransform:
    """Draws once and applies twice.

    Args:
        transform: Of the network that learns.
        teacher: Of its teacher: another input size and normalisation. Its own draws are not used.
    """

    transform: TrainingTransform
    teacher: TrainingTransform

    def __call__(
        self, frames: torch.Tensor, targets: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[PairedClip, torch.Tensor]:
        """Frames (T, 3, H, W) and targets (K,) to both clips and their targets."""
        height, width = frames.shape[-2:]
        drawn = self.transform.draw(height, width, generator)
        larger = self.teacher.enlarge(drawn, (height, width))
        pair = PairedClip(
            self.transform.apply([frames], [drawn])[0], self.teacher.apply([frames], [larger])[0]
        )
        return pair, self.transform.flips.swap(targets, drawn.flips)
