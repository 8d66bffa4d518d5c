"""A plain vision transformer on space-time patches (thesis section 2.1.3, figure 2.8).

Sources: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021; the tubelets are those of
Arnab et al., ViViT: A Video Vision Transformer, ICCV 2021 (its model 1); the convolutional stem is
that of Xiao et al., Early Convolutions Help Transformers See Better, NeurIPS 2021.
"""

from typing import Literal

import torch
from torch import nn
from torchvision.models.vision_transformer import Encoder

from lilliput.errors import ConfigError

_FRAMES = 2  # of a tubelet
_GRID = 14  # tubelets along a side, as for 16 px patches of 224 px
_LAYERS = 12
_HEADS = 6

Stem = Literal["linear", "conv"]


def patch_size(input_size: int) -> int:
    """Side of a tubelet in px: a 14th of the clip's, at least 2."""
    return max(input_size // _GRID, 2)


class VideoVit(nn.Module):
    """Tubelets to tokens, learned positions, twelve layers, one token, one linear layer.

    The last layer reads the mean of the tokens, or, as section 2.1.3 has it, a learned class token
    in front of them. The convolutional stem takes the place of one of the twelve layers.

    A tubelet is two frames long. Its side follows the input size, so that small clips are not
    left with a handful of tokens: 8 x 14 x 14 of them for 16 frames from 28 px on, 8 x 7 x 7 for
    14 px. With width 64 this is ViT-S.

    Args:
        num_classes: Classes K.
        input_size: Side of the clips in px.
        num_frames: Frames T of a clip, even.
        width: Channels of each of the six attention heads.
        class_token: Classify a class token instead of the mean token.
        stem: Tubelets to tokens by one linear map, or by 3x3x3 convolutions of stride 2.
        dropout: Probability of dropping a feature of the token that is classified.

    Shape:
        - Input: ``(N, 3, T, input_size, input_size)``
        - Output: ``(N, K)`` logits

    Raises:
        ConfigError: Tubelets do not divide the clip.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        input_size: int,
        num_frames: int = 16,
        width: int = 64,
        class_token: bool = False,
        stem: Stem = "linear",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        patch = patch_size(input_size)
        if num_frames % _FRAMES or input_size % patch:
            raise ConfigError(
                f"the video transformer cuts clips into tubelets of {_FRAMES} x {patch} x {patch}; "
                f"sampling.num_frames = {num_frames} and model.input_size = {input_size} must "
                "divide by them"
            )
        channels = _HEADS * width
        tubelet = (_FRAMES, patch, patch)
        self.conv_proj = (
            _convolutions(channels, patch)
            if stem == "conv"
            else nn.Conv3d(3, channels, kernel_size=tubelet, stride=tubelet)
        )
        self.class_token = nn.Parameter(torch.zeros(1, 1, channels)) if class_token else None
        num_tokens = num_frames // _FRAMES * (input_size // patch) ** 2
        self.encoder = Encoder(
            seq_length=num_tokens + class_token,
            num_layers=_LAYERS - 1 if stem == "conv" else _LAYERS,
            num_heads=_HEADS,
            hidden_dim=channels,
            mlp_dim=4 * channels,
            dropout=0.0,
            attention_dropout=0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        tokens = self.conv_proj(clips).flatten(2).transpose(1, 2)  # (N, L, C)
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        tokens = self.encoder(tokens)
        token = tokens.mean(dim=1) if self.class_token is None else tokens[:, 0]
        logits: torch.Tensor = self.fc(self.dropout(token))
        return logits


def _convolutions(channels: int, patch: int) -> nn.Sequential:
    """Halves space until a tubelet is one position, and time at the end; then 1x1x1."""
    layers: list[nn.Module] = []
    in_channels, halvings = 3, patch.bit_length() - 1
    for number in range(halvings - 1, -1, -1):
        stride = (1 if number else _FRAMES, 2, 2)
        inner = channels // 2**number
        layers += [
            nn.Conv3d(in_channels, inner, 3, stride, padding=1, bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(inplace=True),
        ]
        in_channels = inner
    return nn.Sequential(*layers, nn.Conv3d(in_channels, channels, 1))
