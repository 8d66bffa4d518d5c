"""Parts of a pretrained network that hold still: the backbone for a while, its statistics."""

from itertools import chain

import lightning.pytorch as pl
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lilliput.models.stages import find_classifier, parameters_by_stage
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.training.module import ActionModule


class Freezing(pl.Callback):
    """Holds the backbone, or its batch normalisation, as it was pretrained.

    All depends on the epoch alone, so that a resumed run goes on as it would have.

    Args:
        epochs: The first ones, in which the classifier alone learns: the backbone keeps its
            weights and statistics and drops nothing.
        batch_norm: Whether the backbone's batch normalisation keeps its statistics, and uses
            them, in all epochs. Its factors and offsets learn.
    """

    def __init__(self, *, epochs: int = 0, batch_norm: bool = False) -> None:
        self.epochs = epochs
        self.batch_norm = batch_norm

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Freezes or frees."""
        assert isinstance(pl_module, ActionModule)
        learns = trainer.current_epoch >= self.epochs
        *backbone, _ = parameters_by_stage(pl_module.model)
        held = _frozen_front_end(pl_module.model)
        for parameter in chain(*backbone):
            parameter.requires_grad_(learns and parameter not in held)
        for layer in _backbone_layers(pl_module.model):
            still = self.batch_norm and isinstance(layer, _BatchNorm)
            layer.training = learns and not still


def _frozen_front_end(model: nn.Module) -> set[nn.Parameter]:
    if isinstance(model, FrontEnd) and model.frozen:
        return set(model.enlarge.parameters())
    return set()


def _backbone_layers(model: nn.Module) -> list[nn.Module]:
    classifier = set(find_classifier(model).modules())
    return [layer for layer in model.modules() if layer not in classifier]
