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

from lilliput.video.flips import Flips, RandomFlips
from lilliput.video.normalisation import Normalisation
from lilliput.video.rand_augment import Operation, draw_operations

Step = TypeVar("Step", bound=Hashable)


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
        return self.normalise(self.resize(frames))

    def resize(self, frames: torch.Tensor) -> torch.Tensor:
        """All but the last step: (T, 3, S, S) uint8."""
        scaled = scale_short_side(frames, self.input_size)
        cropped: torch.Tensor = tvf.center_crop(scaled, [self.input_size] * 2)
        return cropped


@dataclass(frozen=True)
class Augmentation:
    """Everything that was drawn for one clip.

    Attributes:
        side: Short side to scale to, px.
        corner: Top and left of the crop in the scaled clip, px.
        flips: How it is mirrored and turned.
        operations: Of RandAugment.
    """

    side: int
    corner: tuple[int, int]
    flips: Flips
    operations: tuple[Operation, ...]


class TrainingTransform:
    """Random short-side scale, crop, flips, RandAugment, in the thesis' order.

    Args:
        input_size: Side S of the square output, px.
        normalise: The last step.
        short_side: Range of the scaled short side, as multiples of ``input_size``.
        flips: How the clip may be mirrored and turned.
        rand_augment: (operations, magnitude), or None.
        rand_augment_size: "input" applies RandAugment last, as the thesis does; "native" first,
            to the pixels that the clip really has, wherever these are fewer: that costs far less.

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
        flips: RandomFlips,
        rand_augment: tuple[int, int] | None = (2, 9),
        rand_augment_size: Literal["input", "native"] = "input",
    ) -> None:
        self.input_size = input_size
        self.normalise = normalise
        self.short_side = short_side
        self.flips = flips
        self.rand_augment = rand_augment or (0, 0)
        self.rand_augment_size = rand_augment_size

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
        room = (length - self.input_size + 1 for length in scaled_size(height, width, side))
        top, left = (int(torch.randint(0, end, (), generator=generator)) for end in room)
        flips = self.flips.draw(generator)
        return Augmentation(
            side, (top, left), flips, draw_operations(*self.rand_augment, generator)
        )

    def enlarge(self, drawn: Augmentation, size: tuple[int, int], input_size: int) -> Augmentation:
        """The draw that shows the same part of a clip in this transform's input size.

        Args:
            drawn: For another input size.
            size: Height and width of the clip, px.
            input_size: The other input size, px.
        """
        scale = self.input_size / input_size
        side = max(self.input_size, round(drawn.side * scale))
        room = [length - self.input_size for length in scaled_size(*size, side)]
        top, left = (
            min(round(place * scale), most) for place, most in zip(drawn.corner, room, strict=True)
        )
        return replace(drawn, side=side, corner=(top, left))

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
        frames = apply_together(frames, [one.side for one in drawn], scale_short_side)
        frames = [
            crop(clip, one.corner, self.input_size) for clip, one in zip(frames, drawn, strict=True)
        ]
        frames = apply_together(
            frames, [one.flips for one in drawn], lambda clips, flip: flip(clips)
        )
        frames = self._operate(frames, drawn, [not first for first in native])
        return self.normalise(stack(frames))

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
        for number in range(self.rand_augment[0]):
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


def scaled_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width with the shorter one at ``side``, px; the aspect ratio stays."""
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def scale_short_side(frames: torch.Tensor, side: int) -> torch.Tensor:
    """Bilinear, antialiased; the aspect ratio stays (section 3.3.1)."""
    if min(frames.shape[-2:]) == side:
        return frames
    height, width = frames.shape[-2:]
    size = list(scaled_size(height, width, side))
    # Colours side by side are scaled up to three times as fast, to the same values.
    pictures = frames.flatten(0, -4).contiguous(memory_format=torch.channels_last)
    scaled: torch.Tensor = tvf.resize(pictures, size, antialias=True)
    return scaled.reshape(*frames.shape[:-3], *scaled.shape[-3:])


def crop(frames: torch.Tensor, corner: tuple[int, int], size: int) -> torch.Tensor:
    """The square of ``size`` px with this top and left (section 3.3.2); a view."""
    top, left = corner
    return frames[..., top : top + size, left : left + size]
