"""Figures 4.6 to 4.14: scores of trainings over their epochs.

The thesis does not say how the F1 of its curves is averaged. So those of F1 are drawn twice: macro,
as its tables, and averaged over samples at a threshold of 0.5, as the code it very probably began
from logs on validation.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lilliput.errors import DataError

# The thesis' red and blue, told apart with any colour vision (Okabe and Ito, 2008).
_RED, _BLUE, _GREEN = "#d55e00", "#0072b2", "#009e73"
_NAMES = {"val_f1": "macro F1", "val_precision": "macro precision", "val_recall": "macro recall"}
_SAMPLES = "val_samples_f1"  # trainings of before it was noted have no such column
_TRAINING = "train_f1"  # likewise


def read_curves(folders: Sequence[Path], column: str) -> np.ndarray:
    """(seeds, epochs) of one column of ``history.csv``.

    Raises:
        DataError: A file is damaged.
    """
    curves = []
    for folder in folders:
        path = folder / "history.csv"
        try:
            with path.open(newline="", encoding="utf-8") as file:
                curve = [float(row[column]) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError):  # ValueError: no UTF-8, too
            curve = []
        if not curve:
            raise DataError(f"{path}: damaged; remove its folder to train again")
        curves.append(curve)
    return np.array(curves)


def draw_training(folders: Sequence[Path]) -> Figure:
    """Figure 4.6: F1, precision and recall on the validation split, F1 on the training split."""
    curves = {name: read_curves(folders, column) for column, name in _NAMES.items()}
    panels = {"validation, macro": curves}
    others = {"training, macro F1": _TRAINING, "validation, samples F1": _SAMPLES}
    f1 = {name: _read_noted(folders, column) for name, column in others.items()}
    noted = {name: values for name, values in f1.items() if values is not None}
    if noted:
        panels["F1"] = noted
    return draw_panels(panels)


def draw_runs(runs: Mapping[str, Sequence[Path]], column: str) -> Figure:
    """Figures 4.7 to 4.14: one score of several trainings; of F1 also averaged over samples.

    Args:
        runs: By legend, the run folders of its seeds.
        column: Of ``history.csv``.
    """
    curves = {legend: read_curves(folders, column) for legend, folders in runs.items()}
    panels = {f"validation {_NAMES[column]}": curves}
    if column == "val_f1":
        samples = {legend: _read_noted(folders, _SAMPLES) for legend, folders in runs.items()}
        noted = {legend: values for legend, values in samples.items() if values is not None}
        if len(noted) == len(runs):
            panels["validation samples F1"] = noted
    return draw_panels(panels)


def _read_noted(folders: Sequence[Path], column: str) -> np.ndarray | None:
    """A column that older trainings lack, or None."""
    try:
        curves = read_curves(folders, column)
    except DataError:
        return None
    return curves if np.isfinite(curves).all() else None


def draw_panels(panels: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """One panel of curves for each name, side by side.

    Args:
        panels: By the name of the scores, curves as ``draw_curves`` takes them.
    """
    figure = Figure(figsize=(8 if len(panels) == 1 else 11, 3.8), layout="constrained")
    for axes, (name, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        draw_curves(axes, curves, name)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return figure


def draw_curves(axes: Axes, curves: Mapping[str, np.ndarray], name: str) -> None:
    """Curves by legend; several seeds become their mean and a band of one deviation.

    Args:
        axes: Where to draw.
        curves: (seeds, epochs) fractions.
        name: Of the score.
    """
    for (legend, values), color in zip(curves.items(), (_RED, _BLUE, _GREEN), strict=False):
        epochs = np.arange(1, values.shape[1] + 1)
        mean = 100 * values.mean(axis=0)
        marker = "o" if len(epochs) == 1 else None  # a single epoch is no line
        axes.plot(epochs, mean, color=color, label=legend, marker=marker)
        if len(values) > 1:
            deviation = 100 * values.std(axis=0, ddof=1)
            axes.fill_between(
                epochs, mean - deviation, mean + deviation, color=color, alpha=0.2, linewidth=0
            )
    _tidy(axes)
    axes.set(xlabel="epoch", ylabel=f"{name}, %", ylim=(0, 1.05 * axes.get_ylim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
