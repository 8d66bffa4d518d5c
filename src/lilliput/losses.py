"""Loss functions (thesis section 3.11)."""

from typing import Literal

import torch
from torch import nn

Reduction = Literal["mean", "sum"]  # over clips and classes


class BinaryCrossEntropy(nn.Module):
    """Binary cross entropy per class (section 3.11.1).

    Args:
        positive_weights: (K,) factors on the positive term, against class imbalance.
        reduction: The mean, as in the thesis' formula, or the sum.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1]
        - Output: scalar
    """

    def __init__(
        self, positive_weights: torch.Tensor | None = None, *, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        self.register_buffer("positive_weights", positive_weights)
        self.positive_weights: torch.Tensor | None
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        return nn.functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=self.positive_weights, reduction=self.reduction
        )


class AsymmetricLoss(nn.Module):
    """Binary cross entropy that easy negatives hardly enter (section 3.11.2).

    With p = sigmoid(logit) and p_m = max(p - margin, 0)::

        L = - y (1 - p)^gamma_pos log(p) - (1 - y) p_m^gamma_neg log(1 - p_m)

    Source: Ben-Baruch et al., Asymmetric Loss for Multi-Label Classification, ICCV 2021. The
    thesis prints the formula with misprints; this is the paper's.

    Args:
        gamma_pos: Focus on hard positives.
        gamma_neg: Focus on hard negatives.
        margin: Negatives with a score below it count nothing.
        focus_gradient: Differentiate through the focusing factors too; the authors' code does not.
        reduction: The mean over clips and classes, or the sum, as the authors' code.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1]
        - Output: scalar
    """

    def __init__(
        self,
        *,
        gamma_pos: float = 1.0,
        gamma_neg: float = 4.0,
        margin: float = 0.05,
        focus_gradient: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.gamma_pos = gamma_pos
        self.gamma_neg = gamma_neg
        self.margin = margin
        self.focus_gradient = focus_gradient
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        positive = logits.sigmoid()
        shifted = (positive - self.margin).clamp(min=0)
        cross_entropy = targets * positive.clamp(min=_EPSILON).log()
        cross_entropy = cross_entropy + (1 - targets) * (1 - shifted).clamp(min=_EPSILON).log()
        distance = targets * (1 - positive) + (1 - targets) * shifted  # from being right
        gamma = targets * self.gamma_pos + (1 - targets) * self.gamma_neg
        if not self.focus_gradient:
            distance = distance.detach()
        losses = -cross_entropy * distance.clamp(min=_EPSILON) ** gamma
        return losses.mean() if self.reduction == "mean" else losses.sum()


_EPSILON = 1e-8


def positive_weights(targets: torch.Tensor, *, limit: float = 100.0) -> torch.Tensor:
    """Negatives per positive of each class, at most ``limit``: (N, K) to (K,).

    A class without positives takes the limit.
    """
    positives = targets.sum(dim=0)
    negatives = targets.shape[0] - positives
    return (negatives / positives.clamp(min=1)).clamp(max=limit)
