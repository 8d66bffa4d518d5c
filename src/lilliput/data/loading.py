"""What the training and evaluation loops read: torch data sets over clips on disk.

Every random draw is a function of (seed, epoch, clip), whichever process makes it, so an
interrupted training goes on exactly as it would have. A clip that cannot be read becomes an
``UnreadableClip``: the batch goes on without it and carries the reason.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from lilliput.data.clips import Clip, targets_matrix
from lilliput.errors import VideoError
from lilliput.video.decode import read_video

ClipSampler = Callable[[int, np.random.Generator], np.ndarray]
ClipsSampler = Callable[[int], Sequence[np.ndarray]]


@dataclass(frozen=True)
class UnreadableClip:
    """Why one clip is missing from a batch."""

    index: int
    reason: str


@dataclass(frozen=True)
class Batch:
    """A batch on its way to the model.

    Attributes:
        clips: (N, 3, T, H, W) in training; (N, V, 3, T, H, W), V clips each, in evaluation.
        targets: (N, K) of 0 and 1.
        indices: (N,) positions in the split.
        unreadable: Clips that were skipped.
    """

    clips: torch.Tensor
    targets: torch.Tensor
    indices: torch.Tensor
    unreadable: tuple[UnreadableClip, ...]


class FrameSource:
    """Decoded frames of a list of clips, kept in memory if they fit.

    Args:
        clips: The clips.
        cache_bytes: Keep decoded frames up to this many bytes; 0 decodes every time.
    """

    def __init__(self, clips: Sequence[Clip], cache_bytes: int = 0) -> None:
        self.clips = clips
        self._cache: dict[int, torch.Tensor] = {}
        self._room = cache_bytes

    def __len__(self) -> int:
        return len(self.clips)

    def fill(self, advance: Callable[[], None] = lambda: None) -> None:
        """Decodes into the cache until it is full; unreadable clips are left for later."""
        lock = Lock()

        def decode(index: int) -> None:
            if self._room > 0 and index not in self._cache:
                try:
                    frames = self.read(index)
                except VideoError:
                    frames = None
                with lock:
                    if frames is not None and frames.nbytes <= self._room:
                        self._cache[index] = frames
                        self._room -= frames.nbytes
            advance()

        with ThreadPoolExecutor() as pool:  # decoding leaves Python's lock to others
            list(pool.map(decode, range(len(self))))

    def read(self, index: int) -> torch.Tensor:
        """(T, 3, H, W) uint8.

        Raises:
            VideoError: The clip cannot be read.
        """
        if index in self._cache:
            return self._cache[index]
        return read_video(self.clips[index].path).frames


class TrainingClips(Dataset[tuple[torch.Tensor, torch.Tensor, int] | UnreadableClip]):
    """One augmented clip per video; indexed by (epoch, position, repeat).

    Args:
        source: Where frames come from.
        num_classes: Classes K.
        sample: Picks frame indices from a frame count.
        transform: Frames and targets to clip and targets; draws from torch's generator.
        seed: Of all draws.
    """

    def __init__(
        self,
        source: FrameSource,
        num_classes: int,
        sample: ClipSampler,
        transform: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
        *,
        seed: int,
    ) -> None:
        self.source = source
        self.targets = torch.from_numpy(targets_matrix(source.clips, num_classes)).float()
        self.sample = sample
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(
        self, key: tuple[int, int, int]
    ) -> tuple[torch.Tensor, torch.Tensor, int] | UnreadableClip:
        epoch, index, repeat = key
        try:
            frames = self.source.read(index)
        except VideoError as error:
            return UnreadableClip(index, str(error))
        rng = np.random.default_rng([self.seed, epoch, index, *([repeat] if repeat else [])])
        picked = frames[torch.from_numpy(self.sample(len(frames), rng))]
        with torch.random.fork_rng(devices=[]):  # the transforms draw from the global generator
            torch.manual_seed(int(rng.integers(2**62)))
            clip, targets = self.transform(picked, self.targets[index])
        return clip, targets, index


class EvaluationClips(Dataset[tuple[torch.Tensor, torch.Tensor, int] | UnreadableClip]):
    """The V evaluation clips of each video, stacked: (V, 3, T, H, W).

    Args:
        source: Where frames come from.
        num_classes: Classes K.
        sample: Picks V lists of frame indices from a frame count.
        transform: Frames to clip.
    """

    def __init__(
        self,
        source: FrameSource,
        num_classes: int,
        sample: ClipsSampler,
        transform: Callable[[torch.Tensor], torch.Tensor],
    ) -> None:
        self.source = source
        self.targets = torch.from_numpy(targets_matrix(source.clips, num_classes)).float()
        self.sample = sample
        self.transform = transform

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, int] | UnreadableClip:
        try:
            frames = self.source.read(index)
        except VideoError as error:
            return UnreadableClip(index, str(error))
        picks = [torch.from_numpy(indices) for indices in self.sample(len(frames))]
        clips = torch.stack([self.transform(frames[pick]) for pick in picks])
        return clips, self.targets[index], index


def collate(items: Sequence[tuple[torch.Tensor, torch.Tensor, int] | UnreadableClip]) -> Batch:
    """Stacks what could be read."""
    readable = [item for item in items if not isinstance(item, UnreadableClip)]
    unreadable = tuple(item for item in items if isinstance(item, UnreadableClip))
    if not readable:
        empty = torch.empty(0)
        return Batch(empty, empty, torch.empty(0, dtype=torch.int64), unreadable)
    clips, targets, indices = zip(*readable, strict=True)
    return Batch(torch.stack(clips), torch.stack(targets), torch.tensor(indices), unreadable)


class EpochSampler(Sampler[tuple[int, int, int]]):
    """A fresh order every epoch, yielding (epoch, position, repeat), shared out over processes.

    ``repeat`` counts how often the clip came before in this epoch, so that a clip drawn twice
    is augmented in two ways.

    Args:
        num_clips: Clips in the split.
        seed: Of the orders.
        weights: (num_clips,) chances of being drawn, with replacement; None shuffles.
        rank: This process among ``world_size``.
        world_size: Processes that share each epoch.
    """

    def __init__(
        self,
        num_clips: int,
        *,
        seed: int,
        weights: np.ndarray | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.num_clips = num_clips
        self.seed = seed
        self.weights = None if weights is None else weights / weights.sum()
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.num_clips // self.world_size)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.weights is None:
            order = rng.permutation(self.num_clips)
        else:
            order = rng.choice(self.num_clips, self.num_clips, p=self.weights)
        # Every process gets the same number of clips: the first ones are repeated to fill up.
        order = np.resize(order, len(self) * self.world_size)
        seen: Counter[int] = Counter()
        repeats = []
        for position in order.tolist():
            repeats.append(seen[position])
            seen[position] += 1
        own = slice(self.rank, None, self.world_size)
        return (
            (self.epoch, position, repeat)
            for position, repeat in zip(order[own].tolist(), repeats[own], strict=True)
        )


def balancing_weights(clips: Sequence[Clip], num_classes: int) -> np.ndarray:
    """(N,) chances of being drawn that even out classes: 1 / frequency of a clip's rarest label."""
    targets = targets_matrix(clips, num_classes)
    rarity = 1.0 / np.maximum(targets.sum(axis=0), 1)
    weights = (targets * rarity).max(axis=1)
    return np.where(weights > 0, weights, 1.0 / len(clips))
