"""The arrays that scores, targets and labels come in, and what makes them valid."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lilliput.errors import DataError

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]


def check_scores(scores: FloatArray, targets: BoolArray) -> None:
    """Refuses scores and targets that cannot be compared.

    Raises:
        DataError: They are empty, differ in shape, or are not scores in [0, 1] and booleans.
    """
    if scores.ndim != 2 or scores.shape != targets.shape:
        raise DataError(
            f"scores {scores.shape} and targets {targets.shape}: both must be (clips, classes)"
        )
    if scores.size == 0:
        raise DataError(f"scores {scores.shape} are empty: evaluate at least one clip and class")
    if targets.dtype != np.bool_:
        raise DataError(f"targets are {targets.dtype}: convert them with .astype(bool)")
    lowest, highest = scores.min(), scores.max()  # NaN wins both
    if not (lowest >= 0 and highest <= 1):
        raise DataError(
            f"scores reach from {lowest} to {highest}: they must be finite and in [0, 1];"
            " apply the sigmoid or the softmax, or look for NaN in the model's output"
        )
