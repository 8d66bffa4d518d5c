"""Loss functions (thesis section 3.11)."""

from typing import Literal

import torch
from torch import nn

from lilliput.task import Task

Reduction = Literal["mean", "sum"]  # over clips, and over classes that are told apart one by one


class BinaryCrossEntropy(nn.Module):
    """Binary cross entropy per class (section 3.11.1).

    Args:
        positive_weights: (K,) factors on the positive term, against class imbalance.
        class_weights: (K,) factors on both terms.
        label_smoothing: Moves targets this share of the way to 1/2; in training mode only, so
            that validation losses compare.
        reduction: The mean, as in the thesis' formula, or the sum.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1]
        - Output: scalar
    """

    def __init__(
        self,
        positive_weights: torch.Tensor | None = None,
        *,
        class_weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("positive_weights", positive_weights)
        self.register_buffer("class_weights", class_weights)
        self.positive_weights: torch.Tensor | None
        self.class_weights: torch.Tensor | None
        self.label_smoothing = label_smoothing
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        if self.training and self.label_smoothing:
            targets = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        return nn.functional.binary_cross_entropy_with_logits(
            logits,
            targets,
            weight=self.class_weights,
            pos_weight=self.positive_weights,
            reduction=self.reduction,
        )


class CrossEntropy(nn.Module):
    """Cross entropy of one label per clip, given as probabilities of the classes.

    Args:
        class_weights: (K,) factors on the classes' terms.
        label_smoothing: Mixes this share of equal probabilities into the targets; in training
            mode only, so that validation losses compare.
        reduction: The mean over clips, or the sum.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1], each row with the sum 1
        - Output: scalar
    """

    def __init__(
        self,
        *,
        class_weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.class_weights: torch.Tensor | None
        self.label_smoothing = label_smoothing
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        return nn.functional.cross_entropy(
            logits,
            targets,
            weight=self.class_weights,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing if self.training else 0.0,
        )


class FocalLoss(nn.Module):
    """Cross entropy that easy clips hardly enter.

    With p the score of what is right, a term is ``- (1 - p)^gamma log(p)``: of every class, with
    scores of a sigmoid, where a clip has several labels; of the clip's class, with scores of a
    softmax, where it has one.

    Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.

    Args:
        task: Whether a clip has a single label or several.
        gamma: Focus on hard clips; 0 gives the cross entropy.
        class_weights: (K,) factors on the classes' terms.
        reduction: The mean over clips, and over the classes of several labels, or the sum.

    Shape:
        - Input: logits ``(N, K)``, targets ``(N, K)`` in [0, 1]
        - Output: scalar
    """

    def __init__(
        self,
        task: Task,
        *,
        gamma: float = 2.0,
        class_weights: torch.Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.class_weights: torch.Tensor | None
        self.task = task
        self.gamma = gamma
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        losses = self._of_classes(logits, targets)
        if self.class_weights is not None:
            losses = losses * self.class_weights
        if self.task == "single":
            losses = losses.sum(dim=1)
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def _of_classes(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """(N, K) terms."""
        if self.task == "single":
            log_scores = logits.log_softmax(dim=1)
            distance = 1 - log_scores.exp()
            cross_entropy = -targets * log_scores
        else:
            scores = logits.sigmoid()
            distance = targets * (1 - scores) + (1 - targets) * scores
            cross_entropy = nn.functional.binary_cross_entropy_with_logits(
                logits, targets, reduction="none"
            )
        # At 0 a power below 1 has no finite slope.
        return cross_entropy * distance.clamp(min=_EPSILON) ** self.gamma


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


class LogitAdjustment(nn.Module):
    """Any loss, of logits that are moved by how frequent each class is in training.

    So the network learns what tells classes apart, and its own scores are those of clips in which
    every class is as likely as any other.

    Source: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021.

    Args:
        loss: Takes logits and targets (N, K).
        offsets: (K,) added to the logits; see ``log_priors``.
    """

    def __init__(self, loss: nn.Module, offsets: torch.Tensor) -> None:
        super().__init__()
        self.loss = loss
        self.register_buffer("offsets", offsets)
        self.offsets: torch.Tensor

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of a batch."""
        loss: torch.Tensor = self.loss(logits + self.offsets, targets)
        return loss


_EPSILON = 1e-8


def log_priors(targets: torch.Tensor, task: Task) -> torch.Tensor:
    """How likely each class is before a clip is seen: (N, K) to (K,) logits of ``task``.

    A class without clips, or in all of them, counts as if it were otherwise in half a clip.
    """
    clips = len(targets)
    share = (targets.sum(dim=0) / clips).clamp(0.5 / clips, 1 - 0.5 / clips)
    return share.log() if task == "single" else share.logit()


def positive_weights(targets: torch.Tensor, *, limit: float = 100.0) -> torch.Tensor:
    """Negatives per positive of each class, at most ``limit``: (N, K) to (K,).

    A class without positives takes the limit.
    """
    positives = targets.sum(dim=0)
    negatives = targets.shape[0] - positives
    return (negatives / positives.clamp(min=1)).clamp(max=limit)


def class_balanced_weights(targets: torch.Tensor, beta: float) -> torch.Tensor:
    """Weights that fall with the effective number of a class' clips: (N, K) to (K,), mean 1.

    n clips count as ``(1 - beta^n) / (1 - beta)``: with beta 0 as one, near 1 as n. A class
    without clips takes the weight of one clip.

    Source: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019.
    """
    clips = targets.sum(dim=0, dtype=torch.float64).clamp(min=1)
    weights = (1 - beta) / (1 - beta**clips)
    return (weights / weights.mean()).float()
