"""In which order training reads its clips."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from lilliput.data.clips import Clip, targets_matrix


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
