"""Logits into scores: a probability for each label by itself, or one shared among the classes."""

import torch

from lilliput.task import Task


def score_logits(logits: torch.Tensor, task: Task) -> torch.Tensor:
    """Scores in [0, 1].

    Args:
        logits: Of a network.
        task: ``"multi"`` takes the sigmoid of each logit, ``"single"`` the softmax over classes.

    Shape:
        - logits: ``(..., K)``
        - Output: ``(..., K)`` float32
    """
    logits = logits.float()
    return logits.sigmoid() if task == "multi" else logits.softmax(dim=-1)
