"""From sampled frames to the model's clip (thesis section 3.3).

Layout flips once, in the last step: ``frames`` are (T, 3, H, W) uint8 until then, a clip is
(3, T, H, W) float afterwards. Every random draw is made once per clip and holds for all its
frames. Draws come from torch's global generator, which the caller seeds per clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from and divided into pixels of 0..1, per RGB channel.

    Args:
        mean: Per-channel mean.
        std: Per-channel standard deviation.
        per_clip: Subtract each clip's own mean instead of ``mean``. Exposure, ambient light
            and, on a thermal sensor, room temperature then no longer reach the model.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    per_clip: bool = False

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """(..., T, 3, H, W) uint8 to (..., 3, T, H, W) float32."""
        pixels = frames.to(torch.float32).div_(255)
        mean = torch.tensor(self.mean).view(3, 1, 1)
        if self.per_clip:
            mean = pixels.mean(dim=(-4, -2, -1), keepdim=True)
        pixels = (pixels - mean) / torch.tensor(self.std).view(3, 1, 1)
        return pixels.transpose(-4, -3).contiguous()


KINETICS = Normalisation((0.4345, 0.4051, 0.3775), (0.2768, 0.2713, 0.2737))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SYMMETRIC = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # -1 to 1: TensorFlow's ImageNet nets


@dataclass(frozen=True)
class EvaluationTransform:
    """Short side to the input size, then the centre square (section 3.3, evaluation).

    Shape:
        - Input: ``(T, 3, H, W)`` uint8
        - Output: ``(3, T, S, S)`` float
    """

    input_size: int
    normalise: Normalisation

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames to a clip; see the class."""
        return self.normalise(
            tvf.center_crop(scale_short_side(frames, self.input_size), [self.input_size] * 2)
        )


class TrainingTransform:
    """Random short-side scale, crop, flips, RandAugment, in the thesis' order.

    Args:
        input_size: Side S of the square output, px.
        normalise: The last step.
        short_side: Range of the scaled short side, as multiples of ``input_size``.
        flips: How the clip may be mirrored and turned.
        rand_augment: (operations, magnitude), or None.

    Shape:
        - Input: frames ``(T, 3, H, W)`` uint8, targets ``(K,)``
        - Output: clip ``(3, T, S, S)`` float, targets ``(K,)``
    """

    def __init__(
        self,
        input_size: int,
        normalise: Normalisation,
        *,
        short_side: tuple[float, float] = (8 / 7, 10 / 7),
        flips: "RandomFlips",
        rand_augment: tuple[int, int] | None = (2, 9),
    ) -> None:
        self.input_size = input_size
        self.normalise = normalise
        self.short_side = short_side
        self.flips = flips
        self.rand_augment = (
            None if rand_augment is None else v2.RandAugment(rand_augment[0], rand_augment[1])
        )

    def __call__(
        self, frames: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames and targets to an augmented clip and its targets."""
        low, high = (round(self.input_size * side) for side in self.short_side)
        side = int(torch.randint(low, high + 1, ()))
        frames = random_crop(scale_short_side(frames, side), self.input_size)
        frames, targets = self.flips(frames, targets)
        if self.rand_augment is not None:
            frames = self.rand_augment(tv_tensors.Video(frames)).as_subclass(torch.Tensor)
        return self.normalise(frames), targets


@dataclass(frozen=True)
class RandomFlips:
    """Mirrors a clip, and with it the labels that have a direction (section 3.3.3).

    The thesis forbids flips where labels have a direction yet flips data that has
    ``vehicle_turning_left`` and ``..._right``. Here a horizontal flip swaps such a pair.

    Args:
        horizontal: Probability of a left-right flip.
        vertical: Probability of an up-down flip, for sensors that look straight down.
        quarter_turn: Probability of a turn by 90 degrees, likewise.
        pairs: Label indices that a horizontal flip exchanges; empty keeps all labels.
    """

    horizontal: float = 0.5
    vertical: float = 0.0
    quarter_turn: float = 0.0
    pairs: Sequence[tuple[int, int]] = ()

    def __call__(
        self, frames: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draws once; returns frames and targets of the mirrored or turned clip."""
        if torch.rand(()) < self.horizontal:
            frames = frames.flip(-1)
            targets = targets.index_select(-1, swap_order(targets.shape[-1], self.pairs))
        if torch.rand(()) < self.vertical:
            frames = frames.flip(-2)
        if torch.rand(()) < self.quarter_turn:
            frames = frames.rot90(1, (-2, -1))
        return frames, targets


def swap_order(num_classes: int, pairs: Sequence[tuple[int, int]]) -> torch.Tensor:
    """The order of label columns after a horizontal flip: each pair exchanged."""
    order = torch.arange(num_classes)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order


def scale_short_side(frames: torch.Tensor, side: int) -> torch.Tensor:
    """Bilinear, antialiased; the aspect ratio stays (section 3.3.1)."""
    if min(frames.shape[-2:]) == side:
        return frames
    scaled: torch.Tensor = tvf.resize(frames, [side], antialias=True)
    return scaled


def random_crop(frames: torch.Tensor, size: int) -> torch.Tensor:
    """A random square of ``size`` px (section 3.3.2)."""
    height, width = frames.shape[-2:]
    top = int(torch.randint(0, height - size + 1, ()))
    left = int(torch.randint(0, width - size + 1, ()))
    return frames[..., top : top + size, left : left + size]
