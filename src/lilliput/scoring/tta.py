"""Test-time augmentation: joining the scores of several views of a clip (thesis section 3.4)."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from lilliput.errors import ConfigError, DataError
from lilliput.scoring.arrays import FloatArray, IntArray

Merge = Literal["max", "mean"]

_MERGES: dict[Merge, Callable[..., FloatArray]] = {"max": np.max, "mean": np.mean}


def merge_views(view_scores: FloatArray, how: Merge) -> FloatArray:
    """Joins the scores of the views of each clip, class by class.

    The thesis takes the maximum over a clip and its mirror image (3.4.1); the mean is usual for
    K clips of one video (3.4.2). With both, first join each clip with its mirror image.

    Args:
        view_scores: Scores in [0, 1]; those of mirrored views already through ``swap_pairs``.
        how: ``"max"`` or ``"mean"``.

    Shape:
        - view_scores: ``(V, N, K)``
        - Output: ``(N, K)``

    Raises:
        ConfigError: ``how`` is unknown.
        DataError: The array is not ``(V, N, K)``, has no view, or holds values that are not finite.
    """
    if how not in _MERGES:
        raise ConfigError(f"merge {how!r} is unknown: use {' or '.join(_MERGES)}")
    if view_scores.ndim != 3 or len(view_scores) == 0:
        raise DataError(
            f"view scores have shape {view_scores.shape}: give (views, clips, classes),"
            " at least one view"
        )
    if not np.isfinite(view_scores).all():
        raise DataError("view scores are not all finite: look for NaN in the model's output")
    return _MERGES[how](view_scores, axis=0)


class MergedScores:
    """``merge_views`` of videos whose clips come one batch after the other, any number of each.

    Args:
        num_videos: Videos N.
        num_classes: Classes K.
        how: ``"max"`` or ``"mean"``.

    Raises:
        ConfigError: ``how`` is unknown.
    """

    def __init__(self, num_videos: int, num_classes: int, how: Merge) -> None:
        if how not in _MERGES:
            raise ConfigError(f"merge {how!r} is unknown: use {' or '.join(_MERGES)}")
        self._how = how
        self._merged = np.zeros((num_videos, num_classes))  # scores are not below 0
        self._counts = np.zeros(num_videos, dtype=np.int64)

    @property
    def seen(self) -> int:
        """Videos of which a clip has come."""
        return int(np.count_nonzero(self._counts))

    def add(self, videos: IntArray, scores: FloatArray) -> None:
        """Takes in clips.

        Args:
            videos: (M,) which video each is of.
            scores: (M, K) in [0, 1].

        Raises:
            DataError: A score is not finite.
        """
        if not np.isfinite(scores).all():
            raise DataError("view scores are not all finite: look for NaN in the model's output")
        join = np.maximum if self._how == "max" else np.add
        join.at(self._merged, videos, scores)
        np.add.at(self._counts, videos, 1)

    def merge(self) -> FloatArray:
        """(N, K) scores; those of a video without clips are 0."""
        if self._how == "max":
            return self._merged
        return self._merged / np.maximum(self._counts, 1)[:, None]


def swap_pairs(scores: FloatArray, flip_pairs: Sequence[tuple[int, int]]) -> FloatArray:
    """Reads the scores of mirrored clips as scores of the clips themselves.

    In a mirror, turning left is turning right. The thesis forbids the flip for data with such
    classes (3.4.1); exchanging their columns allows it.

    Args:
        scores: Scores of the mirrored clips.
        flip_pairs: Class indices that a mirror exchanges; a class is in at most one pair.

    Shape:
        - scores: ``(..., K)``
        - Output: ``(..., K)``, a new array

    Raises:
        DataError: A pair names a class that does not exist, or one that has a partner already.
    """
    num_classes = scores.shape[-1]
    order = np.arange(num_classes)
    for first, second in flip_pairs:
        if not (0 <= first < num_classes and 0 <= second < num_classes):
            raise DataError(
                f"flip pair ({first}, {second}): class indices run from 0 to {num_classes - 1}"
            )
        if first == second or order[first] != first or order[second] != second:
            raise DataError(
                f"flip pair ({first}, {second}): pair each class with at most one other class"
            )
        order[[first, second]] = second, first
    return scores[..., order]
