"""What a front end learns from: true pictures, its flow, and an adversary."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from lilliput.models.super_resolution.discriminator import SpatioTemporalDiscriminator
from lilliput.models.super_resolution.flow import Flows, warping_error
from lilliput.models.super_resolution.interpolation import Interpolation

_ROUNDING = 1e-3  # of Charbonnier's loss: differences below it count as their square
_WARPING = 0.1  # weight of what warped frames differ by
_PING_PONG = 0.5  # weight of what the way back differs by, as in TecoGAN


def charbonnier(made: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """The mean absolute difference, rounded off at zero (Charbonnier et al. 1994)."""
    return ((made - true).square() + _ROUNDING**2).sqrt().mean()


def enlarge_and_compare(
    enlarge: nn.Module, small: torch.Tensor, true: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Large clips, and how much they, and frames warped by the estimated flow, differ.

    Args:
        enlarge: Any learned front end.
        small: (N, 3, T, H, W) in 0..1.
        true: (N, 3, T, S * H, S * W) in 0..1.
    """
    module: Any = enlarge
    if not hasattr(module, "flows"):
        made: torch.Tensor = module(small)
        return made, charbonnier(made, true)
    flows = module.flows(small)
    made = module(small, flows)
    return made, charbonnier(made, true) + _WARPING * warping_error(small, flows)


class AdversarialLoss:
    """A temporally coherent adversary, and the way there and back (TecoGAN, section 2.3).

    Clips are followed by themselves in reverse. What a front end makes of a frame on the way there
    and on the way back must be the same (ping-pong loss), or else detail drifts along; and a
    discriminator of three frames tells what it makes from true pictures.

    Args:
        scale: How many times larger, S.
        weight: Of the discriminator's word.
        learning_rate: The discriminator's.
        device: Where it computes.
    """

    def __init__(
        self, scale: int, weight: float, learning_rate: float, device: torch.device
    ) -> None:
        self.weight = weight
        self.interpolation = Interpolation(scale).to(device)
        self.discriminator = SpatioTemporalDiscriminator().to(device)
        self.optimizer = torch.optim.Adam(
            self.discriminator.parameters(), learning_rate, betas=(0.5, 0.999)
        )

    def step(self, enlarge: nn.Module, small: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        """The front end's whole loss; the discriminator learns on the way.

        Args:
            enlarge: One that estimates flow.
            small: (N, 3, T, H, W) in 0..1, three frames or more.
            true: (N, 3, T, S * H, S * W).
        """
        module: Any = enlarge
        num_frames = small.shape[2]
        there_and_back = torch.cat([small, small.flip(2)[:, :, 1:]], dim=2)
        flows: Flows = module.flows(there_and_back)
        made = module(there_and_back, flows)
        there, back = made[:, :, :num_frames], made[:, :, num_frames - 1 :].flip(2)
        loss = charbonnier(there, true) + _WARPING * warping_error(there_and_back, flows)
        loss = loss + _PING_PONG * charbonnier(there, back)
        onward, backward = (flow[:, : num_frames - 1].detach() for flow in flows)
        self._learn(there.detach(), true, small, (onward, backward))
        judged = self._judge(there, small, (onward, backward))
        return loss + self.weight * F.softplus(-judged).mean()

    def _learn(
        self, made: torch.Tensor, true: torch.Tensor, small: torch.Tensor, flows: Flows
    ) -> None:
        real, false = self._judge(true, small, flows), self._judge(made, small, flows)
        loss = F.softplus(-real).mean() + F.softplus(false).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def _judge(self, large: torch.Tensor, small: torch.Tensor, flows: Flows) -> torch.Tensor:
        logits: torch.Tensor = self.discriminator(large, self.interpolation(small), flows)
        return logits
