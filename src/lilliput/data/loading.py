"""What the training and evaluation loops read: torch data sets over clips on disk.

Every random draw is a function of (seed, epoch, clip), whichever process makes it, so an
interrupted training goes on exactly as it would have. A clip that cannot be read becomes an
``UnreadableClip``: the batch goes on without it and carries the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from lilliput.data.clips import Clip, targets_matrix
from lilliput.data.frames import Frames
from lilliput.errors import VideoError
from lilliput.video.deferred import DrawnClip, DrawnClips
from lilliput.video.normalisation import stack_clips
from lilliput.video.paired import PairedClip
from lilliput.video.transforms import EvaluationTransform

AnyClip = torch.Tensor | DrawnClip | PairedClip
Item = tuple[AnyClip, torch.Tensor, int]  # clip, targets, index
ClipTransform = Callable[
    [torch.Tensor, torch.Tensor, torch.Generator],
    tuple[torch.Tensor, torch.Tensor]
    | tuple[DrawnClip, torch.Tensor]
    | tuple[PairedClip, torch.Tensor],
]
ClipSampler = Callable[[int, np.random.Generator], np.ndarray]
ClipsSampler = Callable[[int, str], Sequence[np.ndarray]]  # frame count and name of a video

_CLIPS_AT_ONCE = 16  # of one video, between its file and a batch


@dataclass(frozen=True)
class UnreadableClip:
    """Why one clip is missing from a batch."""

    index: int
    reason: str


@dataclass(frozen=True)
class Batch:
    """A batch on its way to the model.

    Attributes:
        clips: (N, 3, T, H, W), or what becomes that on the device; (N, V, 3, T, H, W) from
            ``EvaluationClips``, V clips each.
        targets: (N, K) in [0, 1].
        indices: (N,) positions in the split; several clips of a video have the same.
        unreadable: Clips that were skipped.
        larger: (N, 3, T, L, L), the same clips as a teacher takes them, or None.
    """

    clips: torch.Tensor | DrawnClips
    targets: torch.Tensor
    indices: torch.Tensor
    unreadable: tuple[UnreadableClip, ...]
    larger: torch.Tensor | None = None

    def pin_memory(self) -> "Batch":
        """The same in memory that a GPU reads without waiting."""
        return replace(
            self,
            clips=self.clips.pin_memory(),
            targets=self.targets.pin_memory(),
            indices=self.indices.pin_memory(),
            larger=None if self.larger is None else self.larger.pin_memory(),
        )


class FrameSource:
    """The frames of a list of clips: from a pack, from memory, or decoded anew.

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
        """Decodes into the cache until it is full; unreadable clips are left for later.

        Packed clips need none: the operating system keeps in memory what is read of them.
        """
        lock = Lock()

        def decode(index: int) -> None:
            unpacked = self.clips[index].packed is None
            if unpacked and self._room > 0 and index not in self._cache:
                try:
                    frames = self.read(index)[:]
                except VideoError:
                    frames = None
                with lock:
                    if frames is not None and frames.nbytes <= self._room:
                        self._cache[index] = frames
                        self._room -= frames.nbytes
            advance()

        with ThreadPoolExecutor() as pool:  # decoding leaves Python's lock to others
            list(pool.map(decode, range(len(self))))

    def read(self, index: int) -> Frames:
        """Opens a clip: ``frames[picks]`` touches the picked frames only, ``frames[:]`` all.

        Raises:
            VideoError: The clip cannot be read.
        """
        cached = self._cache.get(index)
        return self.clips[index].read() if cached is None else cached


class TrainingClips(Dataset[Item | UnreadableClip]):
    """One augmented clip per video; indexed by (epoch, position, repeat).

    Args:
        source: Where frames come from.
        num_classes: Classes K.
        sample: Picks frame indices from a frame count.
        transform: Frames, targets and a generator to clip and targets.
        seed: Of all draws.
    """

    def __init__(
        self,
        source: FrameSource,
        num_classes: int,
        sample: ClipSampler,
        transform: ClipTransform,
        *,
        seed: int,
    ) -> None:
        self.source = source
        self.targets = torch.from_numpy(targets_matrix(source.clips, num_classes)).float()
        self.learned = self.targets  # others where a teacher knows more than the labels
        self.sample = sample
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, key: tuple[int, int, int]) -> Item | UnreadableClip:
        epoch, index, repeat = key
        rng = np.random.default_rng([self.seed, epoch, index, *([repeat] if repeat else [])])
        try:
            frames = self.source.read(index)
            picked = frames[self.sample(len(frames), rng)]
        except VideoError as error:
            return UnreadableClip(index, str(error))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        clip, targets = self.transform(picked, self.learned[index], generator)
        return clip, targets, index


class EvaluationClips(Dataset[Item | UnreadableClip]):
    """The V evaluation clips of each video, stacked: (V, 3, T, H, W).

    Args:
        source: Where frames come from.
        num_classes: Classes K.
        sample: Picks V lists of frame indices from a frame count and the name of the video's file.
        transform: Frames to clip.
    """

    def __init__(
        self,
        source: FrameSource,
        num_classes: int,
        sample: ClipsSampler,
        transform: EvaluationTransform,
    ) -> None:
        self.source = source
        self.targets = torch.from_numpy(targets_matrix(source.clips, num_classes)).float()
        self.sample = sample
        self.transform = transform

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Item | UnreadableClip:
        try:
            frames = self.source.read(index)
            views = self._view(frames, self.sample(len(frames), self._name(index)))
        except VideoError as error:
            return UnreadableClip(index, str(error))
        return views, self.targets[index], index

    def iter_clips(self, index: int) -> Iterator[Item | UnreadableClip]:
        """One clip (3, T, S, S) of a video after the other, of which few are in memory."""
        try:
            frames = self.source.read(index)
            picks = self.sample(len(frames), self._name(index))
            for start in range(0, len(picks), _CLIPS_AT_ONCE):
                for clip in self._view(frames, picks[start : start + _CLIPS_AT_ONCE]):
                    yield clip, self.targets[index], index
        except VideoError as error:
            yield UnreadableClip(index, str(error))

    def _name(self, index: int) -> str:
        return self.source.clips[index].path.stem

    def _view(self, frames: Frames, chosen: Sequence[np.ndarray]) -> torch.Tensor:
        picks = np.stack(list(chosen))
        # Clips of a video share frames: each is scaled once.
        unique, places = np.unique(picks, return_inverse=True)
        scaled = self.transform.resize(frames[unique])
        return self.transform.normalise(scaled[torch.from_numpy(places.reshape(picks.shape))])


class EvaluationStream(IterableDataset[Item | UnreadableClip]):
    """The clips of ``EvaluationClips`` one by one, so that a video may have any number of them.

    Memory is bounded by the batch, however long the videos are. Processes that prepare batches
    share the videos.

    Args:
        clips: The clips.
        rows: Positions of the videos to read; None reads all.
    """

    def __init__(self, clips: EvaluationClips, rows: Sequence[int] | None = None) -> None:
        self.clips = clips
        self.rows = range(len(clips)) if rows is None else rows

    def __iter__(self) -> Iterator[Item | UnreadableClip]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for index in self.rows[first::step]:
            yield from self.clips.iter_clips(index)


def collate(items: Sequence[Item | UnreadableClip]) -> Batch:
    """Stacks what could be read."""
    readable = [item for item in items if not isinstance(item, UnreadableClip)]
    unreadable = tuple(item for item in items if isinstance(item, UnreadableClip))
    if not readable:
        empty = torch.empty(0)
        return Batch(empty, empty, torch.empty(0, dtype=torch.int64), unreadable)
    clips, targets, indices = zip(*readable, strict=True)
    drawn = [clip for clip in clips if isinstance(clip, DrawnClip)]
    pairs = [clip for clip in clips if isinstance(clip, PairedClip)]
    larger = stack_clips([pair.larger for pair in pairs]) if pairs else None
    plain = [pair.clip for pair in pairs] or clips
    batch = DrawnClips.join(drawn) if drawn else stack_clips(plain)
    return Batch(batch, torch.stack(targets), torch.tensor(indices), unreadable, larger)
