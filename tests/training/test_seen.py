"""Scores of training clips, batch by batch, against those of the whole epoch at once."""

import pytest
import torch

from lilliput.scoring import compute_metrics
from lilliput.scoring.logits import score_logits
from lilliput.task import Task
from lilliput.training.seen import SeenClips, macro_f1


@pytest.mark.parametrize("task", ["multi", "single"])
def test_batches_give_the_score_of_the_epoch(task: Task) -> None:
    torch.manual_seed(0)
    logits = torch.randn(40, 5)
    targets = (torch.rand(40, 5) > 0.7).float()
    if task == "single":
        targets = torch.nn.functional.one_hot(torch.randint(4, (40,)), 5).float()
    seen = SeenClips(5, task, torch.device("cpu"))
    for part in torch.arange(40).split(7):
        seen.add(logits[part], targets[part])
    threshold = 0.0 if task == "single" else 0.5
    scores = score_logits(logits, task).numpy()
    expected = compute_metrics(scores, targets.numpy() > 0, threshold, task).macro.f1
    assert macro_f1(seen.counts) == pytest.approx(expected)


def test_a_mixed_clip_counts_with_the_labels_that_weigh_most() -> None:
    seen = SeenClips(3, "multi", torch.device("cpu"))
    seen.add(torch.tensor([[1.0, 1.0, -1.0]]), torch.tensor([[0.7, 0.3, 0.0]]))
    assert seen.counts.tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    assert macro_f1(seen.counts) == pytest.approx(1 / 3)
