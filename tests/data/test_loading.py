"""Batches: draws that repeat, orders that cover, bad clips that do not stop anything."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lilliput.data.clips import Clip
from lilliput.data.loading import (
    EvaluationClips,
    EvaluationStream,
    FrameSource,
    TrainingClips,
    UnreadableClip,
    collate,
)
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS
from lilliput.video.sampling import centre_segments, consecutive_clips, random_segments
from lilliput.video.transforms import EvaluationTransform, TrainingTransform


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
        TrainingTransform(RandomCrop(14), KINETICS, flips=RandomFlips(), rand_augment=(2, 9)),
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
        FrameSource(clips), 2, lambda count, _: [centre_segments(count, 4)] * 2,
        EvaluationTransform(14, KINETICS),
    )  # fmt: skip
    batch = collate([data[index] for index in range(4)])
    assert batch.clips.shape == (3, 2, 3, 4, 14, 14)
    assert batch.indices.tolist() == [0, 1, 2]
    assert [clip.index for clip in batch.unreadable] == [3]
    assert "broken.mp4" in batch.unreadable[0].reason
    assert len(collate([data[3]]).indices) == 0


def _consecutive(count: int, _: str) -> list[np.ndarray]:
    return consecutive_clips(count, 2)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_has_every_clip_of_every_video_once(clips: list[Clip], workers: int) -> None:
    data = EvaluationClips(FrameSource(clips), 2, _consecutive, EvaluationTransform(14, KINETICS))
    loader = DataLoader(EvaluationStream(data), 2, num_workers=workers, collate_fn=collate)
    found: dict[int, list[torch.Tensor]] = {}
    unreadable = []
    for batch in loader:
        unreadable += batch.unreadable
        for index, clip in zip(batch.indices.tolist(), batch.clips, strict=True):
            found.setdefault(index, []).append(clip)
    assert [len(found[index]) for index in range(3)] == [3, 3, 4]  # of 6, 7 and 8 frames
    for index in range(3):
        assert torch.equal(torch.stack(found[index]), data[index][0])
    assert [clip.index for clip in unreadable] == [3]
    rows = EvaluationStream(data, range(1, 4, 2))
    assert [item.index if isinstance(item, UnreadableClip) else item[2] for item in rows] == [
        1, 1, 1, 3,
    ]  # fmt: skip


def test_a_long_video_is_streamed_a_few_clips_at_a_time() -> None:
    asked: list[int] = []

    class Endless:
        """A decoded video that tells how many of its frames are asked for."""

        def __len__(self) -> int:
            return 10_000

        def __getitem__(self, picks: np.ndarray) -> torch.Tensor:
            asked.append(len(picks))
            return torch.zeros(len(picks), 3, 4, 4, dtype=torch.uint8)

    class Source(FrameSource):
        def read(self, index: int) -> Endless:
            return Endless()

    source = Source([Clip("a", Path("a.mp4"), (0,), "a")])
    data = EvaluationClips(source, 1, _consecutive, EvaluationTransform(4, KINETICS))
    stream = iter(EvaluationStream(data))
    for _ in range(20):
        next(stream)
    assert asked == [32, 32]  # 16 clips of 2 frames, twice
    assert 20 + sum(1 for _ in stream) == 5_000


def test_draws_are_named_by_the_file_of_a_video(clips: list[Clip]) -> None:
    names = []

    def sample(count: int, name: str) -> list[np.ndarray]:
        names.append(name)
        return [centre_segments(count, 2)]

    data = EvaluationClips(FrameSource(clips[:2]), 2, sample, EvaluationTransform(14, KINETICS))
    list(EvaluationStream(data))
    assert names == ["0", "1"]
