"""From sampled frames to the model's clip (thesis section 3.3).

Layout flips once, in the last step: ``frames`` are (T, 3, H, W) uint8 until then, a clip is
(3, T, H, W) float afterwards. Every random draw is made once per clip and holds for all its
frames.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from torchvision.transforms.v2 import functional as tvf

from lilliput.video.crops import Crop, RandomCrop
from lilliput.video.flips import Flips, RandomFlips
from lilliput.video.normalisation import Normalisation
from lilliput.video.rand_augment import Operation, RandAugment

Step = TypeVar("Step", bound=Hashable)


@dataclass(frozen=True)
class EvaluationTransform:
    """Short side to the input size, then the centre square (section 3.3, evaluation).

    Args:
        input_size: Side S, px.
        normalise: The last step.
        square: Scale both sides to S instead, which cuts nothing off and keeps no aspect ratio.

    Shape:
        - Input: ``(T, 3, H, W)`` uint8
        - Output: ``(3, T, S, S)`` float
    """

    input_size: int
    normalise: Normalisation
    square: bool = False

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames to a clip; see the class."""
        return self.normalise(self.resize(frames))

    def resize(self, frames: torch.Tensor) -> torch.Tensor:
        """All but the last step: (T, 3, S, S) uint8."""
        scaled = scale(frames, self.input_size, square=self.square)
        cropped: torch.Tensor = tvf.center_crop(scaled, [self.input_size] * 2)
        return cropped


@dataclass(frozen=True)
class Augmentation:
    """Everything that was drawn for one clip.

    Attributes:
        side: Short side to scale to, px; both sides where clips are scaled to squares.
        crop: The square that is cut from the scaled clip.
        flips: How it is mirrored and turned.
        operations: Of RandAugment.
        contrast: Factor of the pixels' distance from the clip's mean.
    """

    side: int
    crop: Crop
    flips: Flips
    operations: tuple[Operation, ...]
    contrast: float = 1.0


class TrainingTransform:
    """Random short-side scale, crop, flips, RandAugment, in the thesis' order; contrast at last.

    Args:
        crop: What is cut from the scaled clip: a square of the input size S, px.
        normalise: The last step but contrast.
        short_side: Range of the scaled short side, as multiples of S.
        flips: How the clip may be mirrored and turned.
        rand_augment: (operations, magnitude), with or without the probability of each operation
            behind them; or None.
        rand_augment_size: "input" applies RandAugment last, as the thesis does; "native" first,
            to the pixels that the clip really has, wherever these are fewer: that costs far less.
        contrast: The clip's contrast is multiplied by 1 plus or minus up to this.
        square: Scale both sides to the drawn one, as ``EvaluationTransform`` may scale both to S:
            a clip that is not square is then distorted alike in training and evaluation.

    Shape:
        - Input: frames ``(T, 3, H, W)`` uint8, targets ``(K,)``
        - Output: clip ``(3, T, S, S)`` float, targets ``(K,)``
    """

    def __init__(
        self,
        crop: RandomCrop,
        normalise: Normalisation,
        *,
        short_side: tuple[float, float] = (8 / 7, 10 / 7),
        flips: RandomFlips,
        rand_augment: tuple[int, int] | tuple[int, int, float] | None = (2, 9),
        rand_augment_size: Literal["input", "native"] = "input",
        contrast: float = 0.0,
        square: bool = False,
    ) -> None:
        self.crop = crop
        self.input_size = crop.size
        self.normalise = normalise
        self.short_side = short_side
        self.flips = flips
        self.rand_augment = RandAugment(*(rand_augment or (0, 0)))
        self.rand_augment_size = rand_augment_size
        self.contrast = contrast
        self.square = square

    def __call__(
        self,
        frames: torch.Tensor,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames and targets to an augmented clip and its targets."""
        height, width = frames.shape[-2:]
        drawn = self.draw(height, width, generator)
        return self.apply([frames], [drawn])[0], self.flips.swap(targets, drawn.flips)

    def draw(
        self, height: int, width: int, generator: torch.Generator | None = None
    ) -> Augmentation:
        """Draws for one clip of this native size, px."""
        low, high = (round(self.input_size * side) for side in self.short_side)
        side = int(torch.randint(low, high + 1, (), generator=generator))
        crop = self.crop.draw(*scaled_size(height, width, side, square=self.square), generator)
        flips = self.flips.draw(generator)
        operations = self.rand_augment.draw(generator)
        if not self.contrast:
            return Augmentation(side, crop, flips, operations)
        change = float(torch.rand((), generator=generator)) * 2 - 1
        return Augmentation(side, crop, flips, operations, 1 + change * self.contrast)

    def enlarge(self, drawn: Augmentation, size: tuple[int, int]) -> Augmentation:
        """The draw that shows the same part of a clip in this transform's input size.

        Args:
            drawn: For another input size.
            size: Height and width of the clip, px.
        """
        side = round(drawn.side * self.input_size / drawn.crop.size)
        if drawn.side >= drawn.crop.size:
            side = max(self.input_size, side)
        old, new = (scaled_size(*size, short, square=self.square) for short in (drawn.side, side))
        return replace(drawn, side=side, crop=drawn.crop.enlarge(new, old, self.input_size))

    def apply(self, frames: Sequence[torch.Tensor], drawn: Sequence[Augmentation]) -> torch.Tensor:
        """Augments a batch; clips that drew the same step take it together.

        Args:
            frames: N clips (T, 3, H, W) uint8 of any sizes, on one device.
            drawn: N draws.

        Returns:
            (N, 3, T, S, S) float.
        """
        native = [self._is_native(clip) for clip in frames]
        frames = self._operate(frames, drawn, native)
        frames = apply_together(
            frames,
            [one.side for one in drawn],
            lambda clips, side: scale(clips, side, square=self.square),
        )
        frames = [one.crop(clip) for clip, one in zip(frames, drawn, strict=True)]
        frames = apply_together(
            frames, [one.flips for one in drawn], lambda clips, flip: flip(clips)
        )
        frames = self._operate(frames, drawn, [not first for first in native])
        return self._change_contrast(self.normalise(stack(frames)), drawn)

    @staticmethod
    def _change_contrast(clips: torch.Tensor, drawn: Sequence[Augmentation]) -> torch.Tensor:
        """On floats, which have no largest value."""
        if all(one.contrast == 1 for one in drawn):
            return clips
        factors = torch.tensor([one.contrast for one in drawn], device=clips.device)
        mean = clips.mean(dim=(1, 2, 3, 4), keepdim=True)
        return mean.lerp(clips, factors.view(-1, 1, 1, 1, 1))

    def _is_native(self, frames: torch.Tensor) -> bool:
        """Whether RandAugment comes first: where that is wanted, and means less work."""
        return self.rand_augment_size == "native" and min(frames.shape[-2:]) < self.input_size

    def _operate(
        self,
        frames: Sequence[torch.Tensor],
        drawn: Sequence[Augmentation],
        chosen: Sequence[bool],
    ) -> Sequence[torch.Tensor]:
        """RandAugment on the chosen clips."""
        for number in range(self.rand_augment.num_operations):
            step = [
                one.operations[number] if now else None
                for one, now in zip(drawn, chosen, strict=True)
            ]
            frames = apply_together(frames, step, lambda clips, operate: operate(clips))
        return frames


def apply_together(
    frames: Sequence[torch.Tensor],
    steps: Sequence[Step | None],
    apply: Callable[[torch.Tensor, Step], torch.Tensor],
) -> list[torch.Tensor]:
    """Applies each clip's step once to all clips of equal size that take it.

    Args:
        frames: N clips (T, 3, H, W).
        steps: N hashable steps; None leaves a clip as it is.
        apply: Clips (M, T, 3, H, W) and a step to clips of the same M.
    """
    groups: dict[tuple[torch.Size, Step], list[int]] = {}
    for index, (clip, step) in enumerate(zip(frames, steps, strict=True)):
        if step is not None:
            groups.setdefault((clip.shape, step), []).append(index)
    done = list(frames)
    for (_, step), members in groups.items():
        results = apply(stack([frames[index] for index in members]), step)
        for index, result in zip(members, results, strict=True):
            done[index] = result
    return done


def stack(clips: Sequence[torch.Tensor]) -> torch.Tensor:
    """``torch.stack``, without a copy of a single clip."""
    return clips[0][None] if len(clips) == 1 else torch.stack(list(clips))


def scaled_size(height: int, width: int, side: int, *, square: bool = False) -> tuple[int, int]:
    """Height and width with the shorter one at ``side``, px, in their ratio; or both there."""
    if square:
        return side, side
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def scale_short_side(frames: torch.Tensor, side: int) -> torch.Tensor:
    """Bilinear, antialiased; the aspect ratio stays (section 3.3.1)."""
    return scale(frames, side)


def scale(frames: torch.Tensor, side: int, *, square: bool = False) -> torch.Tensor:
    """``scale_short_side``, or both sides to the same length."""
    height, width = frames.shape[-2:]
    size = list(scaled_size(height, width, side, square=square))
    if size == [height, width]:
        return frames
    # Colours side by side are scaled up to three times as fast, to the same values.
    pictures = frames.flatten(0, -4).contiguous(memory_format=torch.channels_last)
    scaled: torch.Tensor = tvf.resize(pictures, size, antialias=True)
    return scaled.reshape(*frames.shape[:-3], *scaled.shape[-3:])
