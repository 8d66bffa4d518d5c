"""Mirroring and turning clips, and the labels that have a direction (thesis section 3.3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Flips:
    """One draw of ``RandomFlips``."""

    horizontal: bool
    vertical: bool
    quarter_turn: bool

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """(..., H, W), mirrored and turned; a view."""
        frames = frames.flip(-1) if self.horizontal else frames
        frames = frames.flip(-2) if self.vertical else frames
        return frames.rot90(1, (-2, -1)) if self.quarter_turn else frames


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

    def draw(self, generator: torch.Generator | None = None) -> Flips:
        """Draws once for a whole clip."""
        chances = (self.horizontal, self.vertical, self.quarter_turn)
        return Flips(*(bool(torch.rand((), generator=generator) < chance) for chance in chances))

    def swap(self, targets: torch.Tensor, flips: Flips) -> torch.Tensor:
        """The (K,) targets of the flipped clip."""
        if not flips.horizontal:
            return targets
        return targets.index_select(-1, swap_order(targets.shape[-1], self.pairs))


def swap_order(num_classes: int, pairs: Sequence[tuple[int, int]]) -> torch.Tensor:
    """The order of label columns after a horizontal flip: each pair exchanged."""
    order = torch.arange(num_classes)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order
