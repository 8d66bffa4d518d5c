"""The learning curves of a training."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lilliput.evaluation.plots.style import BLUE, GREEN, ORANGE, tidy


def draw_learning(report: dict[str, Any]) -> Figure:
    """Loss and validation scores over the epochs; of one label per clip also top-1."""
    history = {name: np.array(column, dtype=float) for name, column in report["history"].items()}
    scores = [("val_f1", "macro F1", BLUE), ("val_map", "mAP", ORANGE)]
    scores.append(("val_samples_f1", "samples F1 at 0.5", GREEN))
    if report["task"] == "single":
        scores.insert(0, ("val_top1", "top-1", GREEN))
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = history["epoch"]
    marker = "o" if len(epochs) == 1 else None  # a single epoch is no line
    for axes, curves, scale in (
        (left, [("train_loss", "training", BLUE), ("val_loss", "validation", ORANGE)], 1),
        (right, scores, 100),
    ):
        for name, label, color in curves:
            values = history.get(name)
            if values is not None and np.isfinite(values).any():
                axes.plot(epochs, scale * values, color=color, label=label, marker=marker)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.lines:  # hand-crafted features have a loss only
            axes.legend(frameon=False)
        tidy(axes)
    left.set(ylabel="loss", ylim=(0, None))
    right.set(ylabel="validation score, %", ylim=(0, 105))
    return figure
