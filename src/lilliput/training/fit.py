"""From a recipe and a data set to a run folder with a trained model."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from lilliput.builders import (
    build_labels,
    build_loss,
    build_mixing,
    build_model,
    resolve_task,
    start_front_end,
    tell_normalisation,
)
from lilliput.checkpoint import Checkpoint, find_checkpoint
from lilliput.config import Config, TrainingConfig
from lilliput.data import VideoDataset
from lilliput.data.task import check_learnable
from lilliput.errors import ConfigError
from lilliput.models.pretrained import load_pretrained
from lilliput.training.average import WeightAverage
from lilliput.training.batches import TrainingData, build_loaders, prepare_data
from lilliput.training.distillation import prepare_teaching
from lilliput.training.folder import prepare_folder
from lilliput.training.freezing import Freezing
from lilliput.training.hand_crafted import fit_hand_crafted
from lilliput.training.loggers import check_loggers, open_loggers
from lilliput.training.module import ActionModule
from lilliput.training.precision import resolve_precision
from lilliput.training.recorder import AtomicCheckpointIO, Describe, EpochLines, RunRecorder
from lilliput.training.stopping import EarlyStop
from lilliput.training.super_resolution.joint import JointSuperResolution
from lilliput.training.teachers import ViewTeacher, check_features, load_teachers
from lilliput.video.degradation import Degradation
from lilliput.weights import SHIPPED

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
SYNTHETIC_NOTE = "trained on synthetic clips: it knows rendered scenes only"


def fit(config: Config, dataset: VideoDataset, folder: Path, *, resume: bool = False) -> Path:
    """Trains, epoch by epoch, into a run folder.

    Args:
        config: The recipe.
        dataset: Where its training and validation splits are found; where ``data.val`` is empty
            there is none, and the last epoch counts as the best.
        folder: The run folder; new, or one to go on with.
        resume: Go on from the folder's last saved epoch; a finished run is left as it is.

    Returns:
        The kept model's checkpoint, not yet with tuned thresholds: that of the best epoch, or of
        the last one where ``training.keep`` says so.

    Raises:
        ConfigError: Half precision is asked for on a CPU, a device that is not there, a loss of
            another task, or a logger that is not installed.
        DataError: The labels do not fit the recipe's task, or cannot be learned.
        CheckpointError: The pretrained weights or a teacher are missing, or are of another network.
        TrainingError: The folder is taken, the run cannot go on, or the loss is not finite.
        KeyboardInterrupt: Ctrl-C; every finished epoch is kept.
    """
    resolve_precision(config.training)  # refused before anything is decoded
    check_loggers(config.training)
    config = settle(config, dataset)
    dataset = replace(dataset, labels=build_labels(config, dataset.labels))
    teachers = load_teachers(config, dataset.labels)
    state = prepare_folder(config, dataset, folder, resume)
    if config.model.name == "idt":
        note = SYNTHETIC_NOTE if dataset.synthetic else ""
        return fit_hand_crafted(config, dataset, folder, note=note)
    pl.seed_everything(config.training.seed, verbose=False)
    model = build_model(config.model, len(dataset.labels), config.sampling.num_frames)
    if state is None:
        start_front_end(model, config.model)  # a pretrained model may bring its own
        if config.training.pretrained:
            _start_from(model, config.training.pretrained)
    if config.training.teacher_features:
        check_features(config.training.teacher, model, teachers)
    data = prepare_data(config, dataset)
    tell_normalisation(model, data.normalisation)
    teacher = prepare_teaching(teachers, data.train, dataset.labels, config, folder)
    module = build_module(config, model, data, teacher)
    note = SYNTHETIC_NOTE if dataset.synthetic else ""

    def describe(weights: Mapping[str, torch.Tensor], metrics: Mapping[str, float]) -> Checkpoint:
        thresholds = (config.evaluation.fixed_threshold,) * len(dataset.labels)
        return Checkpoint(
            state=weights,
            config=config,
            labels=dataset.labels,
            normalisation=data.normalisation,
            clip_seconds=data.clip_seconds,
            thresholds=thresholds,
            metrics={"training": dict(metrics)},
            note=note,
        )

    callbacks = _build_callbacks(config, folder, describe)
    with quiet(), open_loggers(config, folder) as loggers:
        trainer = _build_trainer(config, callbacks, loggers)
        on_gpu = trainer.strategy.root_device.type == "cuda"
        loaders = build_loaders(
            config, data, trainer.global_rank, trainer.world_size, on_gpu=on_gpu
        )
        try:
            trainer.fit(module, *loaders, ckpt_path=state, weights_only=True)
        except SystemExit:  # how Lightning ends on Ctrl-C
            raise KeyboardInterrupt from None
    if not trainer.is_global_zero:
        sys.exit(0)  # with several devices, the first process does what is left
    return folder / "best.safetensors"


def settle(
    config: Config, dataset: VideoDataset, tell: Callable[[str], None] = lambda _: None
) -> Config:
    """The recipe with everything decided that it leaves to the data.

    Args:
        config: The recipe.
        dataset: Where its training and validation splits are found.
        tell: Given a line for each class of a multi-label set that cannot be learned or judged.

    Raises:
        ConfigError: The recipe is of an ensemble, which is not trained as one network.
        DataError: The labels do not fit the recipe's task, or cannot be learned.
    """
    if config.model.members > 1:
        raise ConfigError(
            f"model.members = {config.model.members}: an ensemble's members are trained one by "
            "one; leave it at 1, and train with --folds and --final ensemble"
        )
    config = resolve_task(config, dataset)
    for line in check_learnable(dataset, config.data.train, config.data.val, config.known_task):
        tell(line)
    return config


def build_module(
    config: Config, model: nn.Module, data: TrainingData, teacher: ViewTeacher | None = None
) -> ActionModule:
    """The network with its loss, as Lightning trains it."""
    return ActionModule(
        model,
        build_loss(config.loss, config.known_task, data.train.targets),
        config.training,
        data.val.targets.bool(),
        task=config.known_task,
        supervise_branches=config.loss.branches,
        teacher=teacher,
        mixing=build_mixing(config.augment),
        joint=_build_joint(config),
    )


def _build_joint(config: Config) -> JointSuperResolution | None:
    if not config.loss.super_resolution:
        return None
    degradation = Degradation(config.model.front_end_scale)
    return JointSuperResolution(config.loss.super_resolution, degradation)


def _start_from(model: nn.Module, source: str) -> None:
    report = load_pretrained(model, str(find_checkpoint(source)) if source in SHIPPED else source)
    rank_zero_only(sys.stderr.write)("\n".join(report.lines()) + "\n")


def _build_callbacks(config: Config, folder: Path, describe: Describe) -> list[pl.Callback]:
    """In the order in which they act on an epoch's end: the recorder saves what others know."""
    training = config.training
    callbacks: list[pl.Callback] = []
    if training.freeze_epochs or training.freeze_batch_norm:
        callbacks.append(
            Freezing(epochs=training.freeze_epochs, batch_norm=training.freeze_batch_norm)
        )
    average = WeightAverage(training.ema_decay) if training.ema_decay else None
    if average is not None:
        callbacks.append(average)
    if training.patience:
        callbacks.append(EarlyStop(training.patience))
    progress = RichProgressBar(leave=True) if sys.stderr.isatty() else EpochLines()
    return [*callbacks, RunRecorder(folder, describe, average, keep=training.keep), progress]


def _build_trainer(
    config: Config, callbacks: list[pl.Callback], loggers: list[Logger]
) -> pl.Trainer:
    training = config.training
    with known_device(training):
        return pl.Trainer(
            accelerator=training.accelerator,
            devices=training.devices,
            strategy=_strategy(training),
            precision=PRECISIONS[resolve_precision(training)],  # type: ignore[arg-type]
            max_epochs=training.epochs,
            accumulate_grad_batches=training.accumulate_batches,
            gradient_clip_val=training.gradient_clip or None,
            logger=loggers,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            enable_checkpointing=False,  # the recorder does it
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            log_every_n_steps=10,
        )


def _strategy(training: TrainingConfig) -> str:
    """Processes that share gradients must be told that a frozen backbone has none."""
    shared = training.devices != 1
    return "ddp_find_unused_parameters_true" if training.freeze_epochs and shared else "auto"


@contextmanager
def known_device(training: TrainingConfig) -> Iterator[None]:
    """Tells the user of a device that is not there.

    Raises:
        ConfigError: Lightning found none.
    """
    try:
        yield
    except MisconfigurationException as error:
        raise ConfigError(
            f"training.accelerator = '{training.accelerator}', training.devices = "
            f"{training.devices}: this machine has no such device ({error})"
        ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Lightning's greetings and advice on worker counts out of the way."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|mlflow|wandb")
        try:
            yield
        finally:
            logger.setLevel(level)
