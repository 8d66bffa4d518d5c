"""The pictures of a report, drawn from its numbers."""

from typing import Any

from matplotlib.figure import Figure

from lilliput.evaluation.plots.classes import (
    draw_per_class,
    draw_per_resolution,
    draw_per_side,
)
from lilliput.evaluation.plots.confusion import draw_confusion
from lilliput.evaluation.plots.curves import draw_coverage, draw_reliability, draw_thresholds
from lilliput.evaluation.plots.learning import draw_learning

__all__ = [
    "draw_coverage",
    "draw_figures",
    "draw_per_class",
    "draw_per_resolution",
    "draw_per_side",
    "draw_thresholds",
]


def draw_figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Draws the document of ``evaluate_report``; the keys are file names without a suffix."""
    draw = {"per_class": draw_per_class, "per_resolution": draw_per_resolution}
    if report["task"] == "single":
        draw |= {"confusion": draw_confusion, "coverage": draw_coverage}
    else:
        draw |= {"thresholds": draw_thresholds}
    draw["reliability"] = draw_reliability
    if report["history"] is not None:
        draw["learning"] = draw_learning
    return {name: function(report) for name, function in draw.items()}
