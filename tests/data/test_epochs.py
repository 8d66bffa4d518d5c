"""Orders: every clip once an epoch, whatever the number of processes; rare classes on demand."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.data.clips import Clip
from lilliput.data.epochs import EpochSampler, balancing_weights


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 3))
def test_every_epoch_covers_every_clip_over_all_processes(
    num_clips: int, world_size: int, epoch: int
) -> None:
    seen: list[int] = []
    lengths = set()
    for rank in range(world_size):
        sampler = EpochSampler(num_clips, seed=1, rank=rank, world_size=world_size)
        sampler.set_epoch(epoch)
        keys = list(sampler)
        assert len(keys) == len(sampler)
        assert {key[0] for key in keys} == {epoch}
        lengths.add(len(keys))
        seen += [key[1] for key in keys]
    assert set(seen) == set(range(num_clips))
    assert len(lengths) == 1
    assert len(seen) - num_clips < world_size


def test_orders_differ_between_epochs_and_repeat() -> None:
    sampler = EpochSampler(50, seed=1)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert [key[1] for key in sampler] != [key[1] for key in first]


def test_balanced_drawing_evens_out_classes(tmp_path: Path) -> None:
    labels = [(0,)] * 90 + [(1,)] * 10
    clips = [Clip(str(n), tmp_path, label, str(n)) for n, label in enumerate(labels)]
    sampler = EpochSampler(len(clips), seed=1, weights=balancing_weights(clips, 2))
    drawn: Counter[int] = Counter()
    for epoch in range(50):
        sampler.set_epoch(epoch)
        drawn.update(labels[position][0] for _, position, _ in sampler)
        assert len(set(sampler)) == len(sampler)  # a clip drawn again is another draw
    share = drawn[1] / sum(drawn.values())
    assert share == pytest.approx(0.5, abs=0.03)
    assert np.isclose(balancing_weights(clips, 2)[:90].sum(), 1)
