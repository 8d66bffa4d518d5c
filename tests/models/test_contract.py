"""What every model of the project must do, at every size it declares."""

import pytest
import torch
from torch import nn

from lilliput.builders import MODELS, build_model
from lilliput.config import ModelConfig

CONFIGS = [
    ModelConfig(name=name, depth=depth, width=4, input_size=size, adapted=adapted)
    for name in MODELS
    for depth in (18, 50)
    for size, adapted in ((14, True), (28, True), (28, False), (56, True), (112, False))
]


@pytest.fixture(params=CONFIGS, ids=lambda c: f"{c.name}-{c.depth}-{c.input_size}-{c.adapted}")
def config(request: pytest.FixtureRequest) -> ModelConfig:
    return request.param


@pytest.fixture
def model(config: ModelConfig) -> nn.Module:
    torch.manual_seed(0)
    return build_model(config, num_classes=3)


@pytest.fixture
def clips(config: ModelConfig) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, 16, config.input_size, config.input_size, generator=generator)


def test_clips_to_logits(model: nn.Module, clips: torch.Tensor) -> None:
    assert model.eval()(clips).shape == (2, 3)


def test_every_parameter_gets_a_gradient(model: nn.Module, clips: torch.Tensor) -> None:
    model.eval()(clips).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_clips_logits_do_not_depend_on_its_batch(model: nn.Module, clips: torch.Tensor) -> None:
    model.eval().double()
    with torch.no_grad():
        together = model(clips.double())
        alone = torch.cat([model(clip[None].double()) for clip in clips])
    torch.testing.assert_close(together, alone)


def test_state_dict_round_trip(model: nn.Module, clips: torch.Tensor, config: ModelConfig) -> None:
    copy = build_model(config, num_classes=3)
    copy.load_state_dict(model.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(copy.eval()(clips), model.eval()(clips), rtol=0, atol=0)
