"""Optimizers and schedules against their formulas."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from lilliput.builders import build_model
from lilliput.config import ModelConfig, TrainingConfig
from lilliput.training.optimization import build_optimizer, build_step_schedule


def rates_of(config: TrainingConfig, steps: int) -> list[float]:
    optimizer = build_optimizer(torch.nn.Linear(1, 1), config)
    schedule = build_step_schedule(optimizer, config, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_cosine_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.3)
    schedule = CosineAnnealingLR(optimizer, 10)
    expected = []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates_of(TrainingConfig(schedule="cosine", learning_rate=0.3), 10) == pytest.approx(
        expected
    )


def test_a_warmup_grows_in_equal_parts_and_a_cosine_follows() -> None:
    rates = rates_of(TrainingConfig(schedule="cosine", warmup=0.3, learning_rate=0.4), 10)
    assert rates[:4] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    cosine = rates_of(TrainingConfig(schedule="cosine", learning_rate=0.4), 7)
    assert rates[3:] == pytest.approx(cosine)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.0), (1, 0.9), (2, 0.5), (3, 0.9)])
def test_short_runs_have_a_rate_at_every_step(steps: int, warmup: float) -> None:
    rates = rates_of(TrainingConfig(schedule="cosine", warmup=warmup, learning_rate=1.0), steps)
    assert all(0 < rate <= 1 for rate in rates)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_sgd_is_nesterovs_formula(momentum: float) -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    config = TrainingConfig(
        optimizer="sgd", momentum=momentum, learning_rate=0.1, weight_decay=0.01
    )
    optimizer = build_optimizer(model, config)
    weight, velocity = model.weight.detach().clone(), torch.zeros(2, 3)
    for number in range(3):
        optimizer.zero_grad()
        model(torch.full((4, 3), float(number + 1))).square().sum().backward()
        gradient = model.weight.grad + 0.01 * weight
        velocity = gradient if number == 0 else momentum * velocity + gradient
        weight = weight - 0.1 * (gradient + momentum * velocity)
        optimizer.step()
        torch.testing.assert_close(model.weight.detach(), weight)


def test_one_cycle_leaves_the_momentum_of_sgd_alone() -> None:
    config = TrainingConfig(optimizer="sgd", momentum=0.7, schedule="one_cycle")
    optimizer = build_optimizer(torch.nn.Linear(1, 1), config)
    schedule = build_step_schedule(optimizer, config, 4)
    for _ in range(4):
        assert optimizer.param_groups[0]["momentum"] == 0.7
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_each_stage_has_its_part_of_the_rate(optimizer: str) -> None:
    model = build_model(ModelConfig(width=4, input_size=14), 2)
    config = TrainingConfig(
        optimizer=optimizer, layer_decay=0.5, learning_rate=0.8, schedule="one_cycle"
    )
    built = build_optimizer(model, config)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rates = {
        names[id(parameter)]: group["lr"]
        for group in built.param_groups
        for parameter in group["params"]
    }
    assert rates.keys() == set(names.values())
    expected = {"head.": 0.8, "backbone.layer4": 0.4, "backbone.layer3": 0.2}
    expected |= {"backbone.layer2": 0.1, "backbone.layer1": 0.05}
    expected |= {"backbone.conv1": 0.025, "backbone.bn1": 0.025}
    for name, rate in rates.items():
        (share,) = (share for prefix, share in expected.items() if name.startswith(prefix))
        assert rate == pytest.approx(share), name
    # A schedule keeps the proportions.
    for schedule in ("one_cycle", "cosine"):
        config = config.model_copy(update={"schedule": schedule})
        optimizer_ = build_optimizer(model, config)
        stepper = build_step_schedule(optimizer_, config, 10)
        for _ in range(5):
            optimizer_.step()
            stepper.step()
        rates_now = [group["lr"] for group in optimizer_.param_groups]
        parts = [rate / rates_now[0] for rate in rates_now]
        assert parts == pytest.approx([0.5**distance for distance in range(6)])


def test_without_layer_decay_there_is_one_group() -> None:
    model = build_model(ModelConfig(width=4, input_size=14), 2)
    (group,) = build_optimizer(model, TrainingConfig()).param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]
