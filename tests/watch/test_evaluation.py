"""Quality in time: against the stream's own messages, brute force, and values by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from lilliput.config import Config
from lilliput.data.spans import ActionSpan
from lilliput.errors import DataError
from lilliput.scoring.spans import Span
from lilliput.watch.actions import EventRule
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.evaluation import (
    ScoredRecording,
    ScoredTrack,
    evaluate_in_time,
    find_spans,
    frame_scores,
    score_recordings,
    true_spans,
)
from lilliput.watch.events import WindowScores
from lilliput.watch.footage import open_footage
from lilliput.watch.pipeline import Watcher
from lilliput.watch.settings import EventSettings, WindowSettings
from tests.watch.bright import BrightOrDark, whole, write_footage
from tests.watch.offline import borders, events_of, events_of_one, smoothed

FPS = 8.0
CLASSES = ("walk", "wave")
PLAIN = EventSettings(offset_ratio=1.0, min_on_seconds=0, min_off_seconds=0)
HALF = EventRule((0.5, 0.5), PLAIN)
repeatable = settings(derandomize=True, deadline=None, max_examples=60)


def track_of(start: float, rows: list[list[float]]) -> ScoredTrack:
    """Windows of 1 s every 1/2 s: cells begin and end with frames."""
    windows = [
        WindowScores(1, start + n / 2, start + n / 2 + 1, np.array(row))
        for n, row in enumerate(rows)
    ]
    return ScoredTrack(start, windows[-1].end_seconds, windows)


@st.composite
def recordings(draw):
    tracks = []
    for _ in range(draw(st.integers(0, 3))):
        row = st.lists(st.integers(0, 10).map(lambda n: n / 10), min_size=2, max_size=2)
        rows = draw(st.lists(row, min_size=1, max_size=10))
        tracks.append(track_of(draw(st.integers(0, 4)) * 1.0, rows))
    length = max((track.end for track in tracks), default=1.0)
    return ScoredRecording("r", FPS, round(length * FPS), tuple(tracks))


rules = st.builds(
    EventSettings,
    smoothing_seconds=st.sampled_from([0.0, 1.0, 2.0]),
    offset_ratio=st.sampled_from([1.0, 0.5]),
    min_on_seconds=st.sampled_from([0.0, 0.75, 1.5]),
    min_off_seconds=st.sampled_from([0.0, 0.75, 1.5]),
)


@repeatable
@given(recordings(), rules)
def test_spans_are_those_of_the_whole_track(recording, rule):
    onsets = (0.45, 0.65)
    expected = [
        ("r", label, np.floor(e.start * FPS), np.ceil(e.end * FPS), e.score)
        for track in recording.tracks
        for label, onset in enumerate(onsets)
        for e in events_of(track.windows, track.start, track.end, label, onset, rule)
    ]
    assert [tuple(span) for span in find_spans(recording, EventRule(onsets, rule))] == expected


@repeatable
@given(recordings(), rules)
def test_spans_of_one_action_at_a_time(recording, rule):
    onsets = (0.45, 0.65)
    expected = [
        ("r", label, np.floor(start * FPS), np.ceil(end * FPS), score)
        for track in recording.tracks
        for label, start, end, score in sorted(
            events_of_one(track.windows, track.start, track.end, onsets, rule)
        )
    ]
    assert [tuple(span) for span in find_spans(recording, EventRule(onsets, rule, "single"))] == (
        expected
    )


@repeatable
@given(recordings(), rules)
def test_frame_scores_are_the_highest_of_all_tracks(recording, rule):
    expected = np.zeros((recording.num_frames, 2))
    for track in recording.tracks:
        edges = np.array(borders(track.windows, track.start, track.end))
        means = smoothed(track.windows, rule.smoothing_seconds)
        for frame in range(recording.num_frames):
            middle = (frame + 0.5) / FPS
            if track.start <= middle < track.end:
                cell = np.searchsorted(edges, middle) - 1
                expected[frame] = np.maximum(expected[frame], means[cell])
    np.testing.assert_array_equal(frame_scores(recording, 2, rule.smoothing_seconds), expected)


def test_by_hand():
    """Cells: 0 to 6 frames, then 4 each, the last 6. Classes: walk 0-10, wave 6-14."""
    track = track_of(0.0, [[0.9, 0.1], [0.8, 0.7], [0.3, 0.9], [0.1, 0.2]])
    recording = ScoredRecording("r", FPS, 20, (track,))
    truth = {
        "r": [ActionSpan(0, 9, "walk"), ActionSpan(10, 13, "wave"), ActionSpan(16, 99, "wave")],
        "unwatched": [ActionSpan(0, 9, "walk")],
    }
    assert true_spans([recording], truth, CLASSES) == [
        Span("r", 0, 0, 10),
        Span("r", 1, 10, 14),
        Span("r", 1, 16, 20),  # until the recording ends
    ]
    assert [tuple(s) for s in find_spans(recording, HALF)] == [
        ("r", 0, 0, 10, 0.8 + 0.1),
        ("r", 1, 6, 14, 0.9),
    ]
    result = evaluate_in_time([recording], truth, CLASSES, HALF)
    # walk hits wholly; wave overlaps 4 of 8 frames, one of two is found.
    assert result.events[0.5].per_class.f1.tolist() == [1.0, pytest.approx(2 / 3)]
    assert result.events[0.3].macro.f1 == pytest.approx(5 / 6)
    wave = np.repeat([0.1, 0.7, 0.9, 0.2], [6, 4, 4, 6])
    is_wave = np.isin(np.arange(20), [10, 11, 12, 13, 16, 17, 18, 19])
    assert result.frames.per_class[0] == 1.0
    assert result.frames.per_class[1] == pytest.approx(average_precision_score(is_wave, wave))
    strict = evaluate_in_time([recording], truth, CLASSES, HALF, ious=(0.51,))
    assert strict.events[0.51].per_class.f1.tolist() == [1.0, 0.0]


def test_several_recordings_are_kept_apart():
    on, off = track_of(0.0, [[0.9, 0.0]]), track_of(0.0, [[0.1, 0.0]])
    scored = [ScoredRecording("a", FPS, 8, (off,)), ScoredRecording("b", FPS, 8, (on,))]
    right = {"b": [ActionSpan(0, 7, "walk")]}
    wrong = {"a": [ActionSpan(0, 7, "walk")]}
    for truth, f1, ap in ((right, 1.0, 1.0), (wrong, 0.0, 0.5)):
        result = evaluate_in_time(scored, truth, CLASSES, HALF)
        assert result.events[0.5].per_class.f1[0] == f1
        assert result.frames.per_class[0] == ap
        assert np.isnan(result.frames.per_class[1])


def test_an_action_that_the_model_does_not_know():
    scored = [ScoredRecording("a", FPS, 8, ())]
    with pytest.raises(DataError, match=r"^recording 'a': the model does not know .* 'fly'"):
        evaluate_in_time(scored, {"a": [ActionSpan(0, 1, "fly")]}, CLASSES, HALF)


@pytest.mark.parametrize("fps", [10, 25])
def test_recordings_give_the_spans_that_watching_tells(
    micro_config: Config, tmp_path: Path, fps: int
) -> None:
    """A second source: the events of ``watch``, in frames of the file, all of them counted."""
    draw = whole((1, 2.5, 235), (3, 5, 20))
    path = write_footage(tmp_path / "r.mp4", 6.0, draw, fps=fps)
    camera = CameraSettings(name="recordings", source=str(tmp_path), detector="none")
    windows = WindowSettings(hop_seconds=0.4)
    watcher = Watcher(BrightOrDark(micro_config), camera, windows=windows)
    calls = []
    (scored,) = score_recordings(watcher, {"r": path}, lambda: calls.append(1))
    assert calls == [1]
    assert scored.fps == pytest.approx(fps)
    assert 6 * fps - 3 <= scored.num_frames <= 6 * fps
    found = sorted(find_spans(scored, watcher.rule))
    with open_footage(camera.model_copy(update={"source": str(path)})) as footage:
        messages = [m for step in watcher.watch(footage) for m in step.messages]
    events = sorted(
        (watcher.class_names.index(m.event.action), m.event) for m in messages if m.kind == "end"
    )
    assert len(found) == 2
    slack = fps // 10  # frames that are left out are nobody's last
    for span, (label, event) in zip(found, events, strict=True):
        assert (span.label, span.score) == (label, event.score)
        assert event.start_frame == pytest.approx(span.start, abs=slack if fps > 10 else 0)
        assert event.end_frame == pytest.approx(span.end - 1, abs=slack if fps > 10 else 0)
