"""The pictures of a report, drawn from its numbers (figures 3.6, 4.15 and 4.16)."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Told apart with any colour vision (Okabe and Ito, 2008).
_GREEN, _ORANGE, _BLUE, _GREY = "#009e73", "#e69f00", "#0072b2", "#c8c8c8"


def draw_figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Draws the document of ``evaluate_report``; the keys are file names without a suffix."""
    return {
        "per_class": draw_per_class(report),
        "per_resolution": draw_per_resolution(report),
        "thresholds": draw_thresholds(report),
    }


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
        ("true_positives", "recognised", _GREEN),
        ("false_negatives", "missed", _ORANGE),
        ("false_positives", "false alarm", _GREY),
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
    _tidy(axes)
    return figure


def draw_per_resolution(report: dict[str, Any]) -> Figure:
    """Figure 4.16: F1 of each group of clips by their native short side."""
    rows = report["per_resolution"]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    for offset, average, color in ((-0.2, "macro", _BLUE), (0.2, "micro", _ORANGE)):
        scores = [row[f"{average}_f1"] for row in rows]
        heights = [100 * (score or 0) for score in scores]
        positions = [index + offset for index in range(len(rows))]
        bars = axes.bar(positions, heights, width=0.38, color=color, label=f"{average} F1")
        numbers = ["" if score is None else f"{100 * score:.0f}" for score in scores]
        axes.bar_label(bars, numbers, fontsize=8, padding=1)
    axes.set_xticks(range(len(rows)), [f"{row['group']}\n{row['clips']} clips" for row in rows])
    axes.set(xlabel="native short side, px", ylabel="F1, %", ylim=(0, 105))
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    _tidy(axes)
    return figure


def draw_thresholds(report: dict[str, Any]) -> Figure:
    """Figure 3.6: macro scores over one threshold for all classes, and the thresholds in use.

    Thresholds of the classes' own are marked one by one, with the macro F1 they reach together.
    """
    curve = report["threshold_curve"]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    for name, label, color in (
        ("f1", "F1", _BLUE),
        ("precision", "precision", _GREEN),
        ("recall", "recall", _ORANGE),
    ):
        axes.plot(curve["thresholds"], [100 * v for v in curve[name]], label=label, color=color)
    used = sorted({row["threshold"] for row in report["per_class"]})
    if len(used) == 1:
        axes.axvline(used[0], color="black", ls="--", lw=1, label=f"in use: {used[0]:.3f}")
    else:
        axes.plot(used, [0] * len(used), "k|", ms=14, clip_on=False, label="in use, per class")
        f1 = 100 * report["metrics"]["macro"]["f1"]
        axes.axhline(f1, color="black", ls="--", lw=1, label="F1 with these")
    axes.set(xlabel="threshold", ylabel="macro score, %", xlim=(0, 1), ylim=(0, 105))
    figure.legend(loc="outside upper center", ncols=5, frameon=False)
    _tidy(axes)
    return figure


def _numbers(row: dict[str, Any]) -> str:
    """The bar's three numbers, in its order."""
    if row["absent"]:
        return "absent"
    return f"{row['true_positives']} · {row['false_negatives']} · {row['false_positives']}"


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
