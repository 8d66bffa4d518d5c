"""The clips of a training, decoded, described and put into batches."""

import copy
import sys
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress
from torch.utils.data import DataLoader

from lilliput.builders import (
    build_evaluation_transform,
    build_normalisation,
    build_training_sampler,
    build_training_transform,
    build_validation_sampler,
)
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.epochs import ONE_VIEW, EpochSampler, Views, balancing_weights
from lilliput.data.loading import (
    EvaluationClips,
    EvaluationStream,
    FrameSource,
    TrainingClips,
    collate,
)
from lilliput.data.statistics import measure_clip_seconds
from lilliput.video.deferred import DeferredTransform
from lilliput.video.normalisation import Normalisation
from lilliput.video.transforms import TrainingTransform


@dataclass(frozen=True)
class TrainingData:
    """The two splits of a training, as the loops read them; ``val`` may hold no clips."""

    train: TrainingClips
    val: EvaluationClips
    normalisation: Normalisation
    clip_seconds: float


def prepare_data(config: Config, dataset: VideoDataset) -> TrainingData:
    """Decodes what fits into memory and measures what the normalisation needs."""
    budget = int(config.data.cache_gib * 2**30)
    train = FrameSource(dataset.split(config.data.train), budget)
    held_out = dataset.split(config.data.val) if config.data.val else ()
    val = FrameSource(held_out, budget // 4)
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
            build_validation_sampler(config),
            build_evaluation_transform(config, normalisation),
        ),
        normalisation,
        measure_clip_seconds(train.clips),
    )


def build_loaders(
    config: Config, data: TrainingData, rank: int, world_size: int, *, on_gpu: bool = False
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """The share of process ``rank``, in batches.

    Args:
        config: The recipe.
        data: What is read.
        rank: This process.
        world_size: Processes in all.
        on_gpu: Leave augmentation to the device, which does whole batches at once.
    """
    train = copy.copy(data.train)
    if on_gpu and isinstance(train.transform, TrainingTransform):
        train.transform = DeferredTransform(train.transform)
    num_classes = data.train.targets.shape[1]
    balanced = config.training.balanced_sampling
    augment, batch_size = config.augment, config.training.batch_size
    views = Views(augment.crops_per_clip, augment.repeated, batch_size)
    sampler = EpochSampler(
        len(data.train),
        seed=config.training.seed,
        weights=balancing_weights(data.train.source.clips, num_classes) if balanced else None,
        views=views if augment.enabled else ONE_VIEW,
        passes=config.training.passes,
        rank=rank,
        world_size=world_size,
    )
    shared = {
        "num_workers": config.data.workers,
        "collate_fn": collate,
        "pin_memory": on_gpu,
        "persistent_workers": config.data.workers > 0,
        # The decoded clips are shared with forked workers, not copied to them.
        "multiprocessing_context": "fork" if _can_fork(config) else None,
    }
    share = range(rank, len(data.val), world_size)
    val: Any = EvaluationStream(data.val, share) if share else []
    return (
        DataLoader(train, batch_size, sampler=sampler, **shared),  # type: ignore[arg-type]
        DataLoader(val, config.evaluation.batch_size, **shared),  # type: ignore[arg-type]
    )


def _can_fork(config: Config) -> bool:
    return config.data.workers > 0 and sys.platform == "linux"
