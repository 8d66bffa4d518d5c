from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.data import Clip, read_dataset
from lilliput.data.manifest import write_manifest
from lilliput.data.split import resplit, split_groups
from lilliput.errors import DataError


def _clips(groups: list[int], labels: list[tuple[int, ...]]) -> list[Clip]:
    return [
        Clip(str(i), Path(f"{i}.mp4"), label, f"r{group}")
        for i, (group, label) in enumerate(zip(groups, labels, strict=True))
    ]


_rows = st.lists(
    st.tuples(st.integers(0, 9), st.sets(st.integers(0, 3)).map(lambda s: tuple(sorted(s)))),
    min_size=2,
    max_size=60,
).filter(lambda rows: len({group for group, _ in rows}) > 1)


@given(_rows, st.floats(0.05, 0.9), st.integers(0, 5))
def test_groups_stay_whole_and_no_clip_is_lost(
    rows: list[tuple[int, tuple[int, ...]]], fraction: float, seed: int
) -> None:
    clips = _clips([group for group, _ in rows], [labels for _, labels in rows])
    groups = [clip.recording for clip in clips]
    train, val = split_groups(clips, groups, fraction=fraction, seed=seed)
    assert train and val
    assert not {c.recording for c in train} & {c.recording for c in val}
    assert sorted(c.clip_id for c in [*train, *val]) == sorted(c.clip_id for c in clips)
    assert [c for c in clips if c in train] == train
    assert split_groups(clips, groups, fraction=fraction, seed=seed) == (train, val)


def test_every_class_gets_about_its_share() -> None:
    groups = [group for group in range(50) for _ in range(6)]
    labels = [(group % 3,) if n else (3,) for group in range(50) for n in range(6)]
    clips = _clips(groups, labels)
    _, val = split_groups(clips, [c.recording for c in clips], fraction=0.2, seed=3)
    whole = Counter(label for clip in clips for label in clip.labels or ())
    held = Counter(label for clip in val for label in clip.labels or ())
    for label, count in whole.items():
        assert held[label] / count == pytest.approx(0.2, abs=0.06)


def test_seeds_give_different_splits() -> None:
    clips = _clips(list(range(40)), [(i % 2,) for i in range(40)])
    groups = [clip.recording for clip in clips]
    held = {tuple(c.clip_id for c in split_groups(clips, groups, seed=s)[1]) for s in range(5)}
    assert len(held) == 5


def test_two_large_groups_hold_out_the_smaller() -> None:
    clips = _clips([0] * 5 + [1] * 3, [(0,)] * 8)
    _, val = split_groups(clips, [c.recording for c in clips], fraction=0.1)
    assert {c.recording for c in val} == {"r1"}


def test_one_group_cannot_be_split() -> None:
    clips = _clips([0, 0], [(0,), (0,)])
    with pytest.raises(DataError, match="belong to one group"):
        split_groups(clips, ["x", "x"])


@pytest.mark.parametrize("by", ["recording", "camera"])
def test_resplit_shares_no_group_and_reads_back(tiny: Path, tmp_path: Path, by: str) -> None:
    dataset = read_dataset(tiny)
    divided = resplit(dataset, by, fraction=0.4, seed=2)
    train, val = ({getattr(clip, by) for clip in divided.split(name)} for name in ("train", "val"))
    assert not train & val
    assert sorted(c.clip_id for name in ("train", "val") for c in divided.split(name)) == [
        "train/0",
        "train/1",
        "train/2",
        "train/3",
        "val/0",
        "val/1",
    ]
    assert divided.splits["test"] == dataset.splits["test"]
    write_manifest(tmp_path / "split" / "manifest.csv", divided)
    back = read_dataset(tmp_path / "split" / "manifest.csv")
    assert {name: list(clips) for name, clips in back.splits.items()} == {
        name: list(clips) for name, clips in divided.splits.items()
    }
    assert all(clip.path.is_file() for clips in back.splits.values() for clip in clips)


def test_resplit_needs_a_training_split(tiny: Path) -> None:
    (tiny / "tiny_train_v2.json").unlink()
    with pytest.raises(DataError, match="no split 'train'"):
        resplit(read_dataset(tiny), "recording")
