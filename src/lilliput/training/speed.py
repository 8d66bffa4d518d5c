"""How fast this machine trains a recipe, and what holds it back: the network or its input."""

import itertools
import platform
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from lilliput.builders import build_model
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.epochs import EpochSampler
from lilliput.data.loading import Batch
from lilliput.errors import ConfigError
from lilliput.models.facts import measure_facts
from lilliput.training.batches import build_loaders, prepare_data
from lilliput.training.fit import PRECISIONS, build_module, known_device, quiet, settle
from lilliput.training.module import ActionModule
from lilliput.training.precision import Precision, resolve_precision

_WARM_UP = 3  # batches that are not counted: memory is laid out and kernels are chosen
_MOST_STEPS = 10**6
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class TrainingSpeed:
    """Clips per second of a training, and of its two halves alone.

    Attributes:
        device: What the network runs on.
        precision: What it computes in.
        batch_size: Clips in a batch.
        workers: Processes that prepare batches.
        num_clips: Clips in an epoch; each view of a clip counts.
        training: All together, as in ``lilliput train``.
        network: The training step on one batch, again and again.
        loading: Batches that nothing is done with.
        macs: Multiply-adds of a clip's forward pass.
        peak: Multiply-adds per second that the device reached on large matrices.
    """

    device: str
    precision: Precision
    batch_size: int
    workers: int
    num_clips: int
    training: float
    network: float
    loading: float
    macs: int
    peak: float

    @property
    def share_of_peak(self) -> float:
        """Of the matrix peak, that the network alone reaches: a step is three forward passes."""
        return 3 * self.macs * self.network / self.peak


def measure_training(config: Config, dataset: VideoDataset, seconds: float) -> TrainingSpeed:
    """Trains for a while on the training split, without validation; nothing is kept.

    Args:
        config: The recipe.
        dataset: Where its splits are found.
        seconds: How long each of the three is measured.

    Raises:
        ConfigError: The recipe is of hand-crafted features, or asks for a precision or a device
            that is not there.
    """
    if config.model.name == "idt":
        raise ConfigError("model.name = 'idt': hand-crafted features are not trained in steps")
    precision = resolve_precision(config.training)
    config = settle(config, dataset)
    pl.seed_everything(config.training.seed, verbose=False)
    model = build_model(config.model, len(dataset.labels), config.sampling.num_frames)
    size = config.model.clip_size
    macs = measure_facts(model, (3, config.sampling.num_frames, size, size)).macs
    data = prepare_data(config, dataset)  # refuses a split of which nothing can be read
    module = build_module(config, model, data)
    with quiet():
        device = _build_trainer(config).strategy.root_device
        loader, _ = build_loaders(config, data, 0, 1, on_gpu=device.type == "cuda")
        num_clips = sum(1 for _ in loader.sampler)
        epochs = _Epochs(loader)
        loading = _measure_loading(epochs, seconds)
        batch = next(iter(epochs))
        network = _measure_steps(module, itertools.repeat(batch), config, seconds)
        training = _measure_steps(module, epochs, config, seconds)
    return TrainingSpeed(
        device=_name(device),
        precision=precision,
        batch_size=config.training.batch_size,
        workers=config.data.workers,
        num_clips=num_clips,
        training=training,
        network=network,
        loading=loading,
        macs=macs,
        peak=measure_matrix_peak(device, _DTYPES[precision]),
    )


def measure_matrix_peak(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Multiply-adds per second of a large matrix product, the best of its repetitions."""
    size = 8192 if device.type == "cuda" else 2048
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        left @ right
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return size**3 / best


class _Epochs(Iterable[Batch]):
    """The batches of one epoch after the other, without end."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Batch]:
        for epoch in itertools.count():
            sampler = self._loader.sampler
            assert isinstance(sampler, EpochSampler)
            sampler.set_epoch(epoch)
            yield from self._loader


class _Stopwatch(pl.Callback):
    """Counts the clips that are trained on, from the end of the warm-up until time is up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.clips = 0
        self.elapsed = 0.0
        self._start = 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, _: Any, batch: Batch, batch_idx: int
    ) -> None:
        if batch_idx + 1 < _WARM_UP:
            return
        _wait(module.device)
        now = time.perf_counter()
        if batch_idx + 1 == _WARM_UP:
            self._start = now
            return
        self.clips += len(batch.indices)
        self.elapsed = now - self._start
        trainer.should_stop = self.elapsed >= self.seconds


def _measure_steps(
    module: ActionModule, batches: Iterable[Batch], config: Config, seconds: float
) -> float:
    """Clips per second of Lightning's loop over these batches."""
    stopwatch = _Stopwatch(seconds)
    _build_trainer(config, stopwatch).fit(module, batches)
    return stopwatch.clips / stopwatch.elapsed


def _build_trainer(config: Config, *callbacks: pl.Callback) -> pl.Trainer:
    with known_device(config.training):
        return pl.Trainer(
            accelerator=config.training.accelerator,
            devices=1,
            precision=PRECISIONS[resolve_precision(config.training)],  # type: ignore[arg-type]
            max_steps=_MOST_STEPS,  # a schedule wants to know its end
            gradient_clip_val=config.training.gradient_clip or None,
            callbacks=list(callbacks),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )


def _measure_loading(batches: Iterable[Batch], seconds: float) -> float:
    start = clips = 0.0
    for number, batch in enumerate(batches):
        if number + 1 == _WARM_UP:
            start = time.perf_counter()
        elif number + 1 > _WARM_UP:
            clips += len(batch.indices)
            if time.perf_counter() - start >= seconds:
                break
    return clips / (time.perf_counter() - start)


def _wait(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
