"""Scores of a run: metrics, thresholds, confidence intervals and test-time augmentation."""

from lilliput.scoring.bootstrap import (
    Interval,
    PairedComparison,
    bootstrap_intervals,
    paired_comparison,
)
from lilliput.scoring.metrics import (
    Averages,
    ClassMetrics,
    Counts,
    Metrics,
    apply_thresholds,
    average_precision,
    compute_metrics,
    count,
)
from lilliput.scoring.thresholds import (
    Objective,
    ThresholdCurve,
    threshold_curve,
    tune_global,
    tune_per_class,
)
from lilliput.scoring.tta import Merge, merge_views, swap_pairs

__all__ = [
    "Averages",
    "ClassMetrics",
    "Counts",
    "Interval",
    "Merge",
    "Metrics",
    "Objective",
    "PairedComparison",
    "ThresholdCurve",
    "apply_thresholds",
    "average_precision",
    "bootstrap_intervals",
    "compute_metrics",
    "count",
    "merge_views",
    "paired_comparison",
    "swap_pairs",
    "threshold_curve",
    "tune_global",
    "tune_per_class",
]
