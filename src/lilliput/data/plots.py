"""Figures of a data set: the thesis' figures 4.4 and 4.5."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from lilliput.data.describe import RESOLUTION_GROUPS, Description

_SPLIT_COLOURS = ("#2a5c8a", "#e08e45", "#6aa56e", "#9b6a9b")
_ROW_INCHES = 0.26
_LONG_TAIL = 20  # a log scale pays off when the largest count exceeds the smallest this often


def plot_clips_per_class(description: Description) -> Figure:
    """Clips of each class in each labelled split, most frequent class on top (figure 4.4)."""
    counts = {
        name: np.array(split.clips_per_class)
        for name, split in description.splits.items()
        if split.labelled
    }
    order = np.argsort(sum(counts.values(), np.zeros(len(description.class_names))), kind="stable")
    figure = _tall_figure(len(order) * max(2, len(counts)) / 2)
    axes = figure.subplots()
    height = 0.8 / max(1, len(counts))
    for position, (name, values) in enumerate(counts.items()):
        offsets = np.arange(len(order)) + (len(counts) / 2 - position - 0.5) * height
        bars = axes.barh(
            offsets, values[order], height, label=name, color=_SPLIT_COLOURS[position % 4]
        )
        axes.bar_label(bars, padding=2, fontsize=6)
    axes.set_yticks(np.arange(len(order)), [description.class_names[i] for i in order], fontsize=8)
    axes.set_ylim(-0.6, len(order) - 0.4)
    shown = np.concatenate([values[values > 0] for values in counts.values()])
    if shown.size and shown.max() > _LONG_TAIL * shown.min():
        axes.set_xscale("log")
        axes.set_xlim(left=0.8)
    axes.margins(x=0.12)
    axes.set_xlabel("clips")
    axes.set_title("Clips per class and split")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)
    return figure


def plot_class_resolutions(description: Description) -> Figure:
    """Share of each resolution group in each class, all labelled splits (figure 4.5)."""
    tables = [np.array(s.class_resolutions) for s in description.splits.values() if s.labelled]
    counts = sum(tables, np.zeros((len(description.class_names), len(RESOLUTION_GROUPS))))
    totals = counts.sum(axis=1)
    order = np.argsort(totals, kind="stable")
    shares = counts[order] / np.maximum(totals[order], 1)[:, None]
    figure = _tall_figure(len(order))
    axes = figure.subplots()
    used = [group for group in range(len(RESOLUTION_GROUPS)) if counts[:, group].any()]
    left = np.zeros(len(order))
    for group in used:
        colour = colormaps["viridis"](group / (len(RESOLUTION_GROUPS) - 1))
        label = f"{RESOLUTION_GROUPS[group]} px"
        axes.barh(range(len(order)), shares[:, group], 0.8, left=left, label=label, color=colour)
        left += shares[:, group]
    names = [f"{description.class_names[i]} ({int(totals[i])})" for i in order]
    axes.set_yticks(range(len(order)), names, fontsize=8)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("share of the class' clips")
    axes.set_title("Short side of the clips of each class")
    axes.spines[["top", "right"]].set_visible(False)
    if used:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, reverse=True)
    return figure


def _tall_figure(rows: float) -> Figure:
    return Figure(figsize=(8.5, 1.4 + _ROW_INCHES * rows), layout="constrained", dpi=150)
