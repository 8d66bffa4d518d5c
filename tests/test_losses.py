"""Losses against their formulas."""

import torch

from lilliput.losses import BinaryCrossEntropy, positive_weights


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
