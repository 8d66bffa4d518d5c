"""Loss functions (thesis section 3.11)."""

import torch
from torch import nn


class BinaryCrossEntropy(nn.Module):
    """Binary cross entropy per class, averaged over clips and classes (section 3.11.1).

    Args:
        positive_weights: (K,) factors on the positive term, against class imbalance.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1]
        - Output: scalar
    """

    def __init__(self, positive_weights: torch.Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("positive_weights", positive_weights)
        self.positive_weights: torch.Tensor | None

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch."""
        return nn.functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=self.positive_weights
        )


def positive_weights(targets: torch.Tensor, *, limit: float = 100.0) -> torch.Tensor:
    """Negatives per positive of each class, at most ``limit``: (N, K) to (K,).

    A class without positives takes the limit.
    """
    positives = targets.sum(dim=0)
    negatives = targets.shape[0] - positives
    return (negatives / positives.clamp(min=1)).clamp(max=limit)
