"""Finds the settings of events that suit a model best, on recordings it was not trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lilliput.data.spans import ActionSpan
from lilliput.scoring.spans import event_f1
from lilliput.task import Task
from lilliput.watch.actions import EventRule
from lilliput.watch.evaluation import ScoredRecording, find_spans, true_spans
from lilliput.watch.settings import EventSettings

_IOUS = (0.3, 0.5)
_ONSETS = np.round(np.arange(0.05, 0.96, 0.05), 2)
_CHOICES: Mapping[str, Sequence[float]] = {
    "smoothing_seconds": (0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
    "offset_ratio": (1.0, 0.8, 0.6, 0.4),
    "min_on_seconds": (0.0, 0.3, 0.5, 0.8, 1.0, 1.5),
    "min_off_seconds": (0.0, 0.3, 0.5, 1.0, 1.5),
}
_ROUNDS = 2


def tune_events(
    recordings: Sequence[ScoredRecording],
    truth: Mapping[str, Sequence[ActionSpan]],
    class_names: Sequence[str],
    task: Task,
) -> tuple[EventSettings, float]:
    """Maximises the macro F1 of events, averaged over temporal IoU 0.3 and 0.5.

    One setting after the other takes its best value, twice around; for each value tried, every
    class takes its own best onset, since the macro average is the mean of the classes' F1: the
    one whose neighbours are good as well, for a lone peak would be noise. A class that none of them
    finds is left to the model's threshold. Where there is one action at a time, the classes
    compete, and share the onset that is best for their mean.

    Args:
        recordings: What was watched; the model must not have seen them in training.
        truth: Their annotated actions.
        class_names: (K,) in the order of the scores.
        task: How many actions there are at a time.

    Returns:
        The settings, and what they reach on these recordings, in [0, 1].
    """
    true = true_spans(recordings, truth, class_names)

    def measure(settings: EventSettings) -> tuple[float, dict[str, float]]:
        rows = []
        for onset in _ONSETS:
            rule = EventRule((float(onset),) * len(class_names), settings, task)
            found = [span for recording in recordings for span in find_spans(recording, rule)]
            scores = (event_f1(found, true, len(class_names), min_iou=iou) for iou in _IOUS)
            rows.append(np.mean([score.per_class.f1 for score in scores], axis=0))
        curves = _smooth(np.array(rows))
        if task == "single":
            curves = np.broadcast_to(curves.mean(axis=1, keepdims=True), curves.shape)
        best = np.argmax(curves, axis=0)
        pairs = zip(class_names, _ONSETS[best].tolist(), strict=True)
        onset_of = dict(pair for pair, good in zip(pairs, curves.max(axis=0), strict=True) if good)
        return float(np.mean([rows[at][label] for label, at in enumerate(best)])), onset_of

    settings = EventSettings()
    reached, onset = measure(settings)
    for _ in range(_ROUNDS):
        for key, values in _CHOICES.items():
            for value in values:
                change: dict[str, Any] = {key: value}
                changed = settings.model_copy(update=change)
                score, own = measure(changed)
                if score > reached:
                    settings, reached, onset = changed, score, own
    return settings.model_copy(update={"onset": onset}), reached


def _smooth(curves: np.ndarray) -> np.ndarray:
    """Mean over each point and its neighbours, along the first axis."""
    padded = np.concatenate([curves[:1], curves, curves[-1:]])
    smooth: np.ndarray = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return smooth
