"""Figures 4.6 to 4.14: scores of trainings over their epochs."""

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
    """Figure 4.6: F1, precision and recall on the validation split."""
    return draw_curves({name: read_curves(folders, column) for column, name in _NAMES.items()})


def draw_runs(runs: Mapping[str, Sequence[Path]], column: str) -> Figure:
    """Figures 4.7 to 4.14: one score of several trainings.

    Args:
        runs: By legend, the run folders of its seeds.
        column: Of ``history.csv``.
    """
    curves = {legend: read_curves(folders, column) for legend, folders in runs.items()}
    return draw_curves(curves, _NAMES[column])


def draw_curves(curves: Mapping[str, np.ndarray], name: str = "macro score") -> Figure:
    """Curves by legend; several seeds become their mean and a band of one deviation.

    Args:
        curves: (seeds, epochs) fractions.
        name: Of the score.
    """
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.subplots()
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
    axes.set(xlabel="epoch", ylabel=f"validation {name}, %", ylim=(0, 1.05 * axes.get_ylim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
