"""One training step, one validation pass: what Lightning runs."""

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from lilliput.config import TrainingConfig
from lilliput.data.loading import Batch, UnreadableClip
from lilliput.errors import TrainingError
from lilliput.models.pooled import forward_pooled
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.scoring import compute_metrics, samples_f1, tune_global
from lilliput.scoring.logits import score_logits
from lilliput.task import Task
from lilliput.training.distillation import blend
from lilliput.training.optimization import (
    build_epoch_schedule,
    build_optimizer,
    build_step_schedule,
)
from lilliput.training.seen import SeenClips, macro_f1
from lilliput.training.super_resolution.joint import JointSuperResolution
from lilliput.training.teachers import ViewTeacher, feature_loss
from lilliput.video.mixing import ClipMixing

_MEMORY = 0.95  # of what was learned, per step
_CHECK_EVERY = 10  # steps: looking at a loss makes the processor wait for the GPU


class ActionModule(pl.LightningModule):
    """A network under training.

    Args:
        model: The network.
        loss: From logits and targets to a scalar.
        config: The training settings.
        val_targets: (N, K) bool targets of the validation split.
        task: How many labels a clip has.
        supervise_branches: Add the loss of each classifier that the network adds up.
        teacher: Scores each training clip as it is seen; None where nothing does.
        mixing: Mixes the clips and targets of a training batch.
        joint: Degrades training clips, and lets the model's front end learn to restore them.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        config: TrainingConfig,
        val_targets: torch.Tensor,
        *,
        task: Task = "multi",
        supervise_branches: bool = False,
        teacher: ViewTeacher | None = None,
        mixing: ClipMixing | None = None,
        joint: JointSuperResolution | None = None,
    ) -> None:
        super().__init__()
        # A quarter faster on a CPU; a test holds its gradients to those of the plain layout.
        self.model = model
        for layer in model.modules():
            if isinstance(layer, nn.Conv3d):
                layer.to(memory_format=torch.channels_last_3d)
        self.loss = loss
        self.config = config
        self.val_targets = val_targets
        self.task: Task = task
        self.supervise_branches = supervise_branches
        self.teacher = teacher
        self.mixing = mixing
        self.joint = joint
        # In the state to resume from, since it decides what is mixed.
        self.register_buffer("_learned", torch.zeros(()))
        self._learned: torch.Tensor
        self.unreadable: dict[tuple[str, int], UnreadableClip] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor | None:
        """The loss of a batch; one without a readable clip is passed over."""
        self._note("train", batch)
        if len(batch.indices) == 0:
            return None
        # What is drawn here (mixing, dropout) depends on the step alone: a resume repeats it.
        torch.manual_seed(hash((self.config.seed, self.current_epoch, batch_idx, self.global_rank)))
        clips, targets, features, is_mixed = self._prepare(batch)
        if self.joint is None:
            loss, logits = self._loss_of(clips, targets, features)
        else:
            loss, logits = self._joint_loss_of(clips, targets, features)
        if self.mixing is not None and self.mixing.adaptive and not is_mixed:
            self._note_learned(logits.detach(), targets)
        self._finite &= torch.isfinite(loss.detach())
        self._trained_on.add(logits.detach(), targets)
        if (batch_idx + 1) % _CHECK_EVERY == 0:
            self._stop_unless(self._everywhere(self._finite))
        self.log(
            "train_loss", loss, on_step=True, on_epoch=True, prog_bar=True,
            batch_size=len(batch.indices),
        )  # fmt: skip
        return loss

    def on_train_epoch_start(self) -> None:
        """No loss was out of bounds yet, no clip was seen."""
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        self._trained_on = SeenClips(self.val_targets.shape[1], self.task, self.device)

    def training_f1(self) -> float:
        """Macro F1 of the epoch's training clips as they were seen, in all processes together."""
        counts = self.trainer.strategy.reduce(self._trained_on.counts, reduce_op="sum")
        return macro_f1(counts)

    def on_validation_epoch_start(self) -> None:
        """Makes room for the logits; each process fills in its share."""
        self._stop_unless(self._everywhere(self._finite))  # before this epoch is saved
        lowest = float("-inf")
        self._logits = torch.full(self.val_targets.shape, lowest, device=self.device)
        self._seen = torch.zeros(len(self.val_targets), device=self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Scores clips without test-time augmentation; of several of a video the highest count."""
        self._note("val", batch)
        if len(batch.indices) == 0:
            return
        logits = self.model(_moved(batch)).float()
        if self.task == "single":  # the highest probabilities, not the highest logits
            logits = logits.log_softmax(dim=1)
        rows = batch.indices[:, None].expand_as(logits)
        self._logits.scatter_reduce_(0, rows, logits, "amax")
        self._seen[batch.indices] = 1

    def on_validation_epoch_end(self) -> None:
        """Logs the loss, and scores at the best global threshold or of the most likely class."""
        gather = self.trainer.strategy.reduce
        own = self._logits.masked_fill(self._seen[:, None] == 0, 0)
        logits = gather(own, reduce_op="sum")
        rows = gather(self._seen, reduce_op="sum").cpu() > 0
        if not rows.any():
            raise TrainingError("not one validation clip can be read; see `lilliput data check`")
        logits = logits[rows.to(logits.device)]
        targets = self.val_targets[rows].numpy()
        loss = self.loss(logits, torch.from_numpy(targets).to(logits))
        self._stop_unless(torch.isfinite(loss))
        scores = score_logits(logits, self.task).cpu().numpy()
        threshold = 0.0 if self.task == "single" else tune_global(scores, targets)
        metrics = compute_metrics(scores, targets, threshold, self.task)
        self.log("val_loss", loss, prog_bar=True)
        self.log("val_f1", metrics.macro.f1, prog_bar=True)
        self.log("val_precision", metrics.macro.precision)
        self.log("val_recall", metrics.macro.recall)
        self.log("val_map", metrics.mean_average_precision)
        if self.task == "single":
            self.log("val_top1", metrics.micro.recall, prog_bar=True)
        else:
            self.log("val_samples_f1", samples_f1(scores, targets), prog_bar=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer, and its schedule over epochs or over steps."""
        optimizer = build_optimizer(self.model, self.config)
        if self.config.schedule == "multistep":
            schedule = build_epoch_schedule(optimizer, self.config)
            return {"optimizer": optimizer, "lr_scheduler": schedule}
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_step_schedule(optimizer, self.config, steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int  # noqa: ARG002
    ) -> Batch:  # fmt: skip
        """Moves the tensors, augments what is drawn only, keeps the list of what was skipped."""
        early = device.type == "cuda"  # elsewhere a copy that is not waited for may come too late
        return Batch(
            _channels_last(batch.clips.to(device, non_blocking=early)),
            batch.targets.to(device, non_blocking=early),
            batch.indices.to(device, non_blocking=early),
            batch.unreadable,
            None if batch.larger is None else _channels_last(batch.larger.to(device)),
        )

    def _prepare(
        self, batch: Batch
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, bool]:
        """Clips, their targets, a teacher's features (N, D), and whether they are mixed."""
        clips, targets, features = _moved(batch), batch.targets, None
        if self.teacher is not None:
            assert batch.larger is not None
            scores, features = self.teacher(batch.larger)
            targets = blend(targets, scores, self.config.teacher_weight)
        if len(clips) == 1:  # batch normalisation has no variance of a single value
            clips, targets = clips.repeat(2, 1, 1, 1, 1), targets.repeat(2, 1)
            features = None if features is None else features.repeat(2, 1)
        elif self.mixing is not None and self.mixing.draw(float(self._learned)):
            clips, targets = self.mixing(clips, targets)
            return _channels_last(clips), targets, features, True
        return clips, targets, features, False

    def _joint_loss_of(
        self, clips: torch.Tensor, targets: torch.Tensor, features: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss with the front end's own, of clips in the network's input size; the logits."""
        assert self.joint is not None
        assert isinstance(self.model, FrontEnd)
        larger, restored = self.joint(self.model, clips)
        self.log("train_super_resolution", restored.detach(), on_step=False, on_epoch=True,
                 batch_size=len(clips))  # fmt: skip
        loss, logits = self._loss_of(larger, targets, features, self.model.network)
        return loss + restored, logits

    def _loss_of(
        self,
        clips: torch.Tensor,
        targets: torch.Tensor,
        features: torch.Tensor | None,
        network: nn.Module | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and the logits (N, K), of the whole model or of the network it ends with."""
        network = network or self.model
        if features is not None:
            logits, ours = forward_pooled(network, clips)
            loss = self.loss(logits.float(), targets)
            return loss + self.config.teacher_features * feature_loss(ours, features), logits
        if not self.supervise_branches:
            logits = network(clips).float()
            return self.loss(logits, targets), logits
        logits, branches = network.forward_branches(clips)  # type: ignore[operator]
        losses = [self.loss(part.float(), targets) for part in (logits, *branches)]
        return torch.stack(losses).sum(), logits

    def _note_learned(self, logits: torch.Tensor, targets: torch.Tensor) -> None:
        """Follows the share of training clips of which every label is right."""
        if self.task == "single":
            right = logits.argmax(dim=1) == targets.argmax(dim=1)
        else:
            right = ((logits > 0) == (targets > 0.5)).all(dim=1)
        self._learned.lerp_(right.float().mean(), 1 - _MEMORY)

    def _note(self, split: str, batch: Batch) -> None:
        for clip in batch.unreadable:
            self.unreadable[split, clip.index] = clip

    def _everywhere(self, flag: torch.Tensor) -> torch.Tensor:
        """Whether it holds in all processes: one that stopped alone would leave others waiting."""
        least: torch.Tensor = self.trainer.strategy.reduce(flag.float(), reduce_op="min")
        return least > 0

    def _stop_unless(self, finite: torch.Tensor) -> None:
        if not finite:
            raise TrainingError(
                f"the loss became infinite or no number in epoch {self.current_epoch + 1}; the "
                "last good checkpoint is intact. Try a lower training.learning_rate, "
                'training.gradient_clip = 1.0 or training.precision = "fp32"'
            )


def _moved(batch: Batch) -> torch.Tensor:
    assert isinstance(batch.clips, torch.Tensor), "drawn clips become a tensor on their way here"
    return batch.clips


def _channels_last(clips: torch.Tensor) -> torch.Tensor:
    """Training clips in the network's memory layout; evaluation clips have one axis more."""
    if clips.ndim != 5:
        return clips
    return clips.contiguous(memory_format=torch.channels_last_3d)
