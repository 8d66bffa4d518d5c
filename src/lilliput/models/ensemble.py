"""Several networks as one: the mean of their scores (thesis section 5.1).

Like every network it gives logits, so that evaluation, export and server need not know of it:
those whose sigmoid, or softmax, is the mean of the members' sigmoids, or softmaxes.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

Average = Literal["sigmoid", "softmax"]


class Ensemble(nn.Module):
    """Averages the scores of its members.

    The means are taken of logarithms, so that no score rounds to 0 or 1 on the way.

    Args:
        members: Networks with the same classes.
        average: What makes scores of logits: ``"sigmoid"`` where a clip has any number of labels,
            ``"softmax"`` where it has one.

    Attributes:
        scale: (M, 3) what the clip's colors are multiplied with for each member.
        shift: (M, 3) and what is added to them: a member may have been trained on clips of
            another normalisation than the ensemble is given.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, members: Sequence[nn.Module], *, average: Average = "sigmoid") -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.average = average
        self.register_buffer("scale", torch.ones(len(members), 3))
        self.register_buffer("shift", torch.zeros(len(members), 3))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        logits = torch.stack(
            [
                member(clips * scale.view(3, 1, 1, 1) + shift.view(3, 1, 1, 1))
                for member, scale, shift in zip(self.members, self.scale, self.shift, strict=True)
            ]
        )  # (M, N, K)
        if self.average == "softmax":
            return F.log_softmax(logits, dim=-1).logsumexp(dim=0) - math.log(len(logits))
        # The mean's logit is log(p / (1 - p)); the number of members cancels out.
        return F.logsigmoid(logits).logsumexp(dim=0) - F.logsigmoid(-logits).logsumexp(dim=0)
