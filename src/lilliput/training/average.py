"""The exponential moving average of a network's weights over its training.

Source: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; the
warm-up is that of TensorFlow's ``ExponentialMovingAverage``.
"""

import copy
from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from lilliput.training.module import ActionModule


class WeightAverage(pl.Callback):
    """Averages weights and statistics after every step; the average is what is validated.

    After step t the average moves towards the weights by ``1 - min(decay, (1 + t) / (10 + t))``,
    so that it forgets the random weights of the beginning. It is part of the state to resume from.

    Args:
        decay: What is kept of the average per step.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._steps = 0
        self._average: nn.Module | None = None

    @property
    def network(self) -> nn.Module:
        """The network with the averaged weights; there is one as soon as a training begins."""
        assert self._average is not None
        return self._average

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Begins with the network's own weights."""
        assert isinstance(pl_module, ActionModule)
        self._average = copy.deepcopy(pl_module.model).requires_grad_(False)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Goes where the network is."""
        self.network.to(pl_module.device)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Takes in the weights, after each step of the optimizer."""
        if trainer.global_step == self._steps:  # gradients of several batches are accumulated
            return
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        self._steps = trainer.global_step
        pairs = self._pairs(pl_module)
        weights = [pair for pair in pairs if pair[0].is_floating_point()]
        averaged, current = (list(tensors) for tensors in zip(*weights, strict=True))
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        update(averaged, current, self._steps)
        for count, current_count in (pair for pair in pairs if not pair[0].is_floating_point()):
            count.copy_(current_count)

    def on_validation_epoch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule  # noqa: ARG002
    ) -> None:  # fmt: skip
        """The average takes the network's place."""
        self._exchange(pl_module)

    def on_validation_epoch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule  # noqa: ARG002
    ) -> None:  # fmt: skip
        """The network gets its weights back."""
        self._exchange(pl_module)

    def state_dict(self) -> dict[str, Any]:
        """Numbers and tensors only, so that resuming unpickles nothing."""
        return {"steps": self._steps, "average": self.network.state_dict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on with the average of the interrupted run."""
        self._steps = state_dict["steps"]
        self.network.load_state_dict(state_dict["average"])

    def _exchange(self, module: pl.LightningModule) -> None:
        for averaged, current in self._pairs(module):
            kept = averaged.clone()
            averaged.copy_(current)
            current.copy_(kept)

    def _pairs(self, module: pl.LightningModule) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Weights, statistics and counts: of the average, and of the network."""
        assert isinstance(module, ActionModule)
        averaged, current = self.network.state_dict(), module.model.state_dict()
        return list(zip(averaged.values(), current.values(), strict=True))
