"""Clips of a batch mixed with one another, and their targets with them."""

import torch
from torchvision.transforms import v2
from torchvision.tv_tensors import Video

_MOST_MIXED = 0.9  # the other batches show what has been learned


class ClipMixing:
    """Mixes each clip with the one before it, over all frames alike.

    MixUp adds them up, with a weight drawn from Beta(alpha, alpha). CutMix pastes a rectangle
    whose share of the picture is drawn so. The targets are added up with the same weight. Where
    both are asked for, each batch takes one of them, by chance. Draws come from torch's generator.

    Sources: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018; Yun et al.,
    CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
    ICCV 2019.

    Args:
        mixup: alpha of MixUp; 0 for none.
        cutmix: alpha of CutMix; 0 for none.
        adaptive: Mix a batch with the probability with which training clips are labeled right:
            hardly at first, often when the network knows them by heart.

    Shape:
        - Input: clips ``(N, 3, T, H, W)``, targets ``(N, K)``
        - Output: the same
    """

    def __init__(self, *, mixup: float = 0.0, cutmix: float = 0.0, adaptive: bool = False) -> None:
        self.adaptive = adaptive
        transforms: list[v2.Transform] = []
        if mixup:
            transforms.append(v2.MixUp(alpha=mixup))
        if cutmix:
            transforms.append(v2.CutMix(alpha=cutmix))
        self._mix = transforms[0] if len(transforms) == 1 else v2.RandomChoice(transforms)

    def draw(self, learned: float) -> bool:
        """Whether the next batch is mixed.

        Args:
            learned: The share of training clips that are labeled right.
        """
        return not self.adaptive or float(torch.rand(())) < min(learned, _MOST_MIXED)

    def __call__(
        self, clips: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mixes a batch."""
        # torchvision takes five dimensions of videos only, and looks at the first and last two.
        mixed, targets = self._mix(Video(clips), targets)
        return mixed.as_subclass(torch.Tensor), targets
