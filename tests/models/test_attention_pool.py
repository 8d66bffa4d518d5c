"""Attention pooling against a naive loop and against torch's own multi-head attention."""

import math

import pytest
import torch

from lilliput.errors import ConfigError
from lilliput.models.attention_pool import AttentionPool3d, AveragePool3d


def _pool(channels: int = 16, heads: int = 4) -> AttentionPool3d:
    torch.manual_seed(0)
    return AttentionPool3d(channels, heads).double()


@torch.no_grad()
def test_equals_a_naive_loop() -> None:
    pool = _pool()
    features = torch.randn(2, 16, 2, 3, 3, dtype=torch.float64)
    width = 16 // pool.num_heads
    expected = torch.zeros(2, 16, dtype=torch.float64)
    for n in range(2):
        tokens = [features[n, :, t, h, w] for t in range(2) for h in range(3) for w in range(3)]
        projected = [
            pool.query_key_value.weight @ token + pool.query_key_value.bias for token in tokens
        ]
        outputs = []
        for row in projected:
            heads = []
            for head in range(pool.num_heads):
                part = slice(head * width, (head + 1) * width)
                query = row[:16][part]
                weights = [
                    math.exp(query @ key[16:32][part] / math.sqrt(width)) for key in projected
                ]
                total = sum(weights)
                heads.append(
                    sum(w / total * v[32:][part] for w, v in zip(weights, projected, strict=True))
                )
            outputs.append(pool.output.weight @ torch.cat(heads) + pool.output.bias)
        expected[n] = sum(outputs) / len(outputs)
    torch.testing.assert_close(pool(features), expected)


def test_equals_torchs_multi_head_attention_with_the_same_weights() -> None:
    pool = _pool()
    theirs = torch.nn.MultiheadAttention(16, pool.num_heads, batch_first=True).double()
    theirs.in_proj_weight.data = pool.query_key_value.weight.data
    theirs.in_proj_bias.data = pool.query_key_value.bias.data
    theirs.out_proj.load_state_dict(pool.output.state_dict())
    features = torch.randn(3, 16, 1, 7, 7, dtype=torch.float64)
    tokens = features.flatten(2).transpose(1, 2)
    torch.testing.assert_close(pool(features), theirs(tokens, tokens, tokens)[0].mean(dim=1))


def test_a_large_map_is_averaged_down_to_seven_by_seven_first() -> None:
    pool = _pool()
    features = torch.randn(2, 16, 2, 28, 28, dtype=torch.float64)
    small = features.unflatten(-1, (7, 4)).unflatten(-3, (7, 4)).mean(dim=(-1, -3))
    torch.testing.assert_close(pool(features), pool(small))


def test_channels_that_the_heads_cannot_share_are_refused() -> None:
    with pytest.raises(ConfigError, match="8 heads, and 12 cannot be divided"):
        AttentionPool3d(12)


def test_average_pool_is_torchs() -> None:
    features = torch.randn(2, 5, 2, 3, 4)
    expected = torch.nn.AdaptiveAvgPool3d(1)(features).flatten(1)
    torch.testing.assert_close(AveragePool3d()(features), expected)
