"""Batches: draws that repeat, orders that cover, bad clips that do not stop anything."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lilliput.data.clips import Clip
from lilliput.data.loading import (
    EpochSampler,
    EvaluationClips,
    FrameSource,
    TrainingClips,
    balancing_weights,
    collate,
)
from lilliput.video.sampling import centre_segments, random_segments
from lilliput.video.transforms import KINETICS, EvaluationTransform, RandomFlips, TrainingTransform


@pytest.fixture
def clips(tmp_path: Path, make_video) -> list[Clip]:
    paths = [make_video(tmp_path / f"{n}.mp4", frames=6 + n, seed=n) for n in range(3)]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"junk")
    return [Clip(path.stem, path, (n % 2,), path.stem) for n, path in enumerate([*paths, broken])]


def training_clips(clips: list[Clip], seed: int = 3, cache_bytes: int = 0) -> TrainingClips:
    source = FrameSource(clips, cache_bytes)
    source.fill()
    return TrainingClips(
        source,
        2,
        lambda count, rng: random_segments(count, 4, rng),
        TrainingTransform(14, KINETICS, flips=RandomFlips(), rand_augment=(2, 9)),
        seed=seed,
    )


def test_a_draw_is_a_function_of_seed_epoch_and_clip(clips: list[Clip]) -> None:
    first, second = training_clips(clips), training_clips(clips, cache_bytes=2**20)
    torch.manual_seed(99)
    drawn = first[5, 1, 0][0]
    torch.rand(7)
    assert torch.equal(drawn, second[5, 1, 0][0])
    assert not torch.equal(drawn, first[6, 1, 0][0])
    assert not torch.equal(drawn, first[5, 1, 1][0])
    assert not torch.equal(drawn, training_clips(clips, seed=4)[5, 1, 0][0])


def test_drawing_leaves_the_global_generator_alone(clips: list[Clip]) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    training_clips(clips)[0, 0, 0]
    assert torch.equal(torch.rand(1), expected)


def test_cache_holds_no_more_than_its_bytes(clips: list[Clip]) -> None:
    source = FrameSource(clips, cache_bytes=2 * 8 * 3 * 16 * 16)
    source.fill()
    cached = sum(frames.nbytes for frames in source._cache.values())
    assert 0 < cached <= 2 * 8 * 3 * 16 * 16


def test_a_bad_clip_leaves_the_batch_and_says_why(clips: list[Clip]) -> None:
    data = EvaluationClips(
        FrameSource(clips), 2, lambda count: [centre_segments(count, 4)] * 2,
        EvaluationTransform(14, KINETICS),
    )  # fmt: skip
    batch = collate([data[index] for index in range(4)])
    assert batch.clips.shape == (3, 2, 3, 4, 14, 14)
    assert batch.indices.tolist() == [0, 1, 2]
    assert [clip.index for clip in batch.unreadable] == [3]
    assert "broken.mp4" in batch.unreadable[0].reason
    assert len(collate([data[3]]).indices) == 0


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
