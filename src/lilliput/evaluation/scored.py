"""The scores of a model on a split: kept on disk, so that nothing needs a second pass.

Thresholds can be tuned again, runs compared and several models averaged from these files
alone.
"""

import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lilliput.errors import DataError
from lilliput.scoring import give_labels
from lilliput.task import Task

# What damaged zip files raise, beside their own error.
_OF_ZIP_FILES = (zipfile.BadZipFile, zlib.error, NotImplementedError, struct.error)
_ARRAYS = ("clip_ids", "recordings", "sides", "scores", "targets", "class_names", "unreadable")


@dataclass(frozen=True)
class ScoredClips:
    """Scores of N clips for K classes.

    Attributes:
        clip_ids: (N,) names.
        recordings: (N,) the recording each was cut from.
        sides: (N,) native short side, px.
        scores: (N, K) in [0, 1]; rows of unreadable clips are 0.
        targets: (N, K) bool, or (0, K) where the labels are withheld.
        class_names: (K,) names.
        unreadable: One line per clip that could not be read.
        task: How many labels a clip has; of several, each has a score of its own.
    """

    clip_ids: np.ndarray
    recordings: np.ndarray
    sides: np.ndarray
    scores: np.ndarray
    targets: np.ndarray
    class_names: np.ndarray
    unreadable: np.ndarray
    task: Task = "multi"

    @property
    def labelled(self) -> bool:
        """Whether the labels are known."""
        return len(self.targets) == len(self.scores)

    def save(self, path: Path) -> None:
        """Writes a compressed .npz file."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(path, task=np.array(self.task), **arrays)

    def label(self, thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
        """The labels that the scores stand for, (N, K) bool."""
        return give_labels(self.scores, np.asarray(thresholds), self.task)


def load_scores(path: Path) -> ScoredClips:
    """Reads one file; nothing in it is executed.

    Raises:
        DataError: It is missing or was not written by ``ScoredClips.save``.
    """
    try:
        with path.open("rb") as source, np.load(source, allow_pickle=False) as file:
            # Files of before there were tasks are of clips with any number of labels.
            task: Task = "single" if "task" in file and str(file["task"]) == "single" else "multi"
            return ScoredClips(**{name: file[name] for name in _ARRAYS}, task=task)
    except FileNotFoundError:
        raise DataError(f"{path}: no such scores file; `lilliput evaluate` writes one") from None
    except (KeyError, ValueError, OSError, EOFError, RuntimeError, *_OF_ZIP_FILES) as error:
        raise DataError(f"{path}: not a scores file of `lilliput evaluate` ({error})") from None


def average_scores(runs: Sequence[ScoredClips]) -> ScoredClips:
    """An ensemble (section 5.1): the mean of several models' scores on the same clips.

    Raises:
        DataError: The runs scored other clips or other classes.
    """
    first = runs[0]
    for run in runs[1:]:
        if not np.array_equal(run.clip_ids, first.clip_ids):
            raise DataError("these scores are of different clips; evaluate the same split")
        if not np.array_equal(run.class_names, first.class_names):
            raise DataError("these scores are of different classes")
        if run.task != first.task:
            raise DataError(
                "these scores are of models with one label per clip and of others; average those "
                "of one task"
            )
    return replace(first, scores=np.mean([run.scores for run in runs], axis=0))


def join_scores(parts: Sequence[ScoredClips]) -> ScoredClips:
    """The scores of several sets of labeled clips, one after the other, as those of one set."""

    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return replace(
        parts[0],
        clip_ids=join("clip_ids"),
        recordings=join("recordings"),
        sides=join("sides"),
        scores=join("scores"),
        targets=join("targets"),
        unreadable=join("unreadable"),
    )
