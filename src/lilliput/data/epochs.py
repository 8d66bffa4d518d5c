"""In which order training reads its clips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler

from lilliput.data.clips import Clip, targets_matrix


@dataclass(frozen=True)
class Views:
    """How often a training batch holds each of its clips, augmented anew each time.

    Sources: Hoffer et al., Augment Your Batch, CVPR 2020; Fort et al., Drawing Multiple
    Augmentation Samples Per Image During Training Efficiently Decreases Test Error, 2021.

    Attributes:
        crops: Views of each clip, by which an epoch grows.
        repeated: Views of each clip, for which an epoch takes as many clips fewer.
        batch_size: Views in a batch.
    """

    crops: int = 1
    repeated: int = 1
    batch_size: int = 1

    @property
    def per_clip(self) -> int:
        """Views of a clip in its batch."""
        return self.crops * self.repeated


ONE_VIEW = Views()


class EpochSampler(Sampler[tuple[int, int, int]]):
    """A fresh order every epoch, yielding (epoch, position, repeat), shared out over processes.

    ``repeat`` counts how often the clip came before in this epoch, so that a clip drawn twice
    is augmented in two ways. Views of a clip lie in one batch, but not side by side, where mixing
    would meet them.

    Args:
        num_clips: Clips in the split.
        seed: Of the orders.
        weights: (num_clips,) chances of being drawn, with replacement; None shuffles.
        views: How often a batch holds each clip.
        rank: This process among ``world_size``.
        world_size: Processes that share each epoch.
        passes: Times that an epoch goes through the clips, each in an order of its own.
    """

    def __init__(
        self,
        num_clips: int,
        *,
        seed: int,
        weights: np.ndarray | None = None,
        passes: int = 1,
        views: Views = Views(),
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.num_clips = num_clips
        self.seed = seed
        self.weights = None if weights is None else weights / weights.sum()
        self.passes = passes
        self.views = views
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._own_clips * self.views.per_clip

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        order = self._draw()
        seen: Counter[int] = Counter()
        draws = []
        for position in order.tolist():
            draws.append((position, seen[position] * self.views.per_clip))
            seen[position] += 1
        own = draws[self.rank :: self.world_size]
        in_batch = max(self.views.batch_size // self.views.per_clip, 1)
        for start in range(0, len(own), in_batch):
            for view in range(self.views.per_clip):
                for position, repeat in own[start : start + in_batch]:
                    yield self.epoch, position, repeat + view

    @property
    def _drawn_clips(self) -> int:
        return self.passes * self._clips_of_pass

    @property
    def _clips_of_pass(self) -> int:
        return -(-self.num_clips // self.views.repeated)

    @property
    def _own_clips(self) -> int:
        return -(-self._drawn_clips // self.world_size)

    def _draw(self) -> np.ndarray:
        """The clips of this epoch, of all processes together."""
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.weights is None:
            orders = [rng.permutation(self.num_clips) for _ in range(self.passes)]
            order = np.concatenate([one[: self._clips_of_pass] for one in orders])
        else:
            order = rng.choice(self.num_clips, self._drawn_clips, p=self.weights)
        # Every process gets the same number of clips: the first ones are repeated to fill up.
        return np.resize(order, self._own_clips * self.world_size)


def balancing_weights(clips: Sequence[Clip], num_classes: int) -> np.ndarray:
    """(N,) chances of being drawn that even out classes: 1 / frequency of a clip's rarest label."""
    targets = targets_matrix(clips, num_classes)
    rarity = 1.0 / np.maximum(targets.sum(axis=0), 1)
    weights = (targets * rarity).max(axis=1)
    return np.where(weights > 0, weights, 1.0 / len(clips))
