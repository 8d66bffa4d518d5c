"""A report by its classes and by the sizes of its videos (figures 4.15 and 4.16)."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lilliput.evaluation.plots.style import BLUE, GREEN, GREY, ORANGE, tidy


def draw_per_class(report: dict[str, Any]) -> Figure:
    """Figure 4.15: what of each class is recognised, missed and falsely seen.

    A bar is all clips that carry the class or are given it; as shares, so that rare classes
    stay readable, with the numbers beside it. Frequent classes come first: the thesis' point is
    that those never recognised are rare.
    """
    rows = sorted(report["per_class"], key=lambda row: -row["support"])
    figure = Figure(figsize=(9, 1.5 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    starts = [0.0] * len(rows)
    for key, label, color in (
        ("true_positives", "recognised", GREEN),
        ("false_negatives", "missed", ORANGE),
        ("false_positives", "false alarm", GREY),
    ):
        shares = [100 * row[key] / max(row["support"] + row["false_positives"], 1) for row in rows]
        axes.barh(range(len(rows)), shares, left=starts, color=color, label=label, height=0.75)
        starts = [start + share for start, share in zip(starts, shares, strict=True)]
    # Class names are no formulas, even with dollar signs.
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], parse_math=False)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 100))
    axes.set_xlabel("% of the clips that carry the class or are given it")
    numbers = axes.secondary_yaxis("right")
    numbers.set_yticks(range(len(rows)), [_numbers(row) for row in rows])
    numbers.tick_params(length=0)
    numbers.spines["right"].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    tidy(axes)
    return figure


def draw_per_resolution(report: dict[str, Any]) -> Figure:
    """Scores of each group of clips by their native short side, the groups of figure 4.5."""
    rows = report["per_resolution"]
    other = ("top1", "top-1") if report["task"] == "single" else ("micro_f1", "micro F1")
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    columns = ("macro_f1", "macro F1"), other
    for offset, (name, label), color in zip((-0.2, 0.2), columns, (BLUE, ORANGE), strict=True):
        scores = [row[name] for row in rows]
        heights = [100 * (score or 0) for score in scores]
        positions = [index + offset for index in range(len(rows))]
        bars = axes.bar(positions, heights, width=0.38, color=color, label=label)
        numbers = ["" if score is None else f"{100 * score:.0f}" for score in scores]
        axes.bar_label(bars, numbers, fontsize=8, padding=1)
    axes.set_xticks(range(len(rows)), [f"{row['group']}\n{row['clips']} clips" for row in rows])
    axes.set(xlabel="native short side, px", ylabel="score, %", ylim=(0, 105))
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    tidy(axes)
    return figure


def draw_per_side(rows: Sequence[dict[str, Any]]) -> Figure:
    """Figure 4.16: scores of the clips of each size, and how many clips that is.

    Args:
        rows: Of ``rows_per_side``.
    """
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes, counts = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    sides = [row["side"] for row in rows]
    for name, label, color in (("macro_f1", "macro F1", BLUE), ("micro_f1", "micro F1", ORANGE)):
        scored = [row for row in rows if row[name] is not None]
        heights = [100 * row[name] for row in scored]
        axes.plot(
            [row["side"] for row in scored], heights, "o-", ms=3, lw=1, color=color, label=label
        )
    axes.set(ylabel="score, %", ylim=(0, 105))
    counts.bar(sides, [row["clips"] for row in rows], width=0.9, color=GREY)
    counts.set(xlabel="native short side, px", ylabel="clips")
    for one in (axes, counts):
        tidy(one)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _numbers(row: dict[str, Any]) -> str:
    """The bar's three numbers, in its order."""
    if row["absent"]:
        return "absent"
    return f"{row['true_positives']} · {row['false_negatives']} · {row['false_positives']}"
