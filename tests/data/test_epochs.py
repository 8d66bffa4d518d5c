"""Orders: every clip once an epoch, whatever the number of processes; rare classes on demand."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.data.clips import Clip
from lilliput.data.epochs import EpochSampler, Views, balancing_weights


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


@given(
    st.integers(1, 40), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)
)
def test_views_of_a_clip_share_its_batch_and_differ(
    num_clips: int, crops: int, repeated: int, in_batch: int, world_size: int
) -> None:
    views = crops * repeated
    batch_size = in_batch * views
    drawn: list[int] = []
    draws: Counter[tuple[int, int]] = Counter()
    for rank in range(world_size):
        sampler = EpochSampler(
            num_clips,
            seed=1,
            views=Views(crops, repeated, batch_size),
            rank=rank,
            world_size=world_size,
        )
        keys = list(sampler)
        assert len(keys) == len(sampler)
        for start in range(0, len(keys), batch_size):
            batch = [(position, repeat) for _, position, repeat in keys[start : start + batch_size]]
            assert len(set(batch)) == len(batch)
            counts = Counter(position for position, _ in batch)
            assert all(count % views == 0 for count in counts.values())
            if len(counts) > 1 and set(counts.values()) == {views}:
                assert all(a[0] != b[0] for a, b in pairwise(batch))
            drawn += [position for position, count in counts.items() for _ in range(count // views)]
            draws.update(batch)
    expected = -(-num_clips // repeated)
    assert len(set(drawn)) == expected
    assert len(drawn) - expected < world_size
    # Clips that fill up the shares are other draws, too, as long as each comes once more.
    assert set(draws.values()) == {1}
    whole = EpochSampler(num_clips, seed=1, views=Views(crops, repeated, batch_size))
    assert num_clips * crops <= len(whole) < (num_clips + repeated) * crops


def test_repeated_clips_are_others_in_each_epoch() -> None:
    sampler = EpochSampler(30, seed=1, views=Views(repeated=3, batch_size=6))
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        epochs.append({position for _, position, _ in sampler})
    assert len(epochs[0]) == len(epochs[1]) == 10
    assert epochs[0] != epochs[1]


def test_balanced_drawing_gives_every_draw_its_views() -> None:
    weights = np.array([0.9, 0.05, 0.05])
    sampler = EpochSampler(3, seed=1, weights=weights, views=Views(crops=2, batch_size=4))
    keys = list(sampler)
    assert len(keys) == 6
    assert len(set(keys)) == 6  # though the first clip is drawn more than once
    counts = Counter(position for _, position, _ in keys)
    assert max(counts.values()) > 2
    assert all(count % 2 == 0 for count in counts.values())


@pytest.mark.parametrize("world_size", [1, 2])
def test_an_epoch_of_several_passes_goes_through_all_clips_each_time(world_size: int) -> None:
    samplers = [
        EpochSampler(6, seed=1, passes=3, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    parts = [list(sampler) for sampler in samplers]
    assert all(len(sampler) == len(part) for sampler, part in zip(samplers, parts, strict=True))
    together = [draw for group in zip(*parts, strict=True) for draw in group]
    passes = [together[start : start + 6] for start in (0, 6, 12)]
    for number, one in enumerate(passes):
        assert sorted(position for _, position, _ in one) == list(range(6))
        assert {repeat for _, _, repeat in one} == {number}  # augmented anew
    assert len({tuple(position for _, position, _ in one) for one in passes}) > 1
