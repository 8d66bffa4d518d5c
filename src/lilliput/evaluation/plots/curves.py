"""Curves of a report over thresholds and probabilities (figure 3.6, coverage, reliability)."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lilliput.evaluation.plots.style import BLUE, GREEN, GREY, ORANGE, tidy


def draw_thresholds(report: dict[str, Any]) -> Figure:
    """Figure 3.6: macro scores over one threshold for all classes, and the thresholds in use.

    Thresholds of the classes' own are marked one by one, with the macro F1 they reach together.
    """
    curve = report["threshold_curve"]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    for name, label, color in (
        ("f1", "F1", BLUE),
        ("precision", "precision", GREEN),
        ("recall", "recall", ORANGE),
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
    tidy(axes)
    return figure


def draw_coverage(report: dict[str, Any]) -> Figure:
    """The accuracy of the answered clips, as the least certain of them become unknown."""
    curve = report["coverage_curve"]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    answered, accuracy = (100 * np.array(curve[name]) for name in ("answered", "accuracy"))
    axes.plot(answered, accuracy, color=BLUE, label="accuracy")
    share = 1 - report["classification"]["unknown"]
    if share > 0:
        right = 100 * report["classification"]["top1"] / share
        label = f"in use: unknown below {report['unknown_below']:.3f}"
        axes.plot(100 * share, right, "o", color=ORANGE, ms=8, clip_on=False, label=label)
    axes.set(xlabel="clips answered, % (the most certain first)", ylabel="of these right, %")
    axes.set(xlim=(0, 100), ylim=(0, 105))
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    tidy(axes)
    return figure


def draw_reliability(report: dict[str, Any]) -> Figure:
    """How often predictions of a probability are right, and how many predictions there are."""
    bins = report["reliability"]["bins"]
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes, counts = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    centers = [(one["low"] + one["high"]) / 2 for one in bins]
    heights = [100 * (one["accuracy"] or 0) for one in bins]
    width = 0.92 / len(bins)
    axes.bar(centers, heights, width, color=BLUE, label="right")
    for one in bins:
        if one["count"]:
            claimed = 100 * one["confidence"]
            axes.plot((one["low"], one["high"]), (claimed, claimed), color=ORANGE, lw=2.5)
    axes.plot([], [], color=ORANGE, lw=2.5, label="mean probability")
    axes.plot((0, 1), (0, 100), color="black", ls="--", lw=1, label="perfect")
    axes.set(ylabel="of these right, %", xlim=(0, 1), ylim=(0, 105))
    bars = counts.bar(centers, [one["count"] for one in bins], width, color=GREY)
    counts.bar_label(bars, [str(one["count"] or "") for one in bins], fontsize=8, padding=1)
    counts.margins(y=0.35)
    single = report["task"] == "single"
    counts.set(
        ylabel="predictions", xlabel=f"probability of {'the most likely' if single else 'a'} class"
    )
    for one in (axes, counts):
        tidy(one)
    counts.set_yticks([])
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure
