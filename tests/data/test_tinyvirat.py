import json
from pathlib import Path
from typing import Any

import pytest

from lilliput.data import read_dataset
from lilliput.errors import DataError


def _add_train(root: Path, *entries: Any) -> None:
    path = root / "tiny_train_v2.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), *entries]))


def test_reads_the_published_layout(tiny: Path) -> None:
    dataset = read_dataset(tiny)
    assert dataset.layout == "TinyVIRAT-v2"
    assert dataset.labels.class_names == ("b", "a")  # by index, not by name
    assert {name: len(clips) for name, clips in dataset.splits.items()} == {
        "train": 4,
        "val": 2,
        "test": 1,
    }
    clip = dataset.split("train")[1]
    assert clip.clip_id == "1"
    assert clip.labels == (0, 1)
    assert clip.recording == "VIRAT_S_000101_a"
    assert clip.path == tiny / "videos/train/VIRAT_S_000101_a/1.mp4"
    assert clip.path.is_file()


def test_cameras_of_virat_and_meva(tiny: Path) -> None:
    train = read_dataset(tiny).split("train")
    assert [clip.camera for clip in train] == ["VIRAT_S_0001"] * 3 + ["G330"]


def test_public_test_list_has_its_labels_withheld(tiny: Path) -> None:
    dataset = read_dataset(tiny)
    assert dataset.split("test", labelled=False)[0].labels is None
    with pytest.raises(DataError, match="labels of split 'test' are withheld"):
        dataset.split("test")
    with pytest.raises(DataError, match="no split 'dev'; it has: train, val, test"):
        dataset.split("dev")


def test_labelled_test_list_is_preferred(tiny: Path) -> None:
    entry = {"id": "00000", "path": "00000.mp4", "label": ["a"]}
    (tiny / "tiny_test_v2.json").write_text(json.dumps([entry]))
    assert read_dataset(tiny).split("test")[0].labels == (1,)


def test_lists_of_both_versions_do_not_mix(tiny: Path) -> None:
    first = {"id": "v1", "path": "v1.mp4", "label": ["a"]}
    for split in ("train", "test"):
        (tiny / f"tiny_{split}.json").write_text(json.dumps([first]))
    dataset = read_dataset(tiny)
    assert dataset.layout == "TinyVIRAT-v2"
    assert "v1" not in {clip.clip_id for clips in dataset.splits.values() for clip in clips}


def test_first_version_is_recognised(tiny: Path) -> None:
    for path in tiny.glob("tiny_*.json"):
        path.rename(tiny / path.name.replace("_v2", "").replace("_public", ""))
    dataset = read_dataset(tiny)
    assert dataset.layout == "TinyVIRAT"
    assert len(dataset.splits) == 3


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"id": "9", "path": "x/9.mp4", "label": ["aa"]}, "unknown label 'aa'; nearest is 'a'"),
        ({"id": "9", "path": "x/9.mp4", "label": "a"}, "must be a list of class names"),
        ({"id": "9", "path": "x/9.mp4", "label": [1]}, "must be a list of class names"),
        ({"id": "9", "path": "../../9.mp4", "label": ["a"]}, "leads out of the data set"),
        ({"id": "9", "path": "/etc/9.mp4", "label": ["a"]}, "leads out of the data set"),
        ({"id": "0", "path": "x/9.mp4", "label": ["a"]}, "id 0 occurs twice"),
        ({"id": "9", "label": ["a"]}, "has no 'path'"),
        ("9.mp4", "has no 'path'"),
    ],
)
def test_senseless_entries_are_set_aside_or_refused(tiny: Path, entry: Any, complaint: str) -> None:
    _add_train(tiny, entry)
    dataset = read_dataset(tiny, strict=False)
    assert len(dataset.split("train")) == 4
    assert len(dataset.problems) == 1
    assert dataset.problems[0].startswith("tiny_train_v2.json: entry 4: ")
    assert complaint in dataset.problems[0]
    with pytest.raises(DataError, match="lilliput data check"):
        read_dataset(tiny)


def test_repeated_labels_count_once(tiny: Path) -> None:
    _add_train(tiny, {"id": "9", "path": "x/9.mp4", "label": ["a", "b", "a"]})
    assert read_dataset(tiny).split("train")[-1].labels == (0, 1)


@pytest.mark.parametrize("text", ["{", '{"a": 1}'])
def test_broken_list_is_refused(tiny: Path, text: str) -> None:
    (tiny / "tiny_val_v2.json").write_text(text)
    with pytest.raises(DataError, match=r"tiny_val_v2\.json"):
        read_dataset(tiny)


def test_missing_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data set"):
        read_dataset(tmp_path / "nothing")
