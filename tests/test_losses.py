"""Losses against their formulas."""

import math

import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from lilliput.losses import (
    AsymmetricLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    FocalLoss,
    LogitAdjustment,
    class_balanced_weights,
    log_priors,
    positive_weights,
)
from lilliput.task import Task


def test_bce_is_the_formula_of_section_3_11_1() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, 2, (6, 4), generator=generator).double()
    p = 1 / (1 + torch.exp(-logits))
    expected = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    torch.testing.assert_close(BinaryCrossEntropy()(logits, targets), expected)


def test_positive_weights_scale_the_positive_term_only() -> None:
    logits = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    targets = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    p = logits.sigmoid()
    weights = torch.tensor([5.0, 7.0], dtype=torch.float64)
    expected = (-5 * p[0, 0].log() - (1 - p[0, 1]).log()) / 2
    torch.testing.assert_close(BinaryCrossEntropy(weights)(logits, targets), expected)


def test_weights_are_negatives_per_positive_within_the_limit() -> None:
    targets = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]])
    weights = positive_weights(targets, limit=3.5)
    torch.testing.assert_close(weights, torch.tensor([1 / 3, 3.0, 3.5]))


def _logits_and_targets() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(6, 4, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 2, (6, 4), generator=generator).double()


def _asymmetric_by_hand(z: float, y: float, pos: float, neg: float, margin: float) -> float:
    p = 1 / (1 + math.exp(-z))
    if y == 1:
        return -((1 - p) ** pos) * math.log(p)
    shifted = max(p - margin, 0)
    return -(shifted**neg) * math.log(1 - shifted)


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.4])
@pytest.mark.parametrize(("pos", "neg"), [(1.0, 4.0), (0.0, 2.0), (2.5, 0.5)])
def test_asymmetric_loss_is_the_papers_formula(margin: float, pos: float, neg: float) -> None:
    logits, targets = _logits_and_targets()
    terms = [
        _asymmetric_by_hand(z, y, pos, neg, margin)
        for z, y in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True)
    ]
    for focus_gradient in (True, False):  # the value does not depend on it
        loss = AsymmetricLoss(
            gamma_pos=pos, gamma_neg=neg, margin=margin, focus_gradient=focus_gradient
        )
        assert loss(logits, targets).item() == pytest.approx(sum(terms) / len(terms), rel=1e-6)
    loss = AsymmetricLoss(gamma_pos=pos, gamma_neg=neg, margin=margin, reduction="sum")
    assert loss(logits, targets).item() == pytest.approx(sum(terms), rel=1e-6)


def test_asymmetric_loss_without_focus_and_margin_is_cross_entropy() -> None:
    logits, targets = _logits_and_targets()
    logits.requires_grad_()
    gradients = []
    for loss in (AsymmetricLoss(gamma_pos=0, gamma_neg=0, margin=0), BinaryCrossEntropy()):
        value = loss(logits, targets)
        gradients.append((value, *torch.autograd.grad(value, logits)))
    torch.testing.assert_close(*gradients)


def test_focusing_weight_has_no_gradient_unless_asked_for() -> None:
    logits, targets = torch.tensor([[0.7]], dtype=torch.float64), torch.zeros(1, 1).double()
    logits.requires_grad_()
    p = torch.sigmoid(logits.detach()).item()
    m, slope = p - 0.05, p * (1 - p)  # dp_m / dz
    detached = m**4 / (1 - m) * slope
    whole = detached - 4 * m**3 * math.log(1 - m) * slope
    for focus_gradient, expected in ((False, detached), (True, whole)):
        loss = AsymmetricLoss(focus_gradient=focus_gradient)(logits, targets)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert gradient.item() == pytest.approx(expected, rel=1e-6)


def test_an_easy_negative_counts_nothing_and_extreme_logits_stay_finite() -> None:
    easy, extreme = torch.tensor([[-4.0]]), torch.tensor([[80.0, -80.0, 1e4, -1e4]])
    assert AsymmetricLoss()(easy, torch.zeros(1, 1)) == 0
    for targets in (torch.zeros(1, 4), torch.ones(1, 4)):
        extreme = extreme.detach().requires_grad_()
        loss = AsymmetricLoss(focus_gradient=True)(extreme, targets)
        (gradient,) = torch.autograd.grad(loss, extreme)
        assert torch.isfinite(loss)
        assert torch.isfinite(gradient).all()


def test_cross_entropy_can_be_summed() -> None:
    logits, targets = _logits_and_targets()
    mean, total = (BinaryCrossEntropy(reduction=how)(logits, targets) for how in ("mean", "sum"))
    torch.testing.assert_close(total, 24 * mean)


def _logits_and_probabilities() -> tuple[torch.Tensor, torch.Tensor]:
    logits, _ = _logits_and_targets()
    generator = torch.Generator().manual_seed(1)
    return logits, torch.rand(6, 4, generator=generator).double().softmax(dim=1)


WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 0.5], dtype=torch.float64)


def test_smoothed_bce_is_the_formula_in_training_and_plain_in_validation() -> None:
    logits, targets = _logits_and_targets()
    loss = BinaryCrossEntropy(class_weights=WEIGHTS, label_smoothing=0.2)
    smooth, p = targets * 0.8 + 0.1, logits.sigmoid()
    for kind, training in ((smooth, True), (targets, False)):
        expected = -(WEIGHTS * (kind * p.log() + (1 - kind) * (1 - p).log())).mean()
        torch.testing.assert_close(loss.train(training)(logits, targets), expected)


def test_cross_entropy_of_probabilities_is_the_formula() -> None:
    logits, targets = _logits_and_probabilities()
    terms = -WEIGHTS * (targets * 0.9 + 0.1 / 4) * logits.softmax(dim=1).log()
    loss = CrossEntropy(class_weights=WEIGHTS, label_smoothing=0.1)
    torch.testing.assert_close(loss(logits, targets), terms.sum() / 6)
    total = CrossEntropy(class_weights=WEIGHTS, label_smoothing=0.1, reduction="sum")
    torch.testing.assert_close(total(logits, targets), terms.sum())
    plain = -(targets * logits.softmax(dim=1).log()).sum() / 6
    torch.testing.assert_close(CrossEntropy(label_smoothing=0.1).eval()(logits, targets), plain)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_several_labels_is_torchvisions(gamma: float) -> None:
    for logits, targets in (_logits_and_targets(), _logits_and_probabilities()):
        terms = sigmoid_focal_loss(logits, targets, alpha=-1, gamma=gamma)
        torch.testing.assert_close(FocalLoss("multi", gamma=gamma)(logits, targets), terms.mean())
        total = FocalLoss("multi", gamma=gamma, class_weights=WEIGHTS, reduction="sum")
        torch.testing.assert_close(total(logits, targets), (terms * WEIGHTS).sum())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_one_label_is_the_papers_formula(gamma: float) -> None:
    logits, probabilities = _logits_and_probabilities()
    labels = torch.tensor([0, 3, 1, 1, 2, 0])
    one_hot = torch.eye(4, dtype=torch.float64)[labels]
    p = logits.softmax(dim=1)
    for targets in (one_hot, probabilities):
        terms = -targets * WEIGHTS * (1 - p) ** gamma * p.log()
        loss = FocalLoss("single", gamma=gamma, class_weights=WEIGHTS)
        torch.testing.assert_close(loss(logits, targets), terms.sum() / 6)
    if gamma == 0:
        expected = torch.nn.functional.cross_entropy(logits, labels)
        torch.testing.assert_close(FocalLoss("single", gamma=0)(logits, one_hot), expected)


def test_focal_loss_has_finite_gradients_where_it_is_certain() -> None:
    for task in ("single", "multi"):
        logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
        for targets in (torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])):
            (gradient,) = torch.autograd.grad(FocalLoss(task, gamma=0.5)(logits, targets), logits)
            assert torch.isfinite(gradient).all()


def test_class_balanced_weights_by_hand() -> None:
    targets = torch.zeros(12, 3)
    targets[:10, 0] = 1
    targets[:2, 1] = 1  # and none of the third, which counts as one
    raw = [0.1 / (1 - 0.9**10), 0.1 / (1 - 0.9**2), 1.0]
    expected = torch.tensor(raw) * 3 / sum(raw)
    torch.testing.assert_close(class_balanced_weights(targets, 0.9), expected)
    torch.testing.assert_close(class_balanced_weights(targets, 0.0), torch.ones(3))


def test_log_priors_by_hand() -> None:
    targets = torch.zeros(8, 3)
    targets[:2, 0] = 1
    targets[2:, 1] = 1  # and none of the third, which counts as half a clip of eight
    odds = torch.tensor([2 / 6, 6 / 2, 0.5 / 7.5])
    torch.testing.assert_close(log_priors(targets, "multi"), odds.log())
    shares = torch.tensor([2 / 8, 6 / 8, 0.5 / 8])
    torch.testing.assert_close(log_priors(targets, "single"), shares.log())


@pytest.mark.parametrize("task", ["single", "multi"])
def test_adjusted_logits_forget_how_frequent_classes_are(task: Task) -> None:
    """Without anything to see, the best logits are all the same."""
    targets = torch.eye(3)[[0] * 12 + [1] * 5 + [2] * 3]
    plain = CrossEntropy() if task == "single" else BinaryCrossEntropy()
    loss = LogitAdjustment(plain, log_priors(targets, task))
    logits = torch.zeros(3, requires_grad=True)
    loss(logits.expand(20, 3), targets).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros(3), atol=1e-6, rtol=0)
