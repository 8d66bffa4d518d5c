"""Folds hold whole recordings and every class; what they cannot hold is told or refused."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from lilliput.data import Clip, LabelSet, VideoDataset
from lilliput.data.folds import check_folds, divide, holds_folds, pool_dataset, write_folds
from lilliput.errors import ConfigError, DataError


def _clips(rows: list[tuple[int, tuple[int, ...]]]) -> list[Clip]:
    return [
        Clip(str(number), Path(f"{number}.mp4"), labels, f"r{recording}")
        for number, (recording, labels) in enumerate(rows)
    ]


def _dataset(clips: list[Clip], **splits: list[Clip]) -> VideoDataset:
    names = LabelSet.from_names(["a", "b", "c", "d"])
    return VideoDataset(Path("set"), "test", names, {"train": clips, **splits})


_rows = st.lists(
    st.tuples(st.integers(0, 12), st.sets(st.integers(0, 3)).map(lambda s: tuple(sorted(s)))),
    min_size=2,
    max_size=60,
)


@given(_rows, st.integers(2, 6), st.integers(0, 5))
def test_every_clip_is_in_one_fold_and_every_recording_too(
    rows: list[tuple[int, tuple[int, ...]]], num_folds: int, seed: int
) -> None:
    clips = _clips(rows)
    if len({clip.recording for clip in clips}) < num_folds:
        with pytest.raises(DataError, match="too few for"):
            divide(clips, num_folds, seed=seed)
        return
    folds = divide(clips, num_folds, seed=seed)
    assert len(folds) == num_folds
    assert all(folds)
    assert sorted(clip.clip_id for fold in folds for clip in fold) == sorted(
        clip.clip_id for clip in clips
    )
    recordings = [{clip.recording for clip in fold} for fold in folds]
    for number, ours in enumerate(recordings):
        for theirs in recordings[number + 1 :]:
            assert not ours & theirs
    for fold in folds:
        assert [clip for clip in clips if clip in fold] == fold
    assert divide(clips, num_folds, seed=seed) == folds


def _imbalance(folds: list[np.ndarray], labels: np.ndarray) -> float:
    """Over folds and classes, how far their shares are from equal, root mean square."""
    shares = np.array([np.bincount(labels[fold], minlength=4) for fold in folds], dtype=float)
    shares /= np.bincount(labels, minlength=4)
    return float(np.sqrt(np.mean(np.square(shares - 1 / len(folds)))))


@pytest.mark.parametrize("num_folds", [3, 5])
def test_classes_are_as_evenly_divided_as_by_scikit_learn(num_folds: int) -> None:
    ours, theirs = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        recordings = rng.integers(0, 40, 300)
        favourite = rng.integers(0, 4, 40)  # clips of a recording tend to be of one class
        labels = np.where(
            rng.random(300) < 0.6,
            favourite[recordings],
            rng.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05]),
        )
        clips = _clips([(int(r), (int(c),)) for r, c in zip(recordings, labels, strict=True)])
        folds = divide(clips, num_folds, seed=seed)
        ours.append(_imbalance([np.array([int(c.clip_id) for c in f]) for f in folds], labels))
        splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
        parts = [test for _, test in splitter.split(labels, labels, recordings)]
        theirs.append(_imbalance(parts, labels))
    assert np.mean(ours) <= 1.1 * np.mean(theirs)


def test_a_rare_class_is_not_left_to_one_fold() -> None:
    """Two recordings of it, among many of other classes: each in a fold of its own."""
    rows = [(number, (number % 2,)) for number in range(40)]
    rows += [(40, (2,)), (40, (2,)), (41, (2,)), (42, (3, 0)), (43, (3, 1))]
    for seed in range(10):
        folds = divide(_clips(rows), 5, seed=seed)
        for label in (2, 3):
            assert sum(any(label in (c.labels or ()) for c in fold) for fold in folds) == 2


def test_seeds_give_different_folds() -> None:
    clips = _clips([(number, (number % 2,)) for number in range(20)])
    found = {
        tuple(tuple(clip.clip_id for clip in fold) for fold in divide(clips, 4, seed=seed))
        for seed in range(5)
    }
    assert len(found) == 5


def test_one_fold_is_none() -> None:
    with pytest.raises(ConfigError, match="give 2 or more"):
        divide(_clips([(0, (0,)), (1, (1,))]), 1)


def test_pooling_renames_clips_and_leaves_other_splits() -> None:
    train, val = _clips([(0, (0,)), (1, (1,))]), _clips([(2, (0,))])
    dataset, name = pool_dataset(_dataset(train, val=val, test=val), "train", "val")
    assert name == "train+val"
    assert [clip.clip_id for clip in dataset.split(name)] == ["train/0", "train/1", "val/0"]
    assert [clip.recording for clip in dataset.split(name)] == ["r0", "r1", "r2"]
    assert dataset.split("test") == val
    for without in (_dataset(train), _dataset(train, val=[])):
        assert pool_dataset(without, "train", "val")[1] == "train"


def test_withheld_labels_are_not_pooled() -> None:
    val = [Clip("0", Path("0.mp4"), None, "r9")]
    with pytest.raises(DataError, match="the labels of split 'val' are withheld"):
        pool_dataset(_dataset(_clips([(0, (0,))]), val=val), "train", "val")


def _check(rows: list[tuple[int, tuple[int, ...]]], num_folds: int, task: str) -> tuple[str, ...]:
    clips = _clips(rows)
    return check_folds(_dataset(clips), divide(clips, num_folds), task)  # type: ignore[arg-type]


EVEN = [(recording, (label,)) for recording in range(8) for label in range(3)]


def test_a_class_of_one_recording_is_refused_or_told() -> None:
    rows = [*EVEN, (8, (3,)), (8, (3,)), (8, (3,))]
    expected = "all clips of class 'd' are of one recording, so no fold can both learn and judge it"
    with pytest.raises(DataError, match=f"^set: {expected}; add clips of other recordings, or"):
        _check(rows, 4, "single")
    assert _check(rows, 4, "multi") == (expected,)


def test_a_class_that_leaves_too_little_to_learn_from() -> None:
    rows = [*EVEN, (8, (3,)), (9, (3,))]
    with pytest.raises(DataError, match="class 'd' has 2 clips, and a fold has one clip to learn"):
        _check(rows, 4, "single")


def test_a_class_of_fewer_recordings_than_folds_is_told() -> None:
    rows = [*EVEN, (8, (3,)), (8, (3,)), (9, (3,)), (9, (3,))]
    told = ("class 'd' is of 2 recordings, so 2 of 4 folds do not judge it",)
    assert _check(rows, 4, "single") == told
    assert _check(rows, 4, "multi") == told
    assert _check([*EVEN, *[(r, (3,)) for r in range(8)]], 4, "single") == ()


def test_the_table_of_folds(tmp_path: Path) -> None:
    clips = _clips(EVEN)
    folds = divide(clips, 4)
    write_folds(tmp_path / "folds.csv", folds)
    assert holds_folds(tmp_path / "folds.csv", folds)
    assert not holds_folds(tmp_path / "folds.csv", divide(clips, 3))
    lines = (tmp_path / "folds.csv").read_text().splitlines()
    assert lines[0] == "fold,id,recording"
    assert Counter(line.split(",")[0] for line in lines[1:]) == {
        str(number): len(fold) for number, fold in enumerate(folds, start=1)
    }
