"""The confusion matrix of a report as a picture."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lilliput.evaluation.breakdown import UNKNOWN

_CELL_INCHES = 0.34
_NUMBERED = 40  # classes; of more, the numbers would not be readable
_DARK = 0.55  # share of a row above which a number is white


def draw_confusion(report: dict[str, Any]) -> Figure:
    """True classes in rows, given ones in columns; color is the share of the row.

    The last column, of clips that are given no class, is left out where there are none.
    """
    counts = np.array(report["confusion"])
    names = [row["name"] for row in report["per_class"]]
    given = [*names, UNKNOWN]
    if not counts[:, -1].any():
        counts, given = counts[:, :-1], given[:-1]
    cell = _CELL_INCHES if len(names) <= _NUMBERED else _CELL_INCHES / 3
    room = 1.2 + 0.085 * min(max(map(len, given)), 40)  # of the names at the left and below
    side = max(2.4, cell * len(given))
    figure = Figure(figsize=(side + room + 1, side + room), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100, aspect="equal")
    # Class names are no formulas, even with dollar signs.
    size = 9 if len(names) <= _NUMBERED else 4
    axes.set_yticks(range(len(names)), names, parse_math=False, fontsize=size)
    axes.set_xticks(range(len(given)), given, parse_math=False, fontsize=size)
    axes.tick_params(axis="x", rotation=90, length=0)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("given", fontsize=9)
    axes.set_ylabel("true", fontsize=9)
    axes.spines[:].set_visible(False)
    if len(names) <= _NUMBERED:
        _write_counts(axes, counts, shares)
    if len(given) > len(names):
        axes.axvline(len(names) - 0.5, color="black", lw=1)
    bar = figure.colorbar(image, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("% of the class", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > _DARK else "black"
            size = 8 if count < 1000 else 6
            axes.text(column, row, str(count), ha="center", va="center", fontsize=size, color=color)
