"""Losses by name, as the task asks."""

import torch
from torch import nn

from lilliput.config import LossConfig
from lilliput.errors import ConfigError
from lilliput.losses import (
    AsymmetricLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    FocalLoss,
    LogitAdjustment,
    class_balanced_weights,
    log_priors,
    positive_weights,
)
from lilliput.task import Task

_AUTO: dict[Task, str] = {"single": "cross_entropy", "multi": "bce"}
_TASKS: dict[str, tuple[Task, ...]] = {
    "bce": ("multi",),
    "asymmetric": ("multi",),
    "cross_entropy": ("single",),
    "focal": ("single", "multi"),
}


def resolve_loss(config: LossConfig, task: Task) -> str:
    """The name of the loss, where ``auto`` is cross entropy, binary for several labels.

    Raises:
        ConfigError: The loss is not for this task.
    """
    name = _AUTO[task] if config.name == "auto" else config.name
    if task not in _TASKS[name]:
        has, other = {
            "single": ("one label", "multi"),
            "multi": ("several labels", "single"),
        }[task]
        raise ConfigError(
            f"loss.name = '{name}' is no loss for clips of {has}; set loss.name = 'auto', or "
            f"task = '{other}'"
        )
    return name


def build_loss(config: LossConfig, task: Task, targets: torch.Tensor) -> nn.Module:
    """The loss; ``targets`` (N, K) of the training set serve its class weights.

    Raises:
        ConfigError: The loss is not for this task.
    """
    loss = _build_plain(config, task, targets)
    if config.logit_adjustment:
        return LogitAdjustment(loss, config.logit_adjustment * log_priors(targets, task))
    return loss


def _build_plain(config: LossConfig, task: Task, targets: torch.Tensor) -> nn.Module:
    name = resolve_loss(config, task)
    if name == "asymmetric":
        return AsymmetricLoss(
            gamma_pos=config.gamma_pos,
            gamma_neg=config.gamma_neg,
            margin=config.margin,
            focus_gradient=config.focus_gradient,
            reduction=config.reduction,
        )
    balance = config.class_balance
    weights = class_balanced_weights(targets, balance) if balance else None
    if name == "focal":
        return FocalLoss(
            task, gamma=config.gamma, class_weights=weights, reduction=config.reduction
        )
    if name == "cross_entropy":
        return CrossEntropy(
            class_weights=weights,
            label_smoothing=config.label_smoothing,
            reduction=config.reduction,
        )
    return BinaryCrossEntropy(
        positive_weights(targets) if config.positive_weights else None,
        class_weights=weights,
        label_smoothing=config.label_smoothing,
        reduction=config.reduction,
    )
