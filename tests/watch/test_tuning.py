"""Settings that suit, on scores that were made so that they are known."""

import numpy as np
import pytest

from lilliput.data.spans import ActionSpan
from lilliput.task import Task
from lilliput.watch.actions import EventRule
from lilliput.watch.evaluation import ScoredRecording, ScoredTrack, evaluate_in_time
from lilliput.watch.events import WindowScores
from lilliput.watch.settings import EventSettings
from lilliput.watch.tuning import tune_events

FPS = 10.0
CLASSES = ("walk", "wave")


def recording_of(name: str, scores: np.ndarray) -> ScoredRecording:
    """A window of 0.4 s every 0.2 s."""
    windows = [WindowScores(0, n / 5, n / 5 + 0.4, row) for n, row in enumerate(scores)]
    end = windows[-1].end_seconds
    return ScoredRecording(name, FPS, round(end * FPS), (ScoredTrack(0.0, end, windows),))


def planted(seed: int, noise: float = 0.0):
    """Each action 2 s long; walk scores 0.35 where it happens, wave 0.8; else 0.1 and 0.6."""
    rng = np.random.default_rng(seed)
    scored, truth = [], {}
    for name in "ab":
        is_on = np.zeros((60, 2), bool)
        starts = rng.permutation([5, 25, 45])[:2]
        for label, start in enumerate(starts):
            is_on[start : start + 10, label] = True
        scores = np.where(is_on, [0.35, 0.8], [0.1, 0.6])
        scores = (scores + noise * rng.standard_normal(scores.shape)).clip(0, 1)
        scored.append(recording_of(name, scores))
        # Windows' middles are 0.2 s apart from 0.2 s on, and cells reach half way.
        truth[name] = [
            ActionSpan(2 * int(start) + 1, 2 * int(start) + 20, CLASSES[label])
            for label, start in enumerate(starts)
        ]
    return scored, truth


def measured(scored, truth, settings: EventSettings, task: Task = "multi") -> float:
    rule = EventRule(settings.onsets_of(CLASSES, (0.5, 0.5)), settings, task)
    result = evaluate_in_time(scored, truth, CLASSES, rule)
    return np.mean([result.events[iou].macro.f1 for iou in (0.3, 0.5)])


def test_planted_onsets_are_found():
    scored, truth = planted(0)
    assert measured(scored, truth, EventSettings()) < 0.5
    tuned, reached = tune_events(scored, truth, CLASSES, "multi")
    assert reached == 1.0
    assert 0.1 < tuned.onset["walk"] < 0.35
    assert 0.6 < tuned.onset["wave"] < 0.8
    # An onset in the middle of those that are as good, not at their edge.
    assert 0.15 <= tuned.onset["walk"] <= 0.3


def test_noise_is_smoothed_and_what_is_reached_is_reached():
    scored, truth = planted(1, noise=0.12)
    tuned, reached = tune_events(scored, truth, CLASSES, "multi")
    assert reached == pytest.approx(measured(scored, truth, tuned))
    grid = [round(0.05 * n, 2) for n in range(1, 20)]
    best_default = max(
        measured(scored, truth, EventSettings(onset={"walk": walk, "wave": wave}))
        for walk, wave in [(walk, 0.7) for walk in grid] + [(0.25, wave) for wave in grid]
    )
    assert reached > best_default
    assert tuned.smoothing_seconds > 0 or tuned.min_off_seconds > 0


def one_at_a_time(seed: int):
    """Probabilities of walk and wave, beside a third class; each action in turn, 2 s long."""
    scored, truth = planted(seed)
    for recording in scored:
        for window in recording.tracks[0].windows:
            is_on = window.scores > np.array([0.2, 0.7])
            window.scores[:] = np.where(is_on, 0.45, np.where(is_on[::-1], 0.35, 0.2))
    return scored, truth


def test_actions_that_exclude_each_other_share_an_onset():
    scored, truth = one_at_a_time(0)
    tuned, reached = tune_events(scored, truth, CLASSES, "single")
    assert reached == 1.0 == measured(scored, truth, tuned, "single")
    assert set(tuned.onset) == set(CLASSES)
    (onset,) = set(tuned.onset.values())
    assert 0.2 <= onset < 0.45
    # The runner-up passes this onset as well; with events of each class by itself it counts.
    both = tuned.model_copy(update={"onset": dict.fromkeys(CLASSES, 0.3)})
    assert measured(scored, truth, both, "multi") < 1.0 == measured(scored, truth, both, "single")
