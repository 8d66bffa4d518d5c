"""The filter bank against a naive loop."""

import torch

from lilliput.models.filter_bank import FilterBank, FilterBankHead, LocalBranch


def test_bank_equals_a_naive_loop() -> None:
    torch.manual_seed(0)
    classes, per_class = 3, 4
    bank = FilterBank(5, classes, per_class).double()
    features = torch.randn(2, 5, 2, 3, 3, dtype=torch.float64)
    weight, bias = bank.filters.weight[:, :, 0, 0, 0], bank.filters.bias
    linear = torch.zeros(2, classes, dtype=torch.float64)
    averages = torch.zeros(2, classes, dtype=torch.float64)
    for n in range(2):
        highest = []
        for number in range(classes * per_class):
            responses = [
                weight[number] @ features[n, :, t, h, w] + bias[number]
                for t in range(2)
                for h in range(3)
                for w in range(3)
            ]
            highest.append(max(responses))
        for k in range(classes):
            own = highest[k * per_class : (k + 1) * per_class]
            averages[n, k] = sum(own) / per_class
            linear[n, k] = bank.fc.bias[k] + sum(
                bank.fc.weight[k, number] * value for number, value in enumerate(highest)
            )
    torch.testing.assert_close(bank(features), torch.stack([linear, averages]))


def test_local_branch_doubles_the_map_in_space_only() -> None:
    branch = LocalBranch(6).eval()
    with torch.no_grad():
        assert branch(torch.randn(2, 6, 3, 7, 7)).shape == (2, 6, 3, 14, 14)


def test_head_is_the_global_branch_beside_a_bank_on_stage_three() -> None:
    torch.manual_seed(0)
    head = FilterBankHead(8, 3, local_channels=4, filters_per_class=2).eval()
    c4, c5 = torch.randn(2, 4, 2, 6, 6), torch.randn(2, 8, 1, 3, 3)
    with torch.no_grad():
        branches = head([c4, c5])
        changed = head([c4 + 1, c5])
        expected = head.global_branch.fc(c5.mean(dim=(2, 3, 4)))
    assert branches.shape == (3, 2, 3)
    torch.testing.assert_close(branches[0], expected)
    torch.testing.assert_close(changed[0], branches[0])  # the global branch sees the last map
    assert not torch.allclose(changed[1:], branches[1:])  # the bank sees the one before


def test_on_a_pyramid_the_bank_reads_the_levels_own_map() -> None:
    torch.manual_seed(0)
    head = FilterBankHead(8, 3, filters_per_class=2)
    level = torch.randn(2, 8, 2, 5, 5)
    torch.testing.assert_close(head([level])[1:], head.bank(level))
