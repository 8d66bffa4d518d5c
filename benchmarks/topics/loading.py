"""Batches for training from two worker processes."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.clips import ClipSet, synthetic_clips
from benchmarks.context import Context
from benchmarks.pipelines import MAGNITUDE, OPERATIONS, SIZE, Pipeline, peer_pipelines
from benchmarks.readers import NUM_FRAMES
from benchmarks.tables import Claim, Table, make_rows
from benchmarks.timing import interleave
from lilliput.data import Clip
from lilliput.data.epochs import EpochSampler
from lilliput.data.loading import FrameSource, TrainingClips, collate
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS
from lilliput.video.sampling import random_segments
from lilliput.video.transforms import TrainingTransform

PACK, FILES, NATIVE = "Lilliput, pack", "Lilliput, files", "Lilliput, pack, native RandAugment"
_PEERS = (
    "torchvision reference, PyAV every frame",
    "PyAV reformatter and v2 transforms",
    "OpenCV and numpy",
)
_BATCH, _WORKERS = 8, 2


def run(context: Context) -> list[Table]:
    clips = synthetic_clips(context.folder, context.count(40, 8), 70)
    times = context.count(4, 2)  # as often is every clip in an epoch
    loaders = {
        PACK: our_loader(clips.packed * times, clips.num_classes, "input"),
        FILES: our_loader(clips.files * times, clips.num_classes, "input"),
        NATIVE: our_loader(clips.packed * times, clips.num_classes, "native"),
    }
    for name in _PEERS:
        loaders[name] = _peer_loader(clips, peer_pipelines("input")[name](), times)
    cases = {name: partial(_exhaust, loader) for name, loader in loaders.items()}
    results = interleave(cases, budget_seconds=context.seconds(40), max_rounds=12)
    count = times * len(clips.paths)
    rates = {
        name: samples if isinstance(samples, str) else tuple(count / each for each in samples)
        for name, samples in results.items()
    }
    table = Table(
        "DataLoader, synthetic, 70 px",
        f"Epochs of {count} clips of 16×112×112 in batches of {_BATCH}, {_WORKERS} persistent "
        "workers, each with one thread; transforms as above.",
        "clips/s",
        make_rows(rates, ours={PACK, FILES, NATIVE}),
        higher_is_better=True,
        claims=(Claim("Batches from a pack faster than every peer's", PACK, low=1.0),),
    )
    return [table]


def our_loader(
    clips: Sequence[Clip], num_classes: int, rand_augment_size: str, batch: int = _BATCH
) -> DataLoader:
    """Lilliput's loader as training builds it."""
    transform = TrainingTransform(
        RandomCrop(SIZE),
        KINETICS,
        flips=RandomFlips(),
        rand_augment=(OPERATIONS, MAGNITUDE),
        rand_augment_size=rand_augment_size,
    )
    data = TrainingClips(FrameSource(clips), num_classes, _sample, transform, seed=1)
    sampler = EpochSampler(len(clips), seed=1)
    return DataLoader(data, batch, sampler=sampler, **_shared(collate))


def _peer_loader(clips: ClipSet, pipeline: Pipeline, times: int) -> DataLoader:
    data = _PeerClips(clips, pipeline, times)
    return DataLoader(data, _BATCH, shuffle=True, **_shared(None))


def _shared(collate_fn: object) -> dict[str, object]:
    return {
        "num_workers": _WORKERS,
        "collate_fn": collate_fn,
        "persistent_workers": True,
        "multiprocessing_context": "fork",
    }


def _sample(num_source: int, rng: np.random.Generator) -> np.ndarray:
    return random_segments(num_source, NUM_FRAMES, rng)


def _exhaust(loader: DataLoader) -> None:
    iterator: Iterator[object] = iter(loader)
    for _ in iterator:
        pass


class _PeerClips(Dataset[torch.Tensor]):
    """A data set in the style of torchvision's: one clip and its label per index."""

    def __init__(self, clips: ClipSet, pipeline: Pipeline, times: int) -> None:
        self.clips = clips
        self.pipeline = pipeline
        self.times = times

    def __len__(self) -> int:
        return self.times * len(self.clips.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        number = index % len(self.clips.paths)
        return self.pipeline(self.clips.paths[number], number), 0
