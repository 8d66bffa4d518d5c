import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.data import Clip, LabelSet, VideoDataset, read_dataset
from lilliput.data.check import check, compare_with_tables
from lilliput.data.leaks import Shared, find_shared
from lilliput.data.published import CLIPS_PER_CLASS, CLIPS_PER_SPLIT
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES


def test_sound_data_set_has_no_findings(tiny: Path) -> None:
    ticks: list[None] = []
    report = check(read_dataset(tiny), lambda: ticks.append(None))
    assert report.findings == {}
    assert (report.clips, len(ticks), report.average_frames) == (7, 7, 4.0)
    assert "do not apply" in report.comparison


def test_every_fault_is_listed_under_its_kind(tiny: Path) -> None:
    train = tiny / "videos/train"
    (train / "VIRAT_S_000101_a/0.mp4").unlink()
    (train / "VIRAT_S_000101_a/1.mp4").write_bytes(b"")
    (train / "VIRAT_S_000102_b/2.mp4").write_bytes(b"no video at all")
    entries = json.loads((tiny / "tiny_val_v2.json").read_text())
    entries[0]["label"] = []
    entries.append({**entries[1], "id": "2", "label": ["c"]})
    (tiny / "tiny_val_v2.json").write_text(json.dumps(entries))
    (tiny / "tiny_test_v2_public.json").write_text("[]")
    report = check(read_dataset(tiny, strict=False))
    assert list(report.findings) == ["missing", "empty", "corrupt", "mislabelled"]
    assert [line.split(": ")[0] for line in report.missing] == [
        str(train / "VIRAT_S_000101_a/0.mp4")
    ]
    assert report.empty == (
        f"{train / 'VIRAT_S_000101_a/1.mp4'}: the file is empty (0 bytes); copy or record it again",
        "split 'test' has no clips",
    )
    assert len(report.corrupt) == 1
    assert str(train / "VIRAT_S_000102_b/2.mp4") in report.corrupt[0]
    assert "unknown label 'c'" in report.mislabelled[0]
    assert report.without_label == 1


def test_half_a_file_is_corrupt(tiny: Path) -> None:
    path = tiny / "videos/train/VIRAT_S_000102_b/2.mp4"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = check(read_dataset(tiny))
    assert len(report.corrupt) == 1
    assert str(path) in report.corrupt[0]


def test_shared_recordings_cameras_and_files(tiny: Path) -> None:
    copied = tiny / "videos/test/00000.mp4"
    shutil.copy(tiny / "videos/train/VIRAT_S_000102_b/2.mp4", copied)
    report = check(read_dataset(tiny))
    assert report.findings == {}  # what is shared is a warning
    assert report.shared == (
        Shared("recording", ("train", "val"), ("VIRAT_S_000101_a",), (2, 1)),
        Shared("camera", ("train", "val"), ("G330", "VIRAT_S_0001"), (4, 2)),
        Shared(
            "file",
            ("train", "test"),
            (f"{tiny / 'videos/train/VIRAT_S_000102_b/2.mp4'} = {copied}",),
            (1, 1),
        ),
    )


def test_unreadable_files_are_not_the_same_file() -> None:
    one, two = (Clip("0", Path(f"{x}.mp4"), (0,), x) for x in "ab")
    assert find_shared({"train": [one], "val": [two]}, {"train": [None], "val": [None]}) == []


def _published(names: tuple[str, ...] = TINYVIRAT_CLASSES) -> VideoDataset:
    """As many clips as tables 4.1 and 4.2 say, the labels dealt out in turn."""
    labels = LabelSet.from_names(names)
    splits: dict[str, list[Clip]] = {}
    for column, split in enumerate(("train", "val", "test")):
        count = CLIPS_PER_SPLIT["TinyVIRAT-v2"][split]
        given: list[set[int]] = [set() for _ in range(count)]
        position = 0
        for name in names if split != "test" else ():
            for _ in range(CLIPS_PER_CLASS[name][column]):
                given[position % count].add(labels.index(name))
                position += 1
        splits[split] = [
            Clip(str(i), Path(f"{i}.mp4"), tuple(sorted(one)), "VIRAT_S_000001")
            for i, one in enumerate(given)
        ]
    return VideoDataset(Path("x"), "TinyVIRAT-v2", labels, splits)


def test_the_published_tables_agree_with_the_classes() -> None:
    assert set(CLIPS_PER_CLASS) == set(TINYVIRAT_CLASSES)
    # Table 4.2 sums to more than the clips of table 4.1, since clips have several labels.
    totals = [sum(counts[column] for counts in CLIPS_PER_CLASS.values()) for column in (0, 1)]
    assert totals == [23767, 4412]


@pytest.mark.parametrize("names", [TINYVIRAT_CLASSES, tuple(reversed(TINYVIRAT_CLASSES))])
def test_complete_copy_equals_the_tables(names: tuple[str, ...]) -> None:
    comparison, differences = compare_with_tables(_published(names))
    assert comparison == (
        "table 4.1 says 76.14 frames; clips per split and class compared with 4.1 and 4.2"
    )
    assert differences == []


def test_incomplete_copy_differs() -> None:
    dataset = _published()
    train = list(dataset.splits["train"])
    lost = train.pop(0)
    splits = {"train": train, "test": dataset.splits["test"]}
    _, differences = compare_with_tables(replace(dataset, splits=splits))
    assert differences[:2] == [
        "split 'train' has 16949 clips, table 4.1 says 16950",
        "split 'val' has 0 clips, table 4.1 says 3308",
    ]
    in_train = [line for line in differences if "in 'train'" in line]
    assert len(in_train) == len(lost.labels or ())
    assert "Talking has 0 clips in 'val', table 4.2 says 1323" in differences


def test_synthetic_and_foreign_sets_are_not_compared() -> None:
    dataset = _published()
    clip = replace(dataset.splits["train"][0], recording="SYNTHETIC_0001")
    comparison, differences = compare_with_tables(replace(dataset, splits={"train": [clip]}))
    assert "synthetic" in comparison
    assert differences == []
    _, differences = compare_with_tables(replace(dataset, layout="CSV manifest", splits={}))
    assert differences == []


def test_first_version_is_compared_by_split_only() -> None:
    dataset = replace(_published(), layout="TinyVIRAT")
    comparison, differences = compare_with_tables(dataset)
    assert comparison == "table 4.1 says 93.93 frames; clips per split compared with table 4.1"
    assert differences == [
        "split 'train' has 16950 clips, table 4.1 says 7663",
        "split 'test' has 6097 clips, table 4.1 says 5166",
    ]


def test_odd_classes_are_told(
    tmp_path: Path, noise: Callable[..., np.ndarray], write_lossless: Callable[..., Path]
) -> None:
    for place in ("train/Jump/a", "train/Run/b", "val/jump/c", "val/Run/d"):
        write_lossless(tmp_path / f"{place}.mp4", noise(2, 16, 16, len(place)))
    (tmp_path / "train" / "Sit").mkdir()
    (tmp_path / "train" / "labels").mkdir()
    (tmp_path / "train" / "labels" / "a.json").touch()
    assert check(read_dataset(tmp_path)).empty == (
        "class 'Sit' has no clips",
        f"{tmp_path / 'train' / 'labels'}: holds no videos, so is no class",
        "classes 'Jump' and 'jump' differ in capitals or blanks only; rename one",
    )
