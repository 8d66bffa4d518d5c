"""An end before the last epoch, where training longer no longer helps."""

import sys

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping


class EarlyStop(EarlyStopping):
    """Stops a training whose validation score has not grown for a while, and tells why.

    Args:
        patience: Epochs in a row without a better score.
    """

    def __init__(self, patience: int) -> None:
        # Checked before the state to resume from is saved, so that it is part of it.
        super().__init__(
            "val_f1", patience=patience, mode="max", check_finite=False,
            check_on_train_epoch_end=False,
        )  # fmt: skip

    @property
    def has_stopped(self) -> bool:
        """Whether patience is at an end."""
        return self.wait_count >= self.patience

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """A run that stopped is finished: to resume it changes nothing."""
        trainer.should_stop = trainer.should_stop or self.has_stopped

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """One line for the user."""
        epochs = trainer.max_epochs or 0
        if self.has_stopped and trainer.current_epoch < epochs and trainer.is_global_zero:
            sys.stderr.write(
                f"stopped after epoch {trainer.current_epoch} of {epochs}: "
                f"for {self.wait_count} epochs val macro F1 was not above "
                f"{float(self.best_score):.4f} (training.patience = {self.patience})\n"
            )
