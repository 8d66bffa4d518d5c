"""Readers of the files that data sets are published with.

Each file of this folder reads one data set, and tells by its lists whether a folder is one. The
lists may lie in the folder or in one below it, the videos anywhere below it: they are found by
their names, whatever their suffix.
"""

from collections.abc import Callable
from pathlib import Path

from lilliput.data.clips import VideoDataset
from lilliput.data.official.ava import is_ava, read_ava
from lilliput.data.official.charades import is_charades, read_charades
from lilliput.data.official.hmdb51 import is_hmdb51, read_hmdb51
from lilliput.data.official.kinetics import is_kinetics, read_kinetics
from lilliput.data.official.something import is_something, read_something
from lilliput.data.official.ucf101 import is_ucf101, read_ucf101
from lilliput.errors import DataError

__all__ = ["is_official", "read_official"]

# Sets with three official splits, of which one is read.
_NUMBERED: tuple[tuple[Callable[[Path], bool], Callable[[Path, int], VideoDataset]], ...] = (
    (is_ucf101, read_ucf101),
    (is_hmdb51, read_hmdb51),
)
_OTHERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], VideoDataset]], ...] = (
    (is_something, read_something),
    (is_ava, read_ava),
    (is_charades, read_charades),
    (is_kinetics, read_kinetics),
)


def is_official(root: Path) -> bool:
    """Whether one of these readers knows the folder."""
    return any(knows(root) for knows, _ in (*_NUMBERED, *_OTHERS))


def read_official(root: Path, split_number: int | None = None) -> VideoDataset:
    """Reads the folder with the reader that knows it.

    Args:
        root: The data set's folder.
        split_number: Which of its official splits, from 1; None is the first.

    Raises:
        DataError: No reader knows it, a list is damaged, or it has no such split.
    """
    for knows, read in _NUMBERED:
        if knows(root):
            return read(root, split_number or 1)
    for knows, read_whole in _OTHERS:
        if knows(root):
            if split_number is not None:
                raise DataError(f"{root}: has no numbered splits; leave out @{split_number}")
            return read_whole(root)
    raise DataError(f"{root}: has the files of no data set that is known here")
