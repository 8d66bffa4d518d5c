"""From a recipe and a data set to a run folder with a trained model."""

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from rich.progress import Progress
from torch.utils.data import DataLoader, Subset

from lilliput.builders import (
    build_evaluation_sampler,
    build_evaluation_transform,
    build_loss,
    build_model,
    build_normalisation,
    build_training_sampler,
    build_training_transform,
)
from lilliput.checkpoint import Checkpoint
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.loading import (
    EpochSampler,
    EvaluationClips,
    FrameSource,
    TrainingClips,
    balancing_weights,
    collate,
)
from lilliput.data.statistics import measure_clip_seconds
from lilliput.errors import ConfigError
from lilliput.training.folder import prepare_folder
from lilliput.training.module import ActionModule
from lilliput.training.recorder import AtomicCheckpointIO, RunRecorder
from lilliput.video.transforms import Normalisation

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
SYNTHETIC_NOTE = "trained on synthetic clips: it knows rendered scenes only"


@dataclass(frozen=True)
class TrainingData:
    """The two splits of a training, as the loops read them."""

    train: TrainingClips
    val: EvaluationClips
    normalisation: Normalisation
    clip_seconds: float


def fit(config: Config, dataset: VideoDataset, folder: Path, *, resume: bool = False) -> Path:
    """Trains, epoch by epoch, into a run folder.

    Args:
        config: The recipe.
        dataset: Where its training and validation splits are found.
        folder: The run folder; new, or one to go on with.
        resume: Go on from the folder's last saved epoch; a finished run is left as it is.

    Returns:
        The best model's checkpoint, not yet with tuned thresholds.

    Raises:
        TrainingError: The folder is taken, the run cannot go on, or the loss is not finite.
        KeyboardInterrupt: Ctrl-C; every finished epoch is kept.
    """
    _check_precision(config)
    state = prepare_folder(config, folder, resume)
    pl.seed_everything(config.training.seed, verbose=False)
    data = prepare_data(config, dataset)
    targets = data.train.targets
    module = ActionModule(
        build_model(config.model, len(dataset.labels)),
        build_loss(config, targets),
        config.training,
        data.val.targets.bool(),
    )
    note = SYNTHETIC_NOTE if _is_synthetic(dataset) else ""

    def describe(weights: Mapping[str, torch.Tensor], metrics: Mapping[str, float]) -> Checkpoint:
        thresholds = (config.evaluation.fixed_threshold,) * len(dataset.labels)
        return Checkpoint(
            weights,
            config,
            dataset.labels,
            data.normalisation,
            data.clip_seconds,
            thresholds,
            {"training": dict(metrics)},
            note,
        )

    with _quiet():
        trainer = _build_trainer(config, folder, RunRecorder(folder, describe))
        loaders = _build_loaders(config, data, dataset, trainer)
        try:
            trainer.fit(module, *loaders, ckpt_path=state, weights_only=True)
        except SystemExit:  # how Lightning ends on Ctrl-C
            raise KeyboardInterrupt from None
    return folder / "best.safetensors"


def prepare_data(config: Config, dataset: VideoDataset) -> TrainingData:
    """Decodes what fits into memory and measures what the normalisation needs."""
    budget = int(config.data.cache_gib * 2**30)
    train = FrameSource(dataset.split(config.data.train), budget)
    val = FrameSource(dataset.split(config.data.val), budget // 4)
    if budget:
        with Progress(transient=True) as progress:
            for source, name in ((train, "training"), (val, "validation")):
                task = progress.add_task(f"decoding {name} clips", total=len(source))
                source.fill(lambda task=task: progress.advance(task))  # type: ignore[misc]
    normalisation = build_normalisation(config.model, train)
    num_classes = len(dataset.labels)
    return TrainingData(
        TrainingClips(
            train,
            num_classes,
            build_training_sampler(config),
            build_training_transform(config, normalisation, dataset.labels),
            seed=config.training.seed,
        ),
        EvaluationClips(
            val,
            num_classes,
            build_evaluation_sampler(config, num_clips=1),
            build_evaluation_transform(config, normalisation),
        ),
        normalisation,
        measure_clip_seconds(train.clips),
    )


def _build_trainer(config: Config, folder: Path, recorder: RunRecorder) -> pl.Trainer:
    training = config.training
    callbacks: list[pl.Callback] = [recorder]
    if sys.stderr.isatty():
        callbacks.append(RichProgressBar(leave=True))
    try:
        return pl.Trainer(
            accelerator=training.accelerator,
            devices=training.devices,
            precision=_PRECISIONS[training.precision],  # type: ignore[arg-type]
            max_epochs=training.epochs,
            accumulate_grad_batches=training.accumulate_batches,
            gradient_clip_val=training.gradient_clip or None,
            logger=TensorBoardLogger(folder, name="tensorboard", version=""),
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            enable_checkpointing=False,  # the recorder does it
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            log_every_n_steps=10,
        )
    except MisconfigurationException as error:
        raise ConfigError(
            f"training.accelerator = '{training.accelerator}', training.devices = "
            f"{training.devices}: this machine has no such device ({error})"
        ) from None


def _build_loaders(
    config: Config, data: TrainingData, dataset: VideoDataset, trainer: pl.Trainer
) -> tuple[DataLoader, DataLoader]:  # type: ignore[type-arg]
    rank, world = trainer.global_rank, trainer.world_size
    train_clips = dataset.split(config.data.train)
    balanced = config.training.balanced_sampling
    sampler = EpochSampler(
        len(data.train),
        seed=config.training.seed,
        weights=balancing_weights(train_clips, len(dataset.labels)) if balanced else None,
        rank=rank,
        world_size=world,
    )
    shared = {
        "num_workers": config.data.workers,
        "collate_fn": collate,
        # The decoded clips are shared with forked workers, not copied to them.
        "multiprocessing_context": "fork" if _can_fork(config) else None,
    }
    share = Subset(data.val, range(rank, len(data.val), world))
    return (
        DataLoader(data.train, config.training.batch_size, sampler=sampler, **shared),  # type: ignore[arg-type]
        DataLoader(share, config.evaluation.batch_size, **shared),  # type: ignore[arg-type]
    )


def _can_fork(config: Config) -> bool:
    return config.data.workers > 0 and sys.platform == "linux"


def _check_precision(config: Config) -> None:
    on_cpu = config.training.accelerator == "cpu" or not (
        torch.cuda.is_available() or torch.backends.mps.is_available()
    )
    if on_cpu and config.training.precision != "fp32":
        raise ConfigError(
            f"training.precision = '{config.training.precision}': gradients of 3-D convolutions "
            "in half precision are unreliable on CPUs; use 'fp32'"
        )


def _is_synthetic(dataset: VideoDataset) -> bool:
    return any(
        clip.recording.startswith("SYNTHETIC")
        for clips in dataset.splits.values()
        for clip in clips
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Lightning's greetings and advice on worker counts out of the way."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)
