import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.data.class_map import read_class_map, write_class_map
from lilliput.data.labels import LabelSet, find_flip_pairs
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError


def test_tinyvirat_turns_are_the_only_flip_pair() -> None:
    labels = LabelSet.from_names(TINYVIRAT_CLASSES)
    assert len(labels) == 26
    assert labels.flip_pairs == ((10, 22),)
    assert [labels.class_names[i] for i in labels.flip_pairs[0]] == [
        "vehicle_turning_left",
        "vehicle_turning_right",
    ]


def test_flip_pairs_ignore_case_and_need_both_names() -> None:
    assert find_flip_pairs(["Turn Right", "walk", "turn left"]) == ((2, 0),)
    assert find_flip_pairs(["turn_left", "walk"]) == ()
    assert find_flip_pairs(["left_hand_left", "right_hand_right"]) == ((0, 1),)


def test_flip_pairs_exchange_both_words() -> None:
    names = [
        f"Pu{verb}ing [x] from {way}"
        for verb in ("ll", "sh")
        for way in ("right to left", "left to right")
    ]
    assert find_flip_pairs(names) == ((1, 0), (3, 2))  # left first
    assert find_flip_pairs(["bright left", "bright"]) == ()


def test_index_finds_every_name() -> None:
    labels = LabelSet.from_names(["b", "a"])
    assert [labels.index(name) for name in ("b", "a")] == [0, 1]


def test_unknown_label_names_the_nearest() -> None:
    with pytest.raises(DataError, match="'Opning'; nearest is 'Opening'"):
        LabelSet.from_names(["Closing", "Opening"]).index("Opning")


def test_same_name_twice_is_refused() -> None:
    with pytest.raises(DataError, match="same name"):
        LabelSet.from_names(["a", "b", "a"])


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, unique=True))
def test_class_map_keeps_names_and_order(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "class_map.json"
        write_class_map(path, LabelSet.from_names(names))
        assert read_class_map(path).class_names == tuple(names)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 0, "b": 2}',
        '{"a": 0, "b": 0}',
        '{"a": 0, "b": "1"}',
        '{"a": 0, "b": null}',
        '{"a": false, "b": true}',
        '["a", "b"]',
    ],
)
def test_class_map_with_odd_indices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "class_map.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"class_map\.json: must map class names to 0, 1, 2"):
        read_class_map(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b""])
def test_broken_class_map_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "class_map.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"class_map\.json: not valid JSON"):
        read_class_map(path)
