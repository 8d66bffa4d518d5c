"""What a run folder holds while a training goes on.

::

    config.json        the resolved recipe        environment.json   versions and machine
    history.csv        one row per epoch          curves.png         figure 4.6
    tensorboard/       the same for TensorBoard   unreadable.txt     clips that were skipped
    last.ckpt          state to resume from       best.safetensors, last.safetensors
    csv/, mlflow/, wandb/   as training.loggers asks
"""

import csv
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from matplotlib.figure import Figure

from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.errors import TrainingError
from lilliput.training.average import WeightAverage
from lilliput.training.module import ActionModule

Describe = Callable[[Mapping[str, torch.Tensor], Mapping[str, float]], Checkpoint]
RESUME_FILE = "last.ckpt"
COLUMNS = (
    "epoch", "train_loss", "train_f1", "val_loss", "val_f1", "val_precision", "val_recall",
    "val_map", "val_samples_f1", "val_top1", "learning_rate",
)  # fmt: skip


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the old file and then renames: a kill never leaves half a state."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Saves, then replaces ``path`` in one step."""
        partial = Path(path).with_name(f".{Path(path).name}.partial")
        super().save_checkpoint(checkpoint, partial, storage_options)
        partial.replace(path)


class RunRecorder(pl.Callback):
    """Writes the run folder after every epoch.

    Args:
        folder: The run folder.
        describe: From weights and metrics to a self-describing checkpoint.
        average: The average that is kept instead of the network's own weights.
        keep: Which epoch's model becomes ``best.safetensors``: that of the highest macro F1 on
            validation, or the last one.
    """

    def __init__(
        self,
        folder: Path,
        describe: Describe,
        average: WeightAverage | None = None,
        *,
        keep: Literal["best", "last"] = "best",
    ) -> None:
        self.folder = folder
        self.describe = describe
        self.average = average
        self.keep = keep
        self.history: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Records the epoch, then the models, then (last) the state to resume from."""
        assert isinstance(pl_module, ActionModule)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if "train_loss_epoch" not in metrics:
            raise TrainingError(
                "no batch held two readable training clips; see `lilliput data check`"
            )
        if not math.isfinite(metrics["train_loss_epoch"]):  # validation would have told, if any
            raise TrainingError(
                f"the loss of epoch {trainer.current_epoch + 1} is infinite or no number; the last "
                "good checkpoint is intact. Try a lower training.learning_rate"
            )
        row = {name: metrics.get(name, float("nan")) for name in COLUMNS}
        row["epoch"] = trainer.current_epoch + 1
        row["train_loss"] = metrics["train_loss_epoch"]
        row["train_f1"] = pl_module.training_f1()
        row["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]  # the classifier's
        before = max((past["val_f1"] for past in self.history), default=-1.0)
        unvalidated = math.isnan(row["val_f1"])
        kept = self.keep == "last" or unvalidated or row["val_f1"] > before
        self.history.append(row)
        if trainer.is_global_zero:
            self._write_models(pl_module, row, kept)
            write_history(self.history, self.folder)
            self._write_unreadable(pl_module)
        trainer.save_checkpoint(self.folder / RESUME_FILE)

    def state_dict(self) -> dict[str, Any]:
        """The history: plain numbers, so that resuming unpickles nothing."""
        return {"history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on with the history of the interrupted run."""
        # A run of before a column was there does not know it.
        unknown = dict.fromkeys(COLUMNS, float("nan"))
        self.history = [{**unknown, **row} for row in state_dict["history"]]

    def _write_models(self, module: ActionModule, row: dict[str, float], kept: bool) -> None:
        network = module.model if self.average is None else self.average.network
        checkpoint = self.describe(network.state_dict(), row)
        save_checkpoint(checkpoint, self.folder / "last.safetensors")
        if kept:
            save_checkpoint(checkpoint, self.folder / "best.safetensors")

    def _write_unreadable(self, module: ActionModule) -> None:
        if module.unreadable:
            lines = sorted(
                f"{split}: {clip.reason}" for (split, _), clip in module.unreadable.items()
            )
            (self.folder / "unreadable.txt").write_text(
                "\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace"
            )


class EpochLines(pl.Callback):
    """One line per epoch on stderr, where there is no terminal to draw a progress bar on."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Writes the line."""
        if trainer.is_global_zero:
            scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
            words = [f"loss {scores.get('train_loss_epoch', math.nan):.4f}"]
            if "val_loss" in scores:
                words.append(f"val loss {scores['val_loss']:.4f}")
                words.append(f"val macro F1 {scores['val_f1']:.4f}")
            if "val_samples_f1" in scores:
                words.append(f"val samples F1 at 0.5 {scores['val_samples_f1']:.4f}")
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            sys.stderr.write(f"{epoch}: {', '.join(words)}\n")


def write_history(history: list[dict[str, float]], folder: Path) -> None:
    """``history.csv`` and ``curves.png``: loss and F1 per epoch, as figure 4.6."""
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="nan")  # of a run that began without
        writer.writeheader()
        writer.writerows(history)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for name, label in (("train_loss", "training"), ("val_loss", "validation")):
        left.plot(epochs, [row[name] for row in history], label=label)
    left.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    left.legend()
    for name, label in (
        ("val_f1", "macro F1"), ("val_map", "mAP"), ("val_samples_f1", "samples F1 at 0.5")
    ):  # fmt: skip
        values = [row[name] for row in history]
        if name != "val_samples_f1" or np.isfinite(values).any():  # of one label there is none
            right.plot(epochs, values, label=label)
    right.set(xlabel="epoch", ylabel="validation score", ylim=(0, 1))
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(folder / "curves.png", dpi=110)
