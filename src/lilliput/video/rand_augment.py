"""RandAugment (thesis section 3.3.4): a few random operations, the same on all frames of a clip.

Drawing is apart from applying, so that a device can apply one operation to all clips of a batch
that drew it. Draws and pixels are those of torchvision's ``v2.RandAugment``; three operations are
written out here, because its way to the same pixels takes several times as long.

Source: Cubuk et al., RandAugment, NeurIPS 2020.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torchvision.transforms.v2 import functional as tvf

MAX_MAGNITUDE = 30
_LARGEST_SHIFT = 150 / 331  # of the picture, at the largest magnitude


@dataclass(frozen=True)
class Operation:
    """One drawn operation.

    Attributes:
        name: A key of ``OPERATIONS``.
        level: -30 to 30, a share of the operation's range; negative turns it around.
    """

    name: str
    level: int

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """(..., 3, H, W) uint8 to the same shape."""
        return OPERATIONS[self.name](frames, self.level)


class RandAugment(NamedTuple):
    """What is drawn for each clip; see ``draw_operations``."""

    num_operations: int = 2
    magnitude: int = 9
    probability: float = 1.0

    def draw(self, generator: torch.Generator | None = None) -> tuple[Operation, ...]:
        """Draws for one clip."""
        number, magnitude, probability = self
        return draw_operations(number, magnitude, generator, probability=probability)


def draw_operations(
    num_operations: int,
    magnitude: int,
    generator: torch.Generator | None = None,
    *,
    probability: float = 1.0,
) -> tuple[Operation, ...]:
    """Draws operations with replacement, and a sign for those that have one.

    The paper applies each operation it has drawn; PyTorchVideo, which the thesis uses, each with a
    probability of one half.

    Args:
        num_operations: N of the paper.
        magnitude: M of the paper, 0 to 30.
        generator: Source of randomness; None takes torch's own.
        probability: With which a drawn operation is applied; ``Identity`` takes its place else.
    """
    drawn = []
    for _ in range(num_operations):
        name = _NAMES[int(torch.randint(len(_NAMES), (), generator=generator))]
        turned = name in _SIGNED and bool(torch.rand((), generator=generator) <= 0.5)
        if probability < 1 and torch.rand((), generator=generator) >= probability:
            name, turned = "Identity", False
        drawn.append(Operation(name, -magnitude if turned else magnitude))
    return tuple(drawn)


def _value(largest: float, level: int) -> float:
    """What a level stands for, rounded as the reference implementation rounds it."""
    value = float(torch.linspace(0.0, largest, MAX_MAGNITUDE + 1)[abs(level)])
    return math.copysign(value, level)


def _shear(frames: torch.Tensor, level: int, axis: int) -> torch.Tensor:
    degrees = [0.0, 0.0]
    degrees[axis] = math.degrees(math.atan(_value(0.3, level)))
    sheared: torch.Tensor = tvf.affine(frames, 0.0, [0, 0], 1.0, degrees, center=[0, 0])
    return sheared


def _translate(frames: torch.Tensor, level: int, axis: int) -> torch.Tensor:
    pixels = int(_value(_LARGEST_SHIFT * frames.shape[-1 - axis], level))
    kept = frames.shape[-1 - axis] - abs(pixels)
    moved = torch.zeros_like(frames)
    target = moved.narrow(-1 - axis, max(pixels, 0), kept)
    target.copy_(frames.narrow(-1 - axis, max(-pixels, 0), kept))
    return moved


def _solarize(frames: torch.Tensor, level: int) -> torch.Tensor:
    bright = frames >= 255 * float(torch.linspace(1.0, 0.0, MAX_MAGNITUDE + 1)[level])
    return frames ^ (bright.to(torch.uint8) * 255)  # x ^ 255 is 255 - x


def _sharpness(frames: torch.Tensor, level: int) -> torch.Tensor:
    """Away from, or towards, the mean of a pixel's surroundings, in which it counts five times."""
    pixels = frames.to(torch.float32)
    if min(frames.shape[-2:]) <= 2:  # nothing but border, which stays
        return frames
    rows = pixels[..., :-2, :] + pixels[..., 1:-1, :]
    rows += pixels[..., 2:, :]
    mean = rows[..., :-2] + rows[..., 1:-1]
    mean += rows[..., 2:]
    inner = pixels[..., 1:-1, 1:-1]
    mean.add_(inner, alpha=4).mul_(1 / 13).round_()
    inner.add_(mean.sub_(inner), alpha=-_value(0.9, level))
    return pixels.clamp_(0, 255).to(torch.uint8)


# Frames (..., 3, H, W) uint8 and a level to frames; axis 0 is x.
OPERATIONS: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "Identity": lambda frames, _: frames,
    "ShearX": partial(_shear, axis=0),
    "ShearY": partial(_shear, axis=1),
    "TranslateX": partial(_translate, axis=0),
    "TranslateY": partial(_translate, axis=1),
    "Rotate": lambda frames, level: tvf.rotate(frames, _value(30.0, level)),
    "Brightness": lambda frames, level: tvf.adjust_brightness(frames, 1 + _value(0.9, level)),
    "Color": lambda frames, level: tvf.adjust_saturation(frames, 1 + _value(0.9, level)),
    "Contrast": lambda frames, level: tvf.adjust_contrast(frames, 1 + _value(0.9, level)),
    "Sharpness": _sharpness,
    "Posterize": lambda frames, level: tvf.posterize(frames, 8 - round(4 * level / MAX_MAGNITUDE)),
    "Solarize": _solarize,
    "AutoContrast": lambda frames, _: tvf.autocontrast(frames),
    "Equalize": lambda frames, _: tvf.equalize(frames),
}
_NAMES = tuple(OPERATIONS)
_SIGNED = frozenset(_NAMES[1:10])  # the others cannot be turned around
