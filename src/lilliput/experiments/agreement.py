"""What models and reports must have in common; told before hours of scoring."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lilliput.checkpoint import Description
from lilliput.errors import DataError
from lilliput.experiments.saved import SavedReport, read_report_folder
from lilliput.task import IN_WORDS


def common_thresholds(models: Sequence[Description], tuned: Path | None) -> np.ndarray:
    """(K,) the thresholds of a model, or of the average of several.

    Args:
        models: One, or several whose scores are to be averaged.
        tuned: The report folder of ``lilliput tune`` whose thresholds to use; None takes the
            model's own.

    Raises:
        DataError: The models are of different tasks or classes, or come without thresholds for
            their average; or the thresholds are those of another task or other classes.
    """
    first = models[0]
    for model in models[1:]:
        if model.task != first.task:
            raise DataError(
                f"one of these models gives {IN_WORDS[first.task]}, another one gives "
                f"{IN_WORDS[model.task]}; average models of one task"
            )
        if model.labels.class_names != first.labels.class_names:
            raise DataError("these models know different classes; average those of the same")
    if tuned is None:
        if len(models) > 1:
            raise DataError(
                "several models have no thresholds in common: run `lilliput tune` on their report "
                "folders and give its folder as --thresholds"
            )
        return np.array(first.thresholds)
    saved = read_same_task(tuned, first)
    if tuple(saved.scored.class_names) != first.labels.class_names:
        raise DataError(f"{tuned}: its thresholds are for other classes than the model's")
    return saved.thresholds


def read_same_task(folder: Path, model: Description) -> SavedReport:
    """A report folder of a model's task.

    Raises:
        DataError: It is of another one, or no report folder.
    """
    saved = read_report_folder(folder)
    if saved.scored.task != model.task:
        raise DataError(
            f"{folder}: is of {IN_WORDS[saved.scored.task]}, the model gives "
            f"{IN_WORDS[model.task]}; give the folder of such a model"
        )
    return saved
