"""The optimizer of a training, and how its learning rate goes."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, MultiStepLR, OneCycleLR

from lilliput.config import TrainingConfig
from lilliput.models.stages import parameters_by_stage


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW, or gradient descent with Nesterov's momentum.

    AdamW is Adam where there is no weight decay, as in the thesis.
    """
    parameters = _with_rates(model, config)
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters,
            config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            nesterov=config.momentum > 0,
        )
    return torch.optim.AdamW(parameters, config.learning_rate, weight_decay=config.weight_decay)


def _with_rates(
    model: nn.Module, config: TrainingConfig
) -> Iterable[nn.Parameter] | list[dict[str, Any]]:
    """The parameters; with a layer decay, those of each stage at a part of the next one's rate.

    Source: Clark et al., ELECTRA, ICLR 2020; Bao et al., BEiT, ICLR 2022.
    """
    if config.layer_decay == 1:
        return model.parameters()
    stages = reversed(parameters_by_stage(model))  # the classifier first, at the full rate
    return [
        {"params": stage, "lr": config.learning_rate * config.layer_decay**distance}
        for distance, stage in enumerate(stages)
        if stage
    ]


def build_epoch_schedule(optimizer: torch.optim.Optimizer, config: TrainingConfig) -> LRScheduler:
    """The MultiStep schedule of section 4.1.4: a tenth of the rate at each milestone."""
    epochs = {round(fraction * config.epochs) for fraction in config.milestones}
    # A run too short for its milestones keeps its first epoch at the full rate.
    milestones = sorted(epoch for epoch in epochs if epoch > 0)
    return MultiStepLR(optimizer, milestones, gamma=0.1)


def build_step_schedule(
    optimizer: torch.optim.Optimizer, config: TrainingConfig, steps: int
) -> LRScheduler:
    """One cycle, or a warm-up and half a cosine, over all steps of a training."""
    if config.schedule == "one_cycle":
        rates = [group["lr"] for group in optimizer.param_groups]
        # Of AdamW it cycles the momentum, too; sgd keeps the momentum of its setting.
        return OneCycleLR(optimizer, rates, steps, cycle_momentum=config.optimizer == "adamw")
    warmup = round(config.warmup * steps)
    return LambdaLR(optimizer, partial(_warmup_and_cosine, warmup=warmup, steps=steps))


def _warmup_and_cosine(step: int, warmup: int, steps: int) -> float:
    """The share of the full rate: linear up to it, then a cosine down to 0.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(steps - warmup, 1)
    return (1 + math.cos(math.pi * min(progress, 1))) / 2
