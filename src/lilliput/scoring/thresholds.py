"""The positive-negative threshold and its exact tuning (thesis section 3.5).

A threshold matters only through the scores it separates, so the distinct scores cut [0, 1] into
intervals on which every metric is constant. Tuning sorts the scores, evaluates the objective on
every interval, and returns the middle of the best one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lilliput.errors import ConfigError, DataError
from lilliput.scoring.arrays import BoolArray, FloatArray, check_scores
from lilliput.scoring.labelling import most_likely
from lilliput.scoring.metrics import Counts

Objective = Literal["macro_f1", "micro_f1", "samples_f1", "weighted_f1"]

# The sums of the sweep carry rounding errors; objectives that differ by less are equal.
_TIE = 1e-9


@dataclass(frozen=True)
class ThresholdCurve:
    """Macro precision, recall and F1 over one global threshold, arrays of shape ``(P,)``."""

    thresholds: FloatArray
    precision: FloatArray
    recall: FloatArray
    f1: FloatArray


def tune_global(scores: FloatArray, targets: BoolArray, objective: Objective = "macro_f1") -> float:
    """Finds the one threshold for all classes that maximises the objective, exactly.

    Among equally good intervals the widest wins, for it leaves unseen scores the most room;
    then the lower one.

    Args:
        scores: Scores in [0, 1], of data that is not tested on.
        targets: True where the clip carries the label.
        objective: Which average of F1 to maximise.

    Shape:
        - scores, targets: ``(N, K)``

    Raises:
        ConfigError: The objective is unknown.
        DataError: The arrays do not fit, or nothing is annotated.
    """
    if objective not in get_args(Objective):
        raise ConfigError(
            f"objective {objective!r} is unknown: use one of {', '.join(get_args(Objective))}"
        )
    _check_tunable(scores, targets)
    return _best_threshold(*_ROWS[objective](scores, targets))


def tune_per_class(
    scores: FloatArray,
    targets: BoolArray,
    *,
    min_support: int = 10,
    objective: Objective = "macro_f1",
) -> NDArray[np.float64]:
    """Finds each class's own best threshold, exactly.

    Macro and weighted F1 are weighted sums of the classes' F1, so each class's maximum is the
    maximum of the sum. Micro and samples F1 couple the classes and are refused.

    Args:
        scores: Scores in [0, 1], of data that is not tested on.
        targets: True where the clip carries the label.
        min_support: A class with fewer positives takes the global threshold for the objective:
            its own optimum would be noise. At least 1.
        objective: ``"macro_f1"`` or ``"weighted_f1"``.

    Shape:
        - scores, targets: ``(N, K)``
        - Output: ``(K,)``

    Raises:
        ConfigError: The objective couples the classes, or ``min_support`` is below 1.
        DataError: The arrays do not fit, or nothing is annotated.
    """
    if objective not in ("macro_f1", "weighted_f1"):
        raise ConfigError(
            f"objective {objective!r} cannot be tuned class by class:"
            " use macro_f1 or weighted_f1, or a global threshold"
        )
    if min_support < 1:
        raise ConfigError(f"min_support is {min_support}: it must be at least 1")
    _check_tunable(scores, targets)
    supported = targets.sum(axis=0) >= min_support
    thresholds = np.empty(scores.shape[1])
    if not supported.all():
        thresholds[~supported] = tune_global(scores, targets, objective)
    for index in np.flatnonzero(supported):
        row = scores[None, :, index], targets[None, :, index]
        thresholds[index] = _best_threshold(*row, np.ones(1))
    return thresholds


def tune_unknown(
    scores: FloatArray, targets: BoolArray, objective: Objective = "macro_f1"
) -> float:
    """Finds the probability below which a single-label clip is best called unknown, exactly.

    Only the most likely class of a clip counts; calling it unknown takes away a wrong label, or a
    right one.

    Args:
        scores: Probabilities, of data that is not tested on.
        targets: One per clip.
        objective: Which average of F1 to maximise.

    Shape:
        - scores, targets: ``(N, K)``

    Raises:
        ConfigError: The objective is unknown.
        DataError: The arrays do not fit, or nothing is annotated.
    """
    # What is not most likely never becomes a label: at 0 no threshold lets it pass.
    return tune_global(np.where(most_likely(scores), scores, 0), targets, objective)


def threshold_curve(
    scores: FloatArray, targets: BoolArray, num_points: int = 101
) -> ThresholdCurve:
    """Macro scores over evenly spaced global thresholds from 0 to 1 (thesis figure 3.6).

    Shape:
        - scores, targets: ``(N, K)``

    Raises:
        ConfigError: ``num_points`` is below 2.
        DataError: The arrays are empty, do not fit each other or hold no valid scores.
    """
    if num_points < 2:
        raise ConfigError(f"num_points is {num_points}: a curve needs at least 2")
    check_scores(scores, targets)
    thresholds = np.linspace(0, 1, num_points)
    columns = list(zip(scores.T, targets.T, strict=True))
    counts = Counts(
        true_positives=np.stack([_num_above(c[t], thresholds) for c, t in columns], axis=1),
        predicted=np.stack([_num_above(c, thresholds) for c, _ in columns], axis=1),
        support=targets.sum(axis=0),
    )
    return ThresholdCurve(
        thresholds=thresholds,
        precision=counts.precision.mean(axis=1),
        recall=counts.recall.mean(axis=1),
        f1=counts.f1.mean(axis=1),
    )


_Rows = tuple[FloatArray, BoolArray, FloatArray]


def _class_rows(scores: FloatArray, targets: BoolArray) -> _Rows:
    num_classes = scores.shape[1]
    return scores.T, targets.T, np.full(num_classes, 1 / num_classes)


def _class_rows_by_support(scores: FloatArray, targets: BoolArray) -> _Rows:
    return scores.T, targets.T, targets.sum(axis=0) / targets.sum()


def _clip_rows(scores: FloatArray, targets: BoolArray) -> _Rows:
    return scores, targets, np.full(len(scores), 1 / len(scores))


def _pooled_row(scores: FloatArray, targets: BoolArray) -> _Rows:
    return scores.reshape(1, -1), targets.reshape(1, -1), np.ones(1)


# Each objective is a weighted mean of F1 over the rows of some arrangement of the scores.
_ROWS: dict[Objective, Callable[[FloatArray, BoolArray], _Rows]] = {
    "macro_f1": _class_rows,
    "weighted_f1": _class_rows_by_support,
    "samples_f1": _clip_rows,
    "micro_f1": _pooled_row,
}


def _best_threshold(scores: FloatArray, targets: BoolArray, weights: FloatArray) -> float:
    """Maximises the weighted mean of the rows' F1 over one threshold for all rows.

    As the threshold rises from 0, each score it passes changes the F1 of its own row only.
    Sorting within the rows gives these changes; sorting all scores together and summing the
    changes gives the objective between any two scores.

    Shape:
        - scores, targets: ``(R, M)``, the R rows F1 is computed over
        - weights: ``(R,)``, of sum 1
    """
    order = np.argsort(scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    missed = np.cumsum(np.take_along_axis(targets, order, axis=1), axis=1)
    support = missed[:, -1:]
    predicted = np.arange(scores.shape[1])[::-1]
    f1_of_all = 2 * support / (scores.shape[1] + support)
    f1 = 2 * (support - missed) / np.maximum(predicted + support, 1)
    changes = np.diff(f1, axis=1, prepend=f1_of_all) * weights[:, None]

    order = np.argsort(ranked, axis=None, kind="stable")  # merges the sorted rows, in that kind
    bounds = np.concatenate([[0], ranked.ravel()[order], [1]], dtype=scores.dtype)
    objective = np.cumsum(np.append(weights @ f1_of_all, changes.ravel()[order]))
    widths = np.diff(bounds)
    objective[widths == 0] = -np.inf  # no threshold lies between equal scores
    best = np.flatnonzero(objective >= objective.max() - _TIE)
    widest = best[np.argmax(widths[best])]
    return _between(float(bounds[widest]), float(bounds[widest + 1]))


def _between(lower: float, upper: float) -> float:
    """The middle of two scores, such that ``upper > middle >= lower`` survives float32.

    Models score in float32, where the middle of two neighbours may round up to the upper one;
    the lower one itself separates them, for a label needs a score above the threshold.
    """
    middle = float(np.float32((lower + upper) / 2))
    return middle if lower <= middle < upper else lower


def _num_above(values: FloatArray, thresholds: FloatArray) -> NDArray[Any]:
    """How many values lie strictly above each threshold."""
    return np.asarray(len(values) - np.searchsorted(np.sort(values), thresholds, side="right"))


def _check_tunable(scores: FloatArray, targets: BoolArray) -> None:
    check_scores(scores, targets)
    if not targets.any():
        raise DataError("targets hold no positive: thresholds need annotated clips to be tuned on")
