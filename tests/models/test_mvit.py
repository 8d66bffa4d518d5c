"""MViT against torchvision's mvit_v2_s, and its maps at sizes that do not divide."""

from unittest import mock

import pytest
import torch
from torch import nn
from torchvision.models.video import mvit, mvit_v2_s

from lilliput.errors import ConfigError
from lilliput.models.mvit import Mvit


def mvit_v2_s_of(size: int, num_frames: int) -> nn.Module:
    """torchvision's net for a size whose maps all divide, which torchvision does right itself."""

    def build(**settings: object) -> nn.Module:
        settings |= {"spatial_size": (size, size), "temporal_size": num_frames}
        return original(**settings)

    original = mvit.MViT
    with mock.patch.object(mvit, "MViT", build):
        return mvit_v2_s(num_classes=5)


def test_keys_and_shapes_are_torchvisions_at_224_px() -> None:
    with torch.device("meta"):
        ours = Mvit(400, input_size=224).net
        theirs = mvit_v2_s()
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == {
        name: tensor.shape for name, tensor in theirs.state_dict().items()
    }
    assert "StochasticDepth(p=0.2, mode=row)" in str(theirs)
    assert str(ours.blocks) == str(theirs.blocks)


def test_equals_torchvisions_net() -> None:
    torch.manual_seed(0)
    reference = mvit_v2_s_of(64, 4).eval().double()
    model = Mvit(5, input_size=64, num_frames=4, dropout=0.3).eval().double()
    model.net.load_state_dict(reference.state_dict())
    clips = torch.randn(2, 3, 4, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(model(clips), reference(clips))


@pytest.mark.parametrize(
    ("size", "sides"),
    [(224, (56, 28, 14, 7)), (112, (28, 14, 7, 4)), (28, (7, 4, 2, 1)), (14, (4, 2, 1, 1))],
)
def test_maps_have_a_4th_to_a_32nd_of_the_side(size: int, sides: tuple[int, ...]) -> None:
    seen = []
    with torch.device("meta"):
        model = Mvit(5, input_size=size)
        for block in model.net.blocks:
            block.register_forward_hook(lambda _m, _i, output: seen.append(output[1]))
        model(torch.empty(1, 3, 16, size, size))
    stages = [0] + [1] * 2 + [2] * 11 + [3] * 2
    assert seen == [(8, sides[stage], sides[stage]) for stage in stages]


@pytest.mark.parametrize("size", [28, 112])
def test_every_relative_position_has_its_own_entry(size: int) -> None:
    """A table reaches from minus to plus the longer of the queries' and the keys' sides."""
    with torch.device("meta"):
        model = Mvit(5, input_size=size)
        for block in model.net.blocks:
            block.attn.register_forward_pre_hook(_check_tables)
        model(torch.empty(1, 3, 16, size, size))


def _check_tables(attention: nn.Module, inputs: tuple[torch.Tensor, tuple[int, int, int]]) -> None:
    tokens, thw = inputs
    features = torch.empty(1, 1, tokens.shape[1], attention.head_dim)
    queries = attention.pool_q(features, thw)[1]
    keys = attention.pool_k(features, thw)[1]
    tables = (attention.rel_pos_t, attention.rel_pos_h, attention.rel_pos_w)
    for query, key, table in zip(queries, keys, tables, strict=True):
        assert len(table) == 2 * max(query, key) - 1


def test_odd_numbers_of_frames_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"sampling\.num_frames"):
        Mvit(5, input_size=28, num_frames=7)
