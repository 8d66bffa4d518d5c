"""The pyramid against torchvision's 2-D feature pyramid network."""

from collections import OrderedDict

import pytest
import torch
from torchvision.ops import FeaturePyramidNetwork

from lilliput.models.fpn import FeaturePyramid, Fpn
from lilliput.models.heads import LinearHead

IN_CHANNELS = (4, 6, 8, 10)


def test_on_single_frames_it_is_torchvisions_pyramid() -> None:
    torch.manual_seed(0)
    theirs = FeaturePyramidNetwork(list(IN_CHANNELS), 5).double()
    ours = FeaturePyramid(IN_CHANNELS, 5).double().eval()
    with torch.no_grad():
        for level in range(4):
            inner, layer = theirs.inner_blocks[level][0], theirs.layer_blocks[level][0]
            ours.laterals[level].weight.copy_(inner.weight[:, :, None])
            ours.laterals[level].bias.copy_(inner.bias)
            smooth, norm, _ = ours.smoothing[level]
            smooth.weight.zero_()
            smooth.weight[:, :, 1].copy_(layer.weight)
            norm.eps = 0.0  # so that batch normalisation only adds the bias torchvision has
            norm.bias.copy_(layer.bias)
        maps = [
            torch.randn(2, channels, side, side, dtype=torch.float64)
            for channels, side in zip(IN_CHANNELS, (28, 14, 7, 4), strict=True)
        ]
        expected = theirs(OrderedDict((str(i), m) for i, m in enumerate(maps)))
        levels = ours([m[:, :, None] for m in maps])
    for level, name in zip(levels, expected, strict=True):
        torch.testing.assert_close(level[:, :, 0], expected[name].relu())


class _Stages(torch.nn.Module):
    """Stands for a backbone: maps of sizes that do not divide."""

    out_channels = IN_CHANNELS

    def forward(self, clips: torch.Tensor) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        sides, frames = (9, 5, 3, 2), (8, 4, 2, 1)
        return [
            clips.mean() + torch.randn(len(clips), c, t, s, s, generator=generator)
            for c, t, s in zip(IN_CHANNELS, frames, sides, strict=True)
        ]


@pytest.mark.parametrize("merge", ["sum", "mean", "max"])
def test_levels_are_combined_as_asked(merge: str) -> None:
    torch.manual_seed(0)
    heads = [LinearHead(5, 3) for _ in range(4)]
    model = Fpn(_Stages(), heads, channels=5, merge=merge).eval()
    clips = torch.randn(2, 3, 16, 4, 4)
    levels = model.pyramid(_Stages()(clips))
    assert [level.shape[2:] for level in levels] == [(8, 9, 9), (4, 5, 5), (2, 3, 3), (1, 2, 2)]
    by_level = torch.stack(
        [h.fc(p.mean(dim=(2, 3, 4))) for h, p in zip(heads, levels, strict=True)]
    )
    expected = {
        "sum": by_level.sum(dim=0),
        "mean": by_level.mean(dim=0),
        "max": by_level.max(dim=0).values,
    }
    torch.testing.assert_close(model(clips), expected[merge])
    torch.testing.assert_close(model.forward_branches(clips)[1], by_level)


def test_top_down_carries_meaning_to_every_lower_level_and_none_upwards() -> None:
    torch.manual_seed(0)
    pyramid = FeaturePyramid(IN_CHANNELS, 5).eval()
    stages = _Stages()(torch.zeros(1, 3, 16, 4, 4))
    before = pyramid(stages)
    for changed in range(4):
        other = [stage + (10 if level == changed else 0) for level, stage in enumerate(stages)]
        after = pyramid(other)
        differs = [not torch.equal(a, b) for a, b in zip(after, before, strict=True)]
        assert differs == [level <= changed for level in range(4)]
