"""A plain vision transformer on space-time patches (thesis section 2.1.3, figure 2.8).

Sources: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021; the tubelets are those of
Arnab et al., ViViT: A Video Vision Transformer, ICCV 2021 (its model 1).
"""

import torch
from torch import nn
from torchvision.models.vision_transformer import Encoder

from lilliput.errors import ConfigError

_FRAMES = 2  # of a tubelet
_GRID = 14  # tubelets along a side, as for 16 px patches of 224 px
_LAYERS = 12
_HEADS = 6


def patch_size(input_size: int) -> int:
    """Side of a tubelet in px: a 14th of the clip's, at least 2."""
    return max(input_size // _GRID, 2)


class VideoVit(nn.Module):
    """Tubelets to tokens, learned positions, twelve layers, the mean token, one linear layer.

    A tubelet is two frames long. Its side follows the input size, so that small clips are not
    left with a handful of tokens: 8 x 14 x 14 of them for 16 frames from 28 px on, 8 x 7 x 7 for
    14 px. With width 64 this is ViT-S.

    Args:
        num_classes: Classes K.
        input_size: Side of the clips in px.
        num_frames: Frames T of a clip, even.
        width: Channels of each of the six attention heads.
        dropout: Probability of dropping a feature of the mean token.

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
        self.conv_proj = nn.Conv3d(3, channels, kernel_size=tubelet, stride=tubelet)
        self.encoder = Encoder(
            seq_length=num_frames // _FRAMES * (input_size // patch) ** 2,
            num_layers=_LAYERS,
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
        tokens = self.encoder(tokens)
        logits: torch.Tensor = self.fc(self.dropout(tokens.mean(dim=1)))
        return logits
