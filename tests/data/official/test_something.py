import json
from typing import Any

import pytest

from lilliput.data import read_dataset
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

NAMES = (
    "Holding something",
    "Pulling something from right to left",
    "Pulling something from left to right",
)
CLASSES = {NAMES[2]: "2", NAMES[0]: "0", NAMES[1]: "1"}
LISTS: dict[str, Any] = {
    "labels": CLASSES,
    "train": [
        {"id": "11", "label": "holding a cup", "template": "Holding [something]"},
        {"id": "12", "template": "Pulling [something] from left to right"},
    ],
    "validation": [{"id": 13, "template": "Pulling [something] from right to left"}],
    "test": [{"id": "14"}],
}
VIDEOS = tuple(f"20bn-something-something-v2/{number}.webm" for number in (11, 12, 13, 14))


def _texts(prefix: str = "", **changed: Any) -> dict[str, str]:
    lists = LISTS | changed
    return {f"labels/{prefix}{name}.json": json.dumps(lists[name]) for name in lists}


@pytest.mark.parametrize("prefix", ["", "something-something-v2-"])
def test_both_releases_of_the_lists(make_set: MakeSet, prefix: str) -> None:
    dataset = read_dataset(make_set(_texts(prefix), VIDEOS))
    assert dataset.layout == "Something-Something-v2"
    assert dataset.labels.class_names == NAMES
    assert [(c.clip_id, c.labels) for c in dataset.split("train")] == [("11", (0,)), ("12", (2,))]
    assert [(c.clip_id, c.labels) for c in dataset.split("val")] == [("13", (1,))]
    assert dataset.split("test", labelled=False)[0].labels is None
    assert dataset.labels.flip_pairs == ((2, 1),)  # left to right, right to left


def test_the_csv_lists_of_the_first_version(make_set: MakeSet) -> None:
    start = "something-something-v1-"
    lists = {
        f"{start}labels.csv": "\n".join(NAMES),
        f"{start}train.csv": f"11;{NAMES[0]}\n12;{NAMES[2]}\n",
        f"{start}validation.csv": f"13;{NAMES[1]}\n",
        f"{start}test.csv": "14\n",
    }
    root = make_set(lists, VIDEOS)
    dataset = read_dataset(root)
    assert dataset.layout == "Something-Something-v1"
    assert [clip.labels for clip in dataset.split("train")] == [(0,), (2,)]
    assert [clip.labels for clip in dataset.split("test", labelled=False)] == [None]
    (root / f"{start}train.csv").write_text("11;Holding nothing\n")
    with pytest.raises(DataError, match=r"-train\.csv: line 1: unknown label 'Holding nothing'"):
        read_dataset(root)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"id": "15", "template": "Holding [something]"}, "no video '15' is below"),
        ({"id": "13", "template": "Holding [somebody]"}, "unknown label 'Holding somebody'"),
        ({"template": "Holding [something]"}, "has no 'id'"),
        ("13", "has no 'id'"),
    ],
)
def test_a_wrong_entry_is_named(make_set: MakeSet, entry: Any, complaint: str) -> None:
    root = make_set(_texts(validation=[LISTS["validation"][0], entry]), VIDEOS)
    with pytest.raises(DataError, match=rf"validation\.json: entry 2: {complaint}"):
        read_dataset(root)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"labels": {"a": "0", "b": "2"}}, r"labels\.json: must map class names to 0, 1, 2"),
        ({"labels": ["a"]}, r"labels\.json: must map class names"),
        ({"train": []}, r"train\.json: must be a list of clips, and holds none"),
        ({"train": {}}, r"train\.json: must be a list of clips"),
    ],
)
def test_a_damaged_list_is_refused(make_set: MakeSet, changed: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_dataset(make_set(_texts(**changed), VIDEOS))


def test_an_empty_file_is_refused(make_set: MakeSet) -> None:
    root = make_set(_texts() | {"labels/train.json": ""}, VIDEOS)
    with pytest.raises(DataError, match=r"train\.json: not valid JSON"):
        read_dataset(root)
