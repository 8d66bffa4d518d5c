"""The figure of the growth topic: one small panel per table."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

from benchmarks.tables import Table

_INK, _OURS = "#1f2933", "#0b6e99"


def draw_growth(tables: list[Table], path: Path) -> Path | None:
    """Draws each table's medians over its row names, which are numbers."""
    drawn = [table for table in tables if len(_points(table)) > 1]
    if not drawn:
        return None
    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    columns = 3
    rows = -(-len(drawn) // columns)
    style = {"svg.hashsalt": "benchmarks", "font.size": 9, "text.color": _INK,
             "axes.labelcolor": _INK, "axes.edgecolor": "#9aa5b1"}  # fmt: skip
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            rows, columns, figsize=(3.3 * columns, 2.5 * rows), squeeze=False, facecolor="white"
        )
        for axis, table in zip(axes.flat, drawn, strict=False):
            _draw(axis, table)
        for axis in axes.flat[len(drawn) :]:
            axis.remove()
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
    return path


def _draw(axis: object, table: Table) -> None:
    numbers, medians = zip(*_points(table), strict=True)
    what, _, over = table.title.partition(" over ")
    axis.plot(numbers, medians, marker="o", markersize=4, color=_OURS)
    axis.set_xscale("log" if _spans(numbers) else "linear")
    if not _spans(numbers):
        axis.set_xticks(numbers)
    if _spans(numbers) and _spans(medians):
        axis.set_yscale("log")
    else:
        axis.set_ylim(0, 1.15 * max(medians))
    axis.set_title(what, fontsize=9, loc="left")
    axis.set_xlabel(over)
    axis.set_ylabel(table.unit)
    axis.grid(color="#e4e7eb", linewidth=0.7)
    axis.spines[["top", "right"]].set_visible(False)


def _spans(values: Sequence[float]) -> bool:
    """Whether the values ask for a logarithmic axis."""
    return max(values) > 20 * min(values)


def _points(table: Table) -> list[tuple[float, float]]:
    rows = [row for row in table.rows if row.median is not None and row.name.isdigit()]
    return [(float(row.name), row.median) for row in rows]
