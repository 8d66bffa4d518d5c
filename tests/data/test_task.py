"""The task is found in the labels; what cannot be learned or judged is named, with a remedy."""

from pathlib import Path

import pytest

from lilliput.builders import resolve_task
from lilliput.config import Config
from lilliput.data import Clip, LabelSet, VideoDataset
from lilliput.data.task import check_learnable, find_task
from lilliput.errors import DataError

Labels = tuple[int, ...]


def _dataset(
    train: list[Labels], val: list[Labels] | None = None, names: str = "abc"
) -> VideoDataset:
    splits = {"train": train} if val is None else {"train": train, "val": val}
    return VideoDataset(
        Path("set"),
        "test",
        LabelSet.from_names(names),
        {
            split: [
                Clip(f"{split}{number}", Path("none.mp4"), labels, f"{split}{number}")
                for number, labels in enumerate(rows)
            ]
            for split, rows in splits.items()
        },
    )


BOTH = ("train", "val")


@pytest.mark.parametrize(
    ("train", "val", "expected"),
    [
        ([(0,), (1,)], [(2,)], "single"),
        ([(0,), (1, 2)], [(2,)], "multi"),
        ([(0,), (1,)], [(0, 2)], "multi"),
        ([(0,), ()], [(2,)], "multi"),  # background has no label
    ],
)
def test_the_labels_say_the_task(train: list[Labels], val: list[Labels], expected: str) -> None:
    dataset = _dataset(train, val)
    assert find_task(dataset, BOTH, "auto") == expected
    assert find_task(dataset, BOTH, "multi") == "multi"
    config = resolve_task(Config(), dataset)
    assert config.task == expected
    assert config.loss.name == ("cross_entropy" if expected == "single" else "bce")


@pytest.mark.parametrize(
    ("labels", "words"), [((0, 2), "has the labels a, c"), ((), "has no label")]
)
def test_one_label_is_wanted_and_a_clip_has_another_number(labels: Labels, words: str) -> None:
    dataset = _dataset([(0,), (1,)], [(0,), labels])
    message = f"^task = 'single', but clip val1 {words}; give each clip one label, or set task = 'm"
    with pytest.raises(DataError, match=message):
        find_task(dataset, BOTH, "single")


def test_a_loss_that_is_named_stays() -> None:
    config = Config.model_validate({"loss": {"name": "focal"}})
    assert resolve_task(config, _dataset([(0,), (1,)], [(2,)])).loss == config.loss


def test_a_training_without_validation_split_looks_at_training_clips_only() -> None:
    dataset = _dataset([(0,), (1,)] * 2 + [(2,)] * 2)
    config = Config.model_validate({"data": {"val": ""}})
    assert resolve_task(config, dataset).task == "single"
    assert check_learnable(dataset, "train", "", "single") == ()


EVEN: list[Labels] = [(0,), (0,), (1,), (1,), (2,), (2,)]


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        (
            EVEN[:-1],
            EVEN,
            "class 'c' has one clip in 'train'; add clips of it to 'train', or remove",
        ),
        (
            EVEN[:-2],
            EVEN,
            "class 'c' has no clip in 'train'; add clips of it to 'train', or remove",
        ),
        (
            EVEN,
            EVEN[:-2],
            "class 'c' has no clip in 'val'; add clips of it to 'val', or cross-valid",
        ),
        ([(1,)] * 4, EVEN, "all clips of 'train' are of class 'b'; add clips of class 'a'"),
    ],
)
def test_single_label_clips_that_teach_or_judge_too_little(
    train: list[Labels], val: list[Labels], message: str
) -> None:
    with pytest.raises(DataError, match=f"^set: {message}"):
        check_learnable(_dataset(train, val), *BOTH, "single")


def test_a_single_class_is_told_from_nothing() -> None:
    with pytest.raises(DataError, match="are of class 'a'; add clips of another class"):
        check_learnable(_dataset([(0,)] * 4, [(0,)], names="a"), *BOTH, "single")


def test_what_can_be_learned_raises_and_tells_nothing() -> None:
    for task in ("single", "multi"):
        assert check_learnable(_dataset(EVEN, [(0,), (1,), (2,)]), *BOTH, task) == ()  # type: ignore[arg-type]


def test_published_sets_of_several_labels_have_classes_without_clips() -> None:
    dataset = _dataset([(0, 1), (0,), (1,), (3,)], [(0,), (3,)], names="abcd")
    assert check_learnable(dataset, *BOTH, "multi") == (
        "class 'b' has no clip in 'val'",
        "class 'c' has no clip in 'train'",
        "class 'd' has one clip in 'train'",
    )


def test_clips_of_one_class_of_several_labels_are_fine() -> None:
    """Such as 'falls' against background without a label."""
    dataset = _dataset([(0,), (0,), ()], [(0,), ()], names="a")
    assert check_learnable(dataset, *BOTH, "multi") == ()


@pytest.mark.parametrize(("train", "val", "split"), [([()], EVEN, "train"), (EVEN, [()], "val")])
def test_a_split_without_any_label(train: list[Labels], val: list[Labels], split: str) -> None:
    with pytest.raises(DataError, match=f"no clip of '{split}' has a label"):
        check_learnable(_dataset(train, val), *BOTH, "multi")
