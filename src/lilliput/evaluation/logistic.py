"""Logistic regression on features that are given: the linear part of a linear probe."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from lilliput.task import Task

# From strong to weak: the inverse of the weight of the L2 penalty, as in scikit-learn.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
_MAX_STEPS = 300
_ROUGH = 1e-4  # gradient that is left where strengths are compared
_LEAST = 1e-3  # of a probability, so that a single clip cannot decide between strengths


@dataclass(frozen=True)
class LogisticRegression:
    """A linear model of standardised features.

    Attributes:
        mean: (D,) of the training features.
        std: (D,) of the training features; 1 where they do not vary.
        weight: (D, K).
        bias: (K,).
        task: Whether its scores are a softmax or sigmoids.
    """

    mean: np.ndarray
    std: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    task: Task

    def score(self, features: np.ndarray) -> np.ndarray:
        """(N, D) features to (N, K) scores in [0, 1]."""
        logits = torch.from_numpy((features - self.mean) / self.std @ self.weight + self.bias)
        return (logits.softmax(dim=-1) if self.task == "single" else logits.sigmoid()).numpy()


def fit_logistic(
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,
    strength: float,
    *,
    tolerance: float = 1e-7,
) -> LogisticRegression:
    """Multinomial logistic regression, or one of each class against the rest.

    Minimises half the squared weights, biases left out, plus ``strength`` times the summed
    cross-entropy, with L-BFGS on all clips at once.

    Args:
        features: Any numbers.
        targets: One per clip if ``task`` is single.
        task: How many labels a clip has.
        strength: C of scikit-learn: the smaller, the smaller the weights.
        tolerance: Largest gradient that is left.

    Shape:
        - features: ``(N, D)``
        - targets: ``(N, K)`` bool
    """
    mean, std = features.mean(axis=0), features.std(axis=0)
    std = np.where(std > 0, std, 1)
    inputs = torch.from_numpy(np.asarray((features - mean) / std, dtype=np.float64))
    wanted = torch.from_numpy(targets.astype(np.float64))
    shape = (inputs.shape[1], wanted.shape[1])
    weight = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_MAX_STEPS,
        tolerance_grad=tolerance,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = inputs @ weight + bias
        penalty = weight.square().sum() / (2 * strength * len(inputs))
        value = _cross_entropy(logits, wanted, task) + penalty
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    return LogisticRegression(mean, std, weight.detach().numpy(), bias.detach().numpy(), task)


def choose_strength(
    features: np.ndarray, targets: np.ndarray, task: Task, folds: Sequence[np.ndarray]
) -> tuple[float, np.ndarray]:
    """Cross-validates over ``STRENGTHS``, from strong to weak until the log loss grows.

    Args:
        features: Of the training clips.
        targets: Of the training clips.
        task: How many labels a clip has.
        folds: Rows of each fold; every row is in one.

    Shape:
        - features: ``(N, D)``
        - targets: ``(N, K)`` bool

    Returns:
        The strength with the least log loss, the smallest of equals, and its (N, K) scores, each
        from the model that was not fitted on the row's fold.
    """
    found: list[tuple[float, float, np.ndarray]] = []
    for strength in STRENGTHS if features.shape[1] else STRENGTHS[:1]:
        scores = np.zeros(targets.shape)
        for fold in folds:
            rest = np.setdiff1d(np.arange(len(features)), fold)
            model = fit_logistic(features[rest], targets[rest], task, strength, tolerance=_ROUGH)
            scores[fold] = model.score(features[fold])
        loss = _log_loss(scores, targets, task)
        if found and loss > found[-1][0]:
            break
        found.append((loss, strength, scores))
    _, best, scores = min(found, key=lambda entry: entry[:2])
    return best, scores


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor, task: Task) -> torch.Tensor:
    """Summed over the classes, mean over the clips."""
    if task == "single":
        return F.cross_entropy(logits, targets)
    by_class = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return by_class.sum(dim=1).mean()


def _log_loss(scores: np.ndarray, targets: np.ndarray, task: Task) -> float:
    right = -np.log(np.clip(scores, _LEAST, 1))[targets].sum()
    wrong = -np.log(np.clip(1 - scores, _LEAST, 1))[~targets].sum() if task == "multi" else 0.0
    return float(right + wrong) / len(scores)
