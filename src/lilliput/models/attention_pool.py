"""Attention pooling (thesis section 3.9).

Source: Vaswani et al., Attention Is All You Need, NeurIPS 2017.
"""

import torch
from torch import nn

from lilliput.errors import ConfigError
from lilliput.models.resize import resize_to

MAX_SIDE = 7  # positions along H and W; a large map would have too many pairs of positions


class AttentionPool3d(nn.Module):
    """Averages a feature map after self-attention over its positions.

    Replaces global average pooling. A map of more than 7 x 7 positions is averaged down to that
    first: the lowest level of a pyramid alone has 25,088 positions otherwise.

    Args:
        channels: Width C, divisible by ``num_heads``.
        num_heads: Attention heads.

    Shape:
        - Input: ``(N, C, T, H, W)``
        - Output: ``(N, C)``
    """

    def __init__(self, channels: int, num_heads: int = 8) -> None:
        super().__init__()
        if channels % num_heads:
            raise ConfigError(
                f"attention pooling divides its channels among {num_heads} heads, and {channels} "
                "cannot be divided; use another model.width or model.fpn_channels"
            )
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Attends, then averages."""
        height, width = features.shape[-2:]
        features = resize_to(features, (min(height, MAX_SIDE), min(width, MAX_SIDE)))
        tokens = features.flatten(2).transpose(1, 2)  # (N, L, C), L = T * H * W
        query, key, value = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (N, heads, L, C / heads)
            for part in self.query_key_value(tokens).chunk(3, dim=-1)
        )
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        output: torch.Tensor = self.output(attended.transpose(1, 2).flatten(2))  # (N, L, C)
        return output.mean(dim=1)


class AveragePool3d(nn.Module):
    """Global average pooling: ``(N, C, T, H, W)`` to ``(N, C)``."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Averages over time and space."""
        return features.mean(dim=(-3, -2, -1))
