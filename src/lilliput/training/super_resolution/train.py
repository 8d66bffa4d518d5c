"""From clips to a front end that enlarges them better than interpolation does."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from lilliput.builders import FRONT_ENDS
from lilliput.scoring.pictures import clip_psnr, clip_ssim
from lilliput.training.super_resolution.losses import AdversarialLoss, enlarge_and_compare
from lilliput.training.super_resolution.patches import Patches
from lilliput.video.degradation import Degradation

REFERENCES = ("bicubic", "lanczos", "registered")  # which every trained one is compared with
_BATCH = 8  # held-out clips at a time


@dataclass(frozen=True)
class SuperResolutionSettings:
    """How a front end is trained.

    Attributes:
        steps: Of the optimizer.
        batch_size: Clips in each.
        learning_rate: The highest; it falls to zero along half a cosine.
        adversarial: Weight of the discriminator; 0: without one, and without ping-pong loss.
        seed: Of all draws.
    """

    steps: int = 2000
    batch_size: int = 8
    learning_rate: float = 1e-3
    adversarial: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class PictureScores:
    """How near large clips are to the true ones, averaged over clips.

    Attributes:
        psnr: In dB.
        ssim: At most 1.
    """

    psnr: float
    ssim: float


def train_front_end(
    enlarge: nn.Module,
    patches: Patches,
    degradation: Degradation,
    settings: SuperResolutionSettings,
    advance: Callable[[float], None] = lambda _: None,
) -> None:
    """Trains a front end in place.

    Args:
        enlarge: A learned one.
        patches: The true pictures.
        degradation: What makes them small.
        settings: How.
        advance: Given the loss of each step.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    enlarge.to(device).train()
    rng = np.random.default_rng(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    rate = settings.learning_rate
    optimizer = torch.optim.AdamW(enlarge.parameters(), rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: (1 + math.cos(math.pi * step / settings.steps)) / 2
    )
    adversary = None
    if settings.adversarial:
        adversary = AdversarialLoss(degradation.scale, settings.adversarial, rate / 5, device)
    for _ in range(settings.steps):
        true = patches.draw(settings.batch_size, rng).to(device)
        small = degradation(true, generator)
        if adversary is None:
            _, loss = enlarge_and_compare(enlarge, small, true)
        else:
            loss = adversary.step(enlarge, small, true)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(enlarge.parameters(), 1.0)  # flow now and then leaps
        optimizer.step()
        schedule.step()
        advance(float(loss.detach()))
    enlarge.eval()


@torch.inference_mode()
def compare_front_ends(
    enlarge: nn.Module, name: str, patches: Patches, degradation: Degradation, seed: int = 0
) -> Mapping[str, PictureScores]:
    """PSNR and SSIM of a front end, and of those that learn nothing, on the same small clips.

    Args:
        enlarge: A trained front end.
        name: Its name.
        patches: The true pictures: the middle of each clip is taken.
        degradation: What makes them small.
        seed: Of its draws.
    """
    device = next(enlarge.parameters()).device
    modules = {other: FRONT_ENDS[other](degradation.scale).to(device) for other in REFERENCES}
    modules[name] = enlarge.eval()
    values: dict[str, list[torch.Tensor]] = {name: [] for name in modules}
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, len(patches.used), _BATCH):
        positions = range(start, min(start + _BATCH, len(patches.used)))
        true = torch.stack([patches.middle(position) for position in positions]).to(device)
        small = degradation(true, generator)
        for each, module in modules.items():
            made = module(small)
            values[each].append(torch.stack([clip_psnr(made, true), clip_ssim(made, true)]))
    means = {each: torch.cat(parts, dim=1).mean(dim=1).tolist() for each, parts in values.items()}
    return {each: PictureScores(psnr, ssim) for each, (psnr, ssim) in means.items()}
