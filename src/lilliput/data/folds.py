"""Folds for cross-validation: whole recordings, every class spread evenly.

Each clip is in one fold, and clips of one recording are in the same one, so that what a model is
tested on comes from recordings that it has not seen.
"""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.split import label_counts, pool_splits
from lilliput.errors import ConfigError, DataError
from lilliput.task import Task

Folds = Sequence[Sequence[Clip]]


def pool_dataset(dataset: VideoDataset, train: str, val: str) -> tuple[VideoDataset, str]:
    """The data set with one split of all clips to divide, and that split's name, ``train+val``.

    Clips are renamed ``<split>/<id>``, since ids may restart in every split.

    Args:
        dataset: The clips.
        train: The training split.
        val: The validation split; it may be missing or empty.

    Raises:
        DataError: There is no training split, or labels are withheld.
    """
    clips = pool_splits(dataset, train, val)
    used = dict.fromkeys(clip.clip_id.partition("/")[0] for clip in clips)
    name = "+".join(used)
    return replace(dataset, splits={**dataset.splits, name: clips}), name


def divide(clips: Sequence[Clip], num_folds: int, *, seed: int = 1) -> list[list[Clip]]:
    """Divides clips into folds of whole recordings.

    Greedy: recordings in a random order, those that make up most of a class first; each goes to
    the fold that holds least of what the recording adds.

    Args:
        clips: Labeled clips.
        num_folds: Folds, at least 2.
        seed: Fixes the order among recordings that are alike.

    Returns:
        The folds, each in the given order; none is empty.

    Raises:
        ConfigError: There are fewer than two folds.
        DataError: There are fewer recordings than folds.
    """
    if num_folds < 2:
        raise ConfigError(f"folds = {num_folds}: give 2 or more")
    names = sorted({clip.recording for clip in clips})
    if len(names) < num_folds:
        raise DataError(
            f"{len(clips)} clips come from {len(names)} recordings, too few for {num_folds} "
            "folds; add recordings, or use fewer folds"
        )
    counts = label_counts(clips, [clip.recording for clip in clips], names)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-np.square(shares[order]).sum(axis=1), kind="stable")]
    filled = np.zeros((num_folds, counts.shape[1]))
    fold_of = {}
    for recording in order:
        # A recording adds (filled + share)^2 - filled^2 to the sum of squares, which is least
        # where classes are spread evenly; the square of the share is the same in every fold.
        fold = int((filled @ shares[recording]).argmin())
        filled[fold] += shares[recording]
        fold_of[names[recording]] = fold
    return [
        [clip for clip in clips if fold_of[clip.recording] == fold] for fold in range(num_folds)
    ]


def check_folds(dataset: VideoDataset, folds: Folds, task: Task) -> tuple[str, ...]:
    """Looks for classes that folds cannot learn or judge, before anything is decoded.

    Args:
        dataset: What the clips are of.
        folds: From ``divide``.
        task: How many labels a clip has. Published multi-label sets have classes of a single
            recording, which count 0; so there these are told, not refused.

    Returns:
        One line for each class that some fold does without.

    Raises:
        DataError: A class of single-label clips comes from one recording, or leaves fewer than two
            clips to learn from.
    """
    notes = []
    for label, name in enumerate(dataset.labels.class_names):
        clips = [[clip for clip in fold if label in (clip.labels or ())] for fold in folds]
        total = sum(map(len, clips))
        recordings = len({clip.recording for fold in clips for clip in fold})
        fewest = min(total - len(fold) for fold in clips)
        problem = ""
        if recordings == 1:
            problem = (
                f"all clips of class '{name}' are of one recording, so no fold can both learn "
                "and judge it"
            )
        elif fewest < 2:
            left = "one clip" if fewest else "no clip"
            problem = f"class '{name}' has {total} clips, and a fold has {left} to learn from"
        if problem and task == "single":
            raise DataError(
                f"{dataset.root}: {problem}; add clips of other recordings, or remove the class"
            )
        without = sum(not fold for fold in clips)
        if problem:
            notes.append(problem)
        elif without and total:
            notes.append(
                f"class '{name}' is of {recordings} recordings, so {without} of {len(folds)} folds "
                "do not judge it"
            )
    return tuple(notes)


def write_folds(path: Path, folds: Folds) -> None:
    """Writes which clip is in which fold, counted from 1, as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("fold", "id", "recording"))
        writer.writerows(_rows(folds))


def holds_folds(path: Path, folds: Folds) -> bool:
    """Whether the table at ``path`` is of these folds."""
    with path.open(newline="", encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)][1:] == _rows(folds)


def _rows(folds: Folds) -> list[tuple[str, str, str]]:
    return [
        (str(number), clip.clip_id, clip.recording)
        for number, fold in enumerate(folds, start=1)
        for clip in fold
    ]
