"""MViTv2-S: a transformer whose maps shrink stage by stage (thesis section 2.4.3).

Sources: Fan et al., Multiscale Vision Transformers, ICCV 2021; Li et al., MViTv2: Improved
Multiscale Vision Transformers for Classification and Detection, CVPR 2022.
"""

import math

import torch
from torch import nn
from torchvision.models.video.mvit import MSBlockConfig, MViT

from lilliput.errors import ConfigError

_STAGES = ((1, 96, 1), (2, 192, 2), (11, 384, 4), (2, 768, 8))  # blocks, channels, heads
_PATCH_STRIDE = 4  # px between patches, which are of 7 px and overlap


class Mvit(nn.Module):
    """torchvision's MViT with the settings of its ``mvit_v2_s``, for any size.

    ``net`` has torchvision's names, and at 224 px its shapes too; at other sizes the tables of
    relative positions (``rel_pos_h`` and ``rel_pos_w``) are shorter. The strides are not adapted:
    maps have a 4th, 8th, 16th and 32nd of the input's side, rounded up.

    Args:
        num_classes: Classes K.
        input_size: Side of the clips in px.
        num_frames: Frames T of a clip, even.
        dropout: Probability of dropping a feature of the class token; torchvision has 0.5.

    Shape:
        - Input: ``(N, 3, T, input_size, input_size)``
        - Output: ``(N, K)`` logits

    Raises:
        ConfigError: ``num_frames`` is odd.
    """

    def __init__(
        self, num_classes: int, *, input_size: int, num_frames: int = 16, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if num_frames % 2:
            raise ConfigError(f"MViT needs an even sampling.num_frames, not {num_frames}")
        self.net = MViT(
            spatial_size=(224, 224),
            temporal_size=num_frames,
            block_setting=_block_settings(),
            residual_pool=True,
            residual_with_cls_embed=False,
            rel_pos_embed=True,
            proj_after_attn=True,
            dropout=dropout,
            stochastic_depth_prob=0.2,
            num_classes=num_classes,
        )
        _fit_size(self.net, math.ceil(input_size / _PATCH_STRIDE))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        logits: torch.Tensor = self.net(clips)
        return logits


def _block_settings() -> list[MSBlockConfig]:
    """The first block of each stage widens, and but for the first stage halves H and W."""
    settings = []
    in_channels = _STAGES[0][1]
    for stage, (blocks, channels, heads) in enumerate(_STAGES):
        for block in range(blocks):
            halve = 2 if stage > 0 and block == 0 else 1
            keys = 8 >> stage  # so that most blocks attend to a map of a 32nd of the input
            settings.append(
                MSBlockConfig(
                    num_heads=heads,
                    input_channels=in_channels,
                    output_channels=channels,
                    kernel_q=[3, 3, 3],
                    kernel_kv=[3, 3, 3],
                    stride_q=[1, halve, halve],
                    stride_kv=[1, keys, keys],
                )
            )
            in_channels = channels
    return settings


def _fit_size(net: MViT, grid: int) -> None:
    """Makes a 224 px net one of ``grid`` x ``grid`` patches: its tables of relative positions.

    torchvision can be told the size, but rounds the maps' sides down where its convolutions
    round them up, and then has tables of the wrong length.
    """
    net.pos_encoding.spatial_size = (grid, grid)
    for block, setting in zip(net.blocks, _block_settings(), strict=True):
        queries = math.ceil(grid / setting.stride_q[1])
        keys = math.ceil(grid / setting.stride_kv[1])
        for name in ("rel_pos_h", "rel_pos_w"):
            table = getattr(block.attn, name)
            fitted = table.new_empty(2 * max(queries, keys) - 1, table.shape[1])
            setattr(block.attn, name, nn.Parameter(nn.init.trunc_normal_(fitted, std=0.02)))
        grid = queries
