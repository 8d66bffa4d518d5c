"""Scores of a run: metrics, thresholds, intervals, test-time augmentation; events in footage."""

from lilliput.scoring.bootstrap import (
    Interval,
    PairedComparison,
    bootstrap_intervals,
    paired_comparison,
)
from lilliput.scoring.classification import (
    Classification,
    Reliability,
    classify,
    confusion_matrix,
    measure_reliability,
    reliability_of,
)
from lilliput.scoring.detection import (
    FrameDetections,
    frame_box_map,
    temporal_map,
    video_map,
)
from lilliput.scoring.labelling import apply_thresholds, give_labels, most_likely
from lilliput.scoring.matching import DetectionScores
from lilliput.scoring.metrics import (
    Averages,
    ClassMetrics,
    Counts,
    Metrics,
    average_precision,
    compute_metrics,
    count,
    samples_f1,
)
from lilliput.scoring.spans import MeanPrecision, Span, detection_map, event_f1, frame_map
from lilliput.scoring.thresholds import (
    Objective,
    ThresholdCurve,
    threshold_curve,
    tune_global,
    tune_per_class,
    tune_unknown,
)
from lilliput.scoring.tta import Merge, MergedScores, merge_views, swap_pairs
from lilliput.scoring.tubelets import Tubelet, actor_f1, tubelet_f1, tubelet_map

__all__ = [
    "Averages",
    "ClassMetrics",
    "Classification",
    "Counts",
    "DetectionScores",
    "FrameDetections",
    "Interval",
    "MeanPrecision",
    "Merge",
    "MergedScores",
    "Metrics",
    "Objective",
    "PairedComparison",
    "Reliability",
    "Span",
    "ThresholdCurve",
    "Tubelet",
    "actor_f1",
    "apply_thresholds",
    "average_precision",
    "bootstrap_intervals",
    "classify",
    "compute_metrics",
    "confusion_matrix",
    "count",
    "detection_map",
    "event_f1",
    "frame_box_map",
    "frame_map",
    "give_labels",
    "measure_reliability",
    "merge_views",
    "most_likely",
    "paired_comparison",
    "reliability_of",
    "samples_f1",
    "swap_pairs",
    "temporal_map",
    "threshold_curve",
    "tubelet_f1",
    "tubelet_map",
    "tune_global",
    "tune_per_class",
    "tune_unknown",
    "video_map",
]
