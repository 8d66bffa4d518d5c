"""An ensemble's logits stand for the mean of its members' scores."""

import numpy as np
import pytest
import torch
from torch import nn

from lilliput.builders import build_model
from lilliput.config import ModelConfig
from lilliput.models.ensemble import Average, Ensemble
from lilliput.scoring.logits import score_logits
from lilliput.task import Task

TASKS: dict[Average, Task] = {"sigmoid": "multi", "softmax": "single"}


class _Fixed(nn.Module):
    """Says the same of every clip."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(clips), -1)


CLIPS = torch.zeros(2, 3, 1, 2, 2)


@pytest.mark.parametrize("average", ["sigmoid", "softmax"])
@torch.no_grad()
def test_scores_are_the_mean_of_the_members_scores(average: Average) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(5, 6, generator=generator)
    found = score_logits(
        Ensemble([_Fixed(row) for row in logits], average=average)(CLIPS), TASKS[average]
    )
    expected = score_logits(logits.double(), TASKS[average]).mean(dim=0)
    torch.testing.assert_close(found, expected.expand(2, -1), rtol=1e-5, atol=1e-7)


@torch.no_grad()
def test_extreme_logits_stay_finite_and_right() -> None:
    """Where sigmoids round to 0 and 1, the logit of their mean is that of exact arithmetic."""
    logits = torch.tensor([[90.0, -90.0, 90.0, 200.0], [88.0, -95.0, -90.0, 200.0]])
    found = Ensemble([_Fixed(row) for row in logits])(CLIPS)[0].double().numpy()
    rows = logits.double().numpy()
    # log p = -log(1 + e^-z), log(1 - p) = -log(1 + e^z), in float64 and without rounding to 0.
    log_p, log_not = -np.logaddexp(0, -rows), -np.logaddexp(0, rows)
    expected = np.logaddexp(*log_p) - np.logaddexp(*log_not)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    softmax = Ensemble([_Fixed(row) for row in logits], average="softmax")(CLIPS)[0]
    assert torch.isfinite(softmax).all()
    torch.testing.assert_close(softmax.softmax(-1), logits.softmax(-1).mean(0))


@pytest.mark.parametrize("average", ["sigmoid", "softmax"])
@torch.no_grad()
def test_members_that_agree_are_one_network(average: Average) -> None:
    row = torch.tensor([1.0, -2.0, 0.5])
    found = Ensemble([_Fixed(row), _Fixed(row)], average=average)(CLIPS)
    task = TASKS[average]
    torch.testing.assert_close(score_logits(found[0], task), score_logits(row, task))


class _Mean(nn.Module):
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return clips.mean(dim=(2, 3, 4))


@torch.no_grad()
def test_each_member_gets_its_own_colours() -> None:
    ensemble = Ensemble([_Mean(), _Mean()])
    ensemble.scale.copy_(torch.tensor([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]]))
    ensemble.shift.copy_(torch.tensor([[0.0, 0.0, 0.0], [1.0, -1.0, 0.5]]))
    clips = torch.randn(2, 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    mean = clips.mean(dim=(2, 3, 4))
    other = mean * torch.tensor([2.0, 3.0, 4.0]) + torch.tensor([1.0, -1.0, 0.5])
    expected = (mean.sigmoid() + other.sigmoid()) / 2
    torch.testing.assert_close(ensemble(clips).sigmoid(), expected)


@pytest.mark.parametrize("average", ["sigmoid", "softmax"])
def test_the_contract_of_every_network(average: Average) -> None:
    """Shape, gradients everywhere, no word on other clips of the batch, any batch exports."""
    torch.manual_seed(0)
    config = ModelConfig(width=4, input_size=14, adapted=True, members=3, average=average)
    model = build_model(config, num_classes=3, num_frames=4).eval()
    clips = torch.randn(2, 3, 4, 14, 14, generator=torch.Generator().manual_seed(1))
    logits = model(clips)
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert {name.split(".")[1] for name in model.state_dict() if "members" in name} == set("012")
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(model, (clips,), dynamic_shapes=({0: batch},))
    three = torch.cat([clips, clips[:1].flip(-1)])
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(three), model(three), rtol=1e-4, atol=1e-5)
        model.double()
        together = model(clips.double())
        assert together.dtype == torch.float64
        alone = torch.cat([model(clip[None].double()) for clip in clips])
    torch.testing.assert_close(together, alone)
