"""Mixed clips and targets against the formulas of MixUp and CutMix."""

import pytest
import torch

from lilliput.video.mixing import ClipMixing

N, T, H, W = 5, 4, 8, 6
ONE_LABEL = torch.eye(3)[[0, 2, 1, 1, 2]]
SEVERAL_LABELS = torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1]])


def clips_of(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N, 3, T, H, W, generator=generator)


def share_of_itself(mixed: torch.Tensor, targets: torch.Tensor) -> float:
    """What is left of the first clip's own targets, which differ from its neighbour's."""
    other = targets.roll(1, 0)
    place = (targets[0] != other[0]).nonzero()[0, 0]
    difference = targets[0, place] - other[0, place]
    return float((mixed[0, place] - other[0, place]) / difference)


@pytest.mark.parametrize("targets", [ONE_LABEL, SEVERAL_LABELS])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_adds_neighbours_up(alpha: float, targets: torch.Tensor) -> None:
    clips = clips_of(0).contiguous(memory_format=torch.channels_last_3d)
    before = clips.clone()
    torch.manual_seed(0)
    mixed, soft = ClipMixing(mixup=alpha)(clips, targets)
    share = share_of_itself(soft, targets)
    assert 0 < share < 1
    torch.testing.assert_close(soft, share * targets + (1 - share) * targets.roll(1, 0))
    torch.testing.assert_close(mixed, share * clips + (1 - share) * clips.roll(1, 0))
    assert type(mixed) is type(soft) is torch.Tensor
    assert torch.equal(clips, before)


def test_cutmix_pastes_one_rectangle_into_all_frames() -> None:
    clips = clips_of(0)
    for seed in range(20):
        torch.manual_seed(seed)
        mixed, soft = ClipMixing(cutmix=1.0)(clips, SEVERAL_LABELS)
        own, other = mixed == clips, mixed == clips.roll(1, 0)
        assert (own ^ other).all()
        pasted = other[0, 0, 0]
        assert (other == pasted).all()
        rows, columns = pasted.any(dim=1).nonzero(), pasted.any(dim=0).nonzero()
        if len(rows):
            top, left = int(rows[0, 0]), int(columns[0, 0])
            assert pasted[top : rows[-1] + 1, left : columns[-1] + 1].all()
        share = 1 - pasted.float().mean()
        expected = share * SEVERAL_LABELS + (1 - share) * SEVERAL_LABELS.roll(1, 0)
        torch.testing.assert_close(soft, expected)


def test_weights_are_drawn_from_a_beta_distribution() -> None:
    mix = ClipMixing(mixup=0.4)
    torch.manual_seed(0)
    clips = torch.zeros(N, 1, 1, 1, 1)
    shares = torch.tensor(
        [share_of_itself(mix(clips, ONE_LABEL)[1], ONE_LABEL) for _ in range(2000)]
    )
    # Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)).
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(shares.var()) == pytest.approx(1 / (4 * 1.8), rel=0.05)


def test_of_both_each_batch_takes_one_and_a_seed_repeats_it() -> None:
    mix, clips = ClipMixing(mixup=1.0, cutmix=1.0), clips_of(0)
    cut = 0
    for seed in range(60):
        torch.manual_seed(seed)
        mixed, _ = mix(clips, ONE_LABEL)
        cut += bool(((mixed == clips) | (mixed == clips.roll(1, 0))).all())
        torch.manual_seed(seed)
        assert torch.equal(mix(clips, ONE_LABEL)[0], mixed)
    assert 15 < cut < 45
