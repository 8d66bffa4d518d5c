"""How long a training will take on this machine, from a few steps of it."""

import os
import time

import torch
from torch import nn

from lilliput.builders import (
    build_labels,
    build_model,
    build_training_sampler,
    build_training_transform,
    resolve_task,
)
from lilliput.config import Config
from lilliput.data import LabelSet, VideoDataset
from lilliput.data.folds import pool_dataset
from lilliput.data.loading import FrameSource, TrainingClips, UnreadableClip
from lilliput.training.distillation import possible_flips
from lilliput.training.teachers import load_teachers
from lilliput.video.normalisation import KINETICS

_STEPS = 3
_CLIPS = 6  # read and augmented
_EPOCH_SECONDS = 0.7  # for saving models and drawing curves


def estimate_seconds(config: Config, dataset: VideoDataset) -> float:
    """The expected duration of a training; takes seconds itself.

    Steps of the network and reading of clips are timed apart and added: on a CPU they share its
    cores. On a GPU only the reading is timed, which is what limits small networks there.
    """
    config = resolve_task(config, dataset)
    train, val = dataset.split(config.data.train), dataset.splits.get(config.data.val, ())
    clips = len(train) * config.augment.crops_per_clip * config.training.passes
    steps = config.training.epochs * -(-clips // config.training.batch_size)
    reading = _time_reading(config, dataset) / max(1, min(config.data.workers, os.cpu_count() or 1))
    network = 0.0 if torch.cuda.is_available() else _time_step(config, len(dataset.labels))
    per_clip = network / config.training.batch_size
    validation = config.training.epochs * len(val) * (per_clip / 3 + reading)
    trained = steps * (network + config.training.batch_size * reading)
    taught = _count_taught(config, len(train), steps) * _time_teachers(config, dataset.labels)
    return trained + validation + taught + config.training.epochs * _EPOCH_SECONDS


def estimate_folds_seconds(
    config: Config, dataset: VideoDataset, num_folds: int, *, ensemble: bool
) -> float:
    """The same of a cross-validation: a training per fold on the others' clips, and one on all.

    An ensemble of the folds goes without the last one.
    """
    dataset, name = pool_dataset(dataset, config.data.train, config.data.val)
    data = config.data.model_copy(update={"train": name, "val": ""})
    whole = estimate_seconds(config.model_copy(update={"data": data}), dataset)
    return whole * (num_folds - 1 if ensemble else num_folds)


def _count_taught(config: Config, clips: int, steps: int) -> int:
    """How many clips every teacher scores: each in all its flips once, or at every step."""
    if config.training.teacher_views == "fixed":
        return clips * len(possible_flips(config))
    return steps * config.training.batch_size


@torch.inference_mode()
def _time_teachers(config: Config, labels: LabelSet) -> float:
    """Seconds in which all teachers score one clip; 0 without, or on a GPU."""
    if torch.cuda.is_available():
        return 0.0
    seconds = 0.0
    for teacher in load_teachers(config, build_labels(config, labels)):
        model, clips = teacher.build_model(), torch.zeros(_CLIPS, *teacher.clip_shape)
        times = []
        for _ in range(_STEPS):
            start = time.perf_counter()
            model(clips)
            times.append(time.perf_counter() - start)
        seconds += min(times) / _CLIPS
    return seconds


def _time_step(config: Config, num_classes: int) -> float:
    """Seconds of one training step, without reading its clips."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(config.model, num_classes, config.sampling.num_frames).train()
        side = config.model.clip_size
        shape = (config.training.batch_size, 3, config.sampling.num_frames, side, side)
        clips = torch.randn(shape).contiguous(memory_format=torch.channels_last_3d)
    for layer in model.modules():
        if isinstance(layer, nn.Conv3d):
            layer.to(memory_format=torch.channels_last_3d)
    times = []
    for _ in range(_STEPS):
        start = time.perf_counter()
        model.zero_grad()
        model(clips).square().mean().backward()
        times.append(time.perf_counter() - start)
    return min(times)  # the first lays out memory


def _time_reading(config: Config, dataset: VideoDataset) -> float:
    """Seconds to augment one clip that is decoded already."""
    clips = dataset.split(config.data.train)
    chosen = clips[:: max(1, len(clips) // _CLIPS)][:_CLIPS]
    source = FrameSource(chosen, int(config.data.cache_gib * 2**30))
    source.fill()
    training = TrainingClips(
        source,
        len(dataset.labels),
        build_training_sampler(config),
        build_training_transform(config, KINETICS, dataset.labels),
        seed=0,
    )
    start = time.perf_counter()
    read = [training[0, index, 0] for index in range(len(training))]
    count = sum(not isinstance(item, UnreadableClip) for item in read)
    return (time.perf_counter() - start) / max(1, count)
