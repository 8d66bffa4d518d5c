"""A model adapted to one camera by footage without labels.

A camera of its own light, height and sharpness moves the statistics inside a network, and with
them all scores of an action. Both are put right with windows of what the camera sees: the means and
variances of batch normalization (AdaBN; Li et al., Pattern Recognition 2018), and the mean and
deviation of each action's logits. What is lost is how often the actions occur: all are then as
frequent as one another. So the footage should show what is to be told apart.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lilliput.checkpoint import Checkpoint
from lilliput.errors import ConfigError

MIN_WINDOWS = 30
_BATCH = 32
_HEAD = "head.fc"  # the linear layer that gives the logits


def adapt(checkpoint: Checkpoint, clips: torch.Tensor, *, norm_share: float) -> Checkpoint:
    """The model with statistics of other footage.

    Args:
        checkpoint: A ResNet-3D with one linear classifier and any number of labels.
        clips: (N, 3, T, H, W) windows of the footage, as the model is given them.
        norm_share: How much of batch normalization's statistics is taken from the clips, 0 to 1.

    Returns:
        A model whose logits all have the same mean and deviation on the clips, and one threshold
        for all actions: with it, a window has one label on average. Its note says so.

    Raises:
        ConfigError: The model is of another kind, or there are too few clips.
    """
    check_adaptable(checkpoint)
    if len(clips) < MIN_WINDOWS:
        raise ConfigError(
            f"{len(clips)} windows with somebody in them are too few to adapt to; give footage "
            f"with {MIN_WINDOWS} or more"
        )
    model = checkpoint.build_model()
    if norm_share:
        _renew_statistics(model, clips, norm_share)
    logits = _logits(model, clips)
    mean, deviation = logits.mean(axis=0), logits.std(axis=0).clip(min=1e-3)
    scale = deviation.mean() / deviation
    shift = mean.mean() - mean * scale
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    head = _HEAD if checkpoint.config.model.front_end == "none" else f"network.{_HEAD}"
    state[f"{head}.weight"] *= torch.from_numpy(scale)[:, None]
    state[f"{head}.bias"] = state[f"{head}.bias"] * torch.from_numpy(scale) + torch.from_numpy(
        shift
    )
    standard = logits * scale + shift
    threshold = float(np.quantile(standard, 1 - 1 / standard.shape[1]))
    told = f"adapted to {len(clips)} windows of footage without labels"
    return replace(
        checkpoint,
        state=state,
        thresholds=(1 / (1 + float(np.exp(-threshold))),) * len(checkpoint.labels),
        note="; ".join(filter(None, (checkpoint.note, told))),
    )


def check_adaptable(checkpoint: Checkpoint) -> None:
    """Checks that a model is of the kind that can be adapted.

    Raises:
        ConfigError: It is not.
    """
    model = checkpoint.config.model
    kind = (model.name, model.classifier, model.members)
    if kind != ("resnet3d", "linear", 1) or checkpoint.task != "multi":
        raise ConfigError(
            "only a resnet3d with a linear classifier and any number of labels per clip can be "
            "adapted; `lilliput info MODEL` tells what a model is"
        )


def _renew_statistics(model: nn.Module, clips: torch.Tensor, share: float) -> None:
    """Mixes batch normalization's statistics with those of the clips, in place."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]  # type: ignore[union-attr]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for batch in order.tensor_split(max(1, len(clips) // _BATCH)):
            model(clips[batch])
    for norm, (mean, variance) in zip(norms, before, strict=True):
        norm.running_mean.lerp_(mean, 1 - share)  # type: ignore[union-attr]
        norm.running_var.lerp_(variance, 1 - share)  # type: ignore[union-attr]
    model.eval()


@torch.no_grad()
def _logits(model: nn.Module, clips: torch.Tensor) -> np.ndarray:
    rows = [model(batch) for batch in clips.tensor_split(-(-len(clips) // _BATCH))]
    logits: np.ndarray = torch.cat(rows).numpy()
    return logits
