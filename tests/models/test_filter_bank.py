"""The filter bank against a naive loop, its local branch against its parts."""

import torch
from torch.nn import functional as F

from lilliput.builders import build_model
from lilliput.config import ModelConfig
from lilliput.models.filter_bank import (
    FilterBank,
    FilterBankHead,
    LocalConvolution,
    LocalStage,
)


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


def test_the_convolution_doubles_the_map_in_space_only() -> None:
    branch = LocalConvolution(6).eval()
    with torch.no_grad():
        assert branch(torch.randn(2, 6, 3, 7, 7)).shape == (2, 6, 3, 14, 14)


def test_head_is_the_global_branch_beside_a_bank_on_stage_three() -> None:
    torch.manual_seed(0)
    branch = LocalConvolution(4)
    head = FilterBankHead(8, 3, local_branch=branch, filters_per_class=2).eval()
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


def _with_stage(**settings: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = ModelConfig(
        width=4, input_size=56, adapted=True, classifier="filter_bank", local_branch="stage",
        **settings,
    )  # fmt: skip
    return build_model(config, 3, num_frames=16).eval()


def test_the_local_branch_is_a_copy_of_stage_four_on_stage_three_enlarged() -> None:
    for depth in (18, 50):
        model = _with_stage(depth=depth).double()
        backbone, head = model.backbone, model.head
        assert isinstance(head.local_branch, LocalStage)
        for ours, theirs in zip(
            head.local_branch.stage.parameters(), backbone.layer4.parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)
            assert ours is not theirs  # each learns its own
        with torch.no_grad():
            *_, c4, c5 = backbone(torch.randn(1, 3, 16, 56, 56, dtype=torch.float64))
            local = head.local_branch(c4)
            # Bilinear in each frame by itself: time is not mixed.
            frames = c4.transpose(1, 2).flatten(0, 1)
            enlarged = F.interpolate(frames, scale_factor=2, mode="bilinear")
            enlarged = enlarged.unflatten(0, c4.shape[:3:2]).transpose(1, 2)
            torch.testing.assert_close(local, backbone.layer4(enlarged))
            torch.testing.assert_close(head([c4, c5])[1:], head.bank(local))
        assert local.shape == (1, c5.shape[1], 1, 14, 14)
        assert c5.shape[2:] == (1, 7, 7)


def test_the_prediction_is_the_sum_of_the_three_classifiers() -> None:
    model, clips = _with_stage(), torch.randn(2, 3, 16, 56, 56)
    with torch.no_grad():
        logits, branches = model.forward_branches(clips)
        torch.testing.assert_close(logits, branches[0] + branches[1] + branches[2])


def test_a_recipe_without_the_setting_is_that_of_before() -> None:
    settings = {"width": 4, "input_size": 14, "classifier": "filter_bank"}
    model = build_model(ModelConfig.model_validate(settings), 3)
    assert isinstance(model.head.local_branch, LocalConvolution)
    names = {name for name in model.state_dict() if name.startswith("head.local_branch.")}
    assert names >= {"head.local_branch.conv.weight", "head.local_branch.bn.running_mean"}
