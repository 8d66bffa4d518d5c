from pathlib import Path

import pytest

from lilliput.data import Clip, LabelSet, VideoDataset, read_dataset
from lilliput.data.facts import find_one_sided, in_words, measure_facts
from lilliput.errors import DataError


def test_facts_are_those_of_the_files(tiny_folder: Path) -> None:
    facts = measure_facts(read_dataset(tiny_folder), "train", "single")
    assert (facts.num_clips, facts.clips_per_class) == (6, (2, 2, 2))
    assert facts.short_side == 16
    assert facts.mirrored == (("turn_left", "turn_right"),)
    assert facts.one_sided == ()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("left", "right", "stand"), ()),
        (("turn left", "stand"), ("turn left",)),
        (("TurnRight", "wave"), ("TurnRight",)),
        (
            ("circle_clockwise", "circle_counterclockwise"),
            ("circle_clockwise", "circle_counterclockwise"),
        ),
        (("go-east", "go-west"), ("go-east", "go-west")),
        (("leftover", "bright", "eastern"), ()),  # words that only look like it
    ],
)
def test_a_direction_without_its_mirror_image_is_found(
    names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert find_one_sided(LabelSet.from_names(names)) == expected


def test_a_split_of_unreadable_files_is_refused(tmp_path: Path) -> None:
    clip = Clip("a", tmp_path / "a.mp4", (0,), "a")
    dataset = VideoDataset(tmp_path, "test", LabelSet.from_names(["x"]), {"train": [clip]})
    with pytest.raises(DataError, match="not one clip of split 'train' can be opened"):
        measure_facts(dataset, "train", "single")


def test_counts_in_words() -> None:
    assert in_words((3, 3)) == "3 clips a class"
    assert in_words((12, 7, 40)) == "7 to 40 clips a class"
