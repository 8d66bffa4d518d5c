"""A pyramid of images: every scale through the same network (thesis section 2.4.2, figure 2.10).

Source: Adelson et al., Pyramid Methods in Image Processing, RCA Engineer 1984.
"""

from collections.abc import Sequence

import torch
from torch import nn

from lilliput.models.fpn import Merge, merge_levels
from lilliput.models.resize import resize_to


class ImagePyramid(nn.Module):
    """A clip at several sizes through one backbone and one head; the scales' logits combined.

    There are as many weights as for one size; the cost is that of all sizes together.

    Args:
        backbone: From clips to what the head reads.
        head: From these to ``(B, N, K)``, the logits of B classifiers.
        input_sizes: Square sizes in px, growing; clips are resized to each.
        merge: How the scales' logits are combined.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        *,
        input_sizes: Sequence[int],
        merge: Merge = "sum",
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.input_sizes = tuple(input_sizes)
        self.merge = merge

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips."""
        return self.forward_branches(clips)[0]

    def forward_branches(self, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (N, K), and those of every classifier at every scale (B, N, K)."""
        branches = [
            self.head(self.backbone(resize_to(clips, (size, size)))) for size in self.input_sizes
        ]
        return merge_levels(branches, self.merge), torch.cat(branches)
