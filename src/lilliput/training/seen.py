"""How well a network knows the training clips, as they pass by in an epoch (figure 4.6)."""

import torch

from lilliput.task import Task


class SeenClips:
    """Counts what is right of an epoch's training batches.

    The clips are those that the network learns from, augmented, each scored before the step that
    it belongs to: a falling gap to the validation score shows a network that learns them by heart.

    Args:
        num_classes: Classes K.
        task: Whether the most likely class is given, or every class with a score above 0.5.
        device: Of the batches.
    """

    def __init__(self, num_classes: int, task: Task, device: torch.device) -> None:
        self.task = task
        self.counts = torch.zeros(3, num_classes, device=device)  # right, given, annotated

    def add(self, logits: torch.Tensor, targets: torch.Tensor) -> None:
        """A batch: (N, K) each. Of mixed clips the labels that weigh more than half count."""
        given = logits > 0
        if self.task == "single":
            given = torch.nn.functional.one_hot(logits.argmax(dim=1), logits.shape[1]) > 0
        annotated = targets > 0.5
        batch = [one.sum(dim=0) for one in (given & annotated, given, annotated)]
        self.counts += torch.stack(batch)


def macro_f1(counts: torch.Tensor) -> float:
    """The mean over classes of (3, K) counts; a class that is neither given nor there has 0."""
    right, given, annotated = counts.double()
    return float((2 * right / (given + annotated).clamp(min=1)).mean())
