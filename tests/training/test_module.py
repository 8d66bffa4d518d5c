"""The numerical ground that training stands on."""

import pytest
import torch

from lilliput.builders import build_model
from lilliput.config import ModelConfig, TrainingConfig
from lilliput.data.loading import Batch
from lilliput.losses import BinaryCrossEntropy
from lilliput.task import Task
from lilliput.training.module import ActionModule, _channels_last
from lilliput.video.mixing import ClipMixing


def _smooth(network: torch.nn.Module) -> None:
    """Without kinks: rounding that carries a value across one changes gradients by far more."""
    for module in network.modules():
        if hasattr(module, "relu"):
            module.relu = torch.nn.Softplus()
        if hasattr(module, "maxpool"):
            pool = module.maxpool
            module.maxpool = torch.nn.AvgPool3d(pool.kernel_size, pool.stride, pool.padding)


@pytest.mark.parametrize("adapted", [True, False])
def test_gradients_in_the_training_layout_equal_plain_float64_ones(adapted: bool) -> None:
    """Half precision and this layout together give garbage on some CPUs; fp32 must not."""
    config = ModelConfig(width=8, input_size=28, adapted=adapted)
    torch.manual_seed(0)
    reference = build_model(config, 4).double()
    trained = build_model(config, 4)
    trained.load_state_dict(reference.state_dict())
    for network in (reference, trained):
        _smooth(network)
    clips, targets = torch.randn(4, 3, 16, 28, 28), torch.randint(0, 2, (4, 4)).float()
    loss = BinaryCrossEntropy()
    module = ActionModule(trained, loss, TrainingConfig(), targets.bool())
    loss(reference(clips.double()), targets.double()).backward()
    loss(module.model(_channels_last(clips)), targets).backward()
    for (name, ours), theirs in zip(
        module.model.named_parameters(), reference.parameters(), strict=True
    ):
        scale = theirs.grad.abs().max()
        assert (ours.grad.double() - theirs.grad).abs().max() < 1e-3 * scale + 1e-7, name


def test_multistep_divides_by_ten_at_the_thesis_milestones() -> None:
    config = TrainingConfig(epochs=200)
    module = ActionModule(torch.nn.Linear(1, 1), BinaryCrossEntropy(), config, torch.ones(1, 1))
    configured = module.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]
    rates = []
    for _ in range(200):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    expected = [1e-3] * 50 + [1e-4] * 50 + [1e-5] * 50 + [1e-6] * 50
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [1e-3]),
        (2, [1e-3, 1e-4]),
        (3, [1e-3, 1e-4, 1e-5]),
        (12, [1e-3] * 3 + [1e-4] * 3 + [1e-5] * 3 + [1e-6] * 3),
    ],
)
def test_short_runs_begin_at_the_full_rate(epochs: int, expected: list[float]) -> None:
    config = TrainingConfig(epochs=epochs)
    module = ActionModule(torch.nn.Linear(1, 1), BinaryCrossEntropy(), config, torch.ones(1, 1))
    configured = module.configure_optimizers()
    rates = []
    for _ in range(epochs):
        rates.append(configured["optimizer"].param_groups[0]["lr"])
        configured["optimizer"].step()
        configured["lr_scheduler"].step()
    assert rates == pytest.approx(expected)


def test_branches_are_supervised_beside_their_sum() -> None:
    config = ModelConfig(width=4, input_size=14, classifier="filter_bank", filters_per_class=2)
    torch.manual_seed(0)
    model = build_model(config, 3, num_frames=4).eval()
    clips, targets = torch.randn(2, 3, 4, 14, 14), torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    loss = BinaryCrossEntropy()
    logits, branches = model.forward_branches(clips)
    plain = ActionModule(model, loss, TrainingConfig(), targets.bool())
    torch.testing.assert_close(plain._loss_of(clips, targets, None)[0], loss(model(clips), targets))
    both = ActionModule(model, loss, TrainingConfig(), targets.bool(), supervise_branches=True)
    expected = loss(logits, targets) + sum(loss(branch, targets) for branch in branches)
    assert len(branches) == 3
    torch.testing.assert_close(both._loss_of(clips, targets, None)[0], expected)


@pytest.mark.parametrize("num_clips", [1, 4])
def test_a_training_batch_is_mixed_from_the_seed_of_its_step(
    monkeypatch: pytest.MonkeyPatch, num_clips: int
) -> None:
    torch.manual_seed(0)
    model = build_model(ModelConfig(width=4, input_size=14), 3, num_frames=4)
    clips = torch.randn(num_clips, 3, 4, 14, 14)
    targets = torch.eye(3)[[0, 1, 2, 0][:num_clips]]
    mixing = ClipMixing(mixup=1.0)
    module = ActionModule(
        model, BinaryCrossEntropy(), TrainingConfig(seed=5), targets.bool(), mixing=mixing
    )
    seen = []

    def loss_of(clips: torch.Tensor, targets: torch.Tensor, _: None) -> tuple[torch.Tensor, ...]:
        seen.append((clips, targets))
        return torch.zeros(()), targets

    monkeypatch.setattr(module, "_loss_of", loss_of)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module.on_train_epoch_start()
    batch = Batch(_channels_last(clips), targets, torch.arange(num_clips), ())
    for step in (0, 0, 1):
        module.training_step(batch, step)
    if num_clips == 1:  # a clip cannot be mixed with itself: it is doubled
        assert all(torch.equal(trained, clips.repeat(2, 1, 1, 1, 1)) for trained, _ in seen)
        return
    torch.manual_seed(hash((5, 0, 0, 0)))
    expected, soft = mixing(clips, targets)
    for trained, learned in seen[:2]:
        assert torch.equal(trained, expected)
        assert torch.equal(learned, soft)
        assert trained.is_contiguous(memory_format=torch.channels_last_3d)
    assert not torch.equal(seen[2][0], expected)


@pytest.mark.parametrize("task", ["single", "multi"])
def test_adaptive_mixing_follows_what_is_learned(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_model(ModelConfig(width=4, input_size=14), 3, num_frames=4)
    targets = torch.eye(3)[[0, 1, 2, 0]]
    module = ActionModule(
        model,
        BinaryCrossEntropy(),
        TrainingConfig(),
        targets.bool(),
        task=task,
        mixing=ClipMixing(mixup=1.0, adaptive=True),
    )
    known = 0
    mixed = []

    def loss_of(_: torch.Tensor, soft: torch.Tensor, __: None) -> tuple[torch.Tensor, ...]:
        mixed.append(not torch.equal(soft, targets))
        logits = torch.where(targets.bool(), 5.0, -5.0)
        logits[known:] = logits[known:].roll(1, dims=1)
        return torch.zeros(()), logits

    monkeypatch.setattr(module, "_loss_of", loss_of)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module.on_train_epoch_start()
    batch = Batch(torch.randn(4, 3, 4, 14, 14), targets, torch.arange(4), ())
    expected, shares = 0.0, []
    for known in (0, 2, 4):
        mixed.clear()
        for step in range(0, 2000, 10):  # a trainer looks at the loss after others
            module.training_step(batch, step)
            if not mixed[-1]:
                expected = 0.95 * expected + 0.05 * known / 4
            assert float(module._learned) == pytest.approx(expected, abs=1e-4)
        shares.append(sum(mixed[100:]) / 100)
    assert shares[0] == 0
    assert 0.35 < shares[1] < 0.65
    assert 0.7 < shares[2] <= 0.95  # some batches are always left as they are
