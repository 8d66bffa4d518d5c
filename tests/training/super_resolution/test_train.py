"""What a front end learns from, by hand; and that it learns at all."""

import numpy as np
import pytest
import torch
from torch import nn

from lilliput.builders import build_model, tell_normalisation
from lilliput.config import ModelConfig
from lilliput.models.super_resolution.basicvsr import BasicVsr
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.models.super_resolution.interpolation import Interpolation
from lilliput.models.super_resolution.sof_vsr import SofVsr
from lilliput.training.super_resolution.joint import JointSuperResolution
from lilliput.training.super_resolution.losses import (
    AdversarialLoss,
    charbonnier,
    enlarge_and_compare,
)
from lilliput.training.super_resolution.train import (
    SuperResolutionSettings,
    compare_front_ends,
    train_front_end,
)
from lilliput.video.degradation import Degradation
from lilliput.video.normalisation import KINETICS

SHRINK = Degradation(2, blur=0, noise=0, quality=None)


class _Stripes:
    """Stands in for patches: stripes that interpolation blurs, and that any network can sharpen."""

    size = 16
    used = (0, 1, 2)

    def draw(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return torch.stack([self._stripes(int(rng.integers(4))) for _ in range(count)])

    def middle(self, position: int) -> torch.Tensor:
        return self._stripes(position)

    def _stripes(self, shift: int) -> torch.Tensor:
        bright = ((torch.arange(16) + shift) // 2 % 2).float()
        return bright.expand(3, 3, 16, 16).clone()


@pytest.fixture(params=[BasicVsr, SofVsr])
def enlarge(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    module: nn.Module = request.param(2, channels=8, blocks=1)
    return module


def test_charbonnier_is_the_absolute_difference_but_at_zero() -> None:
    made, true = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 0.25, 0.5])
    expected = (0.001 + (0.25**2 + 1e-6) ** 0.5 + (0.5**2 + 1e-6) ** 0.5) / 3
    assert float(charbonnier(made, true)) == pytest.approx(expected)


def test_what_it_makes_is_compared_with_the_truth(enlarge: nn.Module) -> None:
    true = torch.rand(2, 3, 3, 16, 16)
    small = SHRINK(true, torch.Generator())
    with torch.no_grad():
        made, loss = enlarge_and_compare(enlarge, small, true)
        torch.testing.assert_close(made, enlarge(small))
    assert float(loss) > float(charbonnier(made, true))  # the flow's share
    interpolated, loss = enlarge_and_compare(Interpolation(2), small, true)
    assert float(loss) == float(charbonnier(interpolated, true))


@pytest.mark.parametrize("adversarial", [0.0, 0.01])
def test_it_learns_to_beat_interpolation(enlarge: nn.Module, adversarial: float) -> None:
    settings = SuperResolutionSettings(40, 2, 1e-2, adversarial)
    losses: list[float] = []
    train_front_end(enlarge, _Stripes(), SHRINK, settings, losses.append)  # type: ignore[arg-type]
    assert len(losses) == 40
    scores = compare_front_ends(enlarge, "ours", _Stripes(), SHRINK)  # type: ignore[arg-type]
    assert set(scores) == {"bicubic", "lanczos", "registered", "ours"}
    assert scores["ours"].psnr > scores["bicubic"].psnr + 1
    assert scores["ours"].ssim > scores["bicubic"].ssim


def test_both_sides_of_an_adversary_learn(enlarge: nn.Module) -> None:
    torch.manual_seed(0)
    adversary = AdversarialLoss(2, 1.0, 1e-3, torch.device("cpu"))
    before = [weight.clone() for weight in adversary.discriminator.parameters()]
    true = torch.rand(2, 3, 3, 16, 16)
    adversary.step(enlarge, SHRINK(true, torch.Generator()), true).backward()
    after = list(adversary.discriminator.parameters())
    assert all(not torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert all(weight.grad is not None for weight in enlarge.parameters())


def test_a_network_sees_what_the_front_end_makes_of_degraded_clips() -> None:
    torch.manual_seed(0)
    model = build_model(ModelConfig(width=4, input_size=28, front_end="sof_vsr"), 3, 2)
    assert isinstance(model, FrontEnd)
    tell_normalisation(model, KINETICS)
    true = torch.rand(2, 3, 2, 28, 28)
    larger, loss = JointSuperResolution(0.5, SHRINK)(model, model.to_clips(true))
    small = SHRINK(true, torch.Generator())
    torch.testing.assert_close(larger, model.enlarge_clips(model.to_clips(small)))
    _, expected = enlarge_and_compare(model.enlarge, small, true)
    torch.testing.assert_close(loss, 0.5 * expected)
