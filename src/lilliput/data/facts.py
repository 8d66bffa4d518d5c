"""What the choice of a recipe rests on: how many clips, of what, and how large."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lilliput.data.clips import VideoDataset, targets_matrix
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError, VideoError
from lilliput.task import Task

_MANY_CLIPS = 500  # from twice as many on only a part is opened, evenly spread
_DIRECTION = re.compile(
    r"(?<![a-z])(left|right|clockwise|counter-?clockwise|anti-?clockwise|east|west)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DataFacts:
    """A training split in numbers.

    Attributes:
        num_clips: Clips N.
        clips_per_class: (K,) clips of each class.
        task: How many labels a clip has.
        short_side: Median short side of the clips, px.
        mirrored: Pairs of class names that a horizontal flip exchanges.
        one_sided: Classes that are named for a direction and have no mirror image.
    """

    num_clips: int
    clips_per_class: tuple[int, ...]
    task: Task
    short_side: int
    mirrored: tuple[tuple[str, str], ...]
    one_sided: tuple[str, ...]


def measure_facts(dataset: VideoDataset, split: str, task: Task) -> DataFacts:
    """Opens the files' headers; nothing is decoded.

    Raises:
        DataError: The split is missing, or not one of its clips can be opened.
    """
    clips = dataset.split(split)
    sides = []
    for clip in clips[:: max(1, len(clips) // _MANY_CLIPS)]:
        try:
            info = clip.probe()
        except VideoError:
            continue
        sides.append(min(info.height, info.width))
    if not sides:
        raise DataError(
            f"{dataset.root}: not one clip of split '{split}' can be opened; see "
            "`lilliput data check`"
        )
    names = dataset.labels.class_names
    return DataFacts(
        num_clips=len(clips),
        clips_per_class=tuple(targets_matrix(clips, len(names)).sum(axis=0).tolist()),
        task=task,
        short_side=int(np.median(sides)),
        mirrored=tuple((names[left], names[right]) for left, right in dataset.labels.flip_pairs),
        one_sided=find_one_sided(dataset.labels),
    )


def find_one_sided(labels: LabelSet) -> tuple[str, ...]:
    """Class names with a direction in them whose mirror image is no class."""
    paired = {label for pair in labels.flip_pairs for label in pair}
    return tuple(
        name
        for label, name in enumerate(labels.class_names)
        if label not in paired and _DIRECTION.search(_apart(name))
    )


def _apart(name: str) -> str:
    """``turnLeft`` and ``turn_left`` as ``turn left``: words that can be told apart."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_\W]+", " ", name)


def in_words(counts: Sequence[int]) -> str:
    """Such as ``12 to 40 clips a class``."""
    low, high = min(counts), max(counts)
    return f"{low} clips a class" if low == high else f"{low} to {high} clips a class"
