"""Messages, from scores that a test makes up: names, frames, clocks, boxes and zones of events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lilliput.watch.actions import EventRule
from lilliput.watch.cameras import CameraSettings, ZoneSettings
from lilliput.watch.events import WindowScores
from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.settings import EventSettings
from lilliput.watch.timeline import WHOLE_FRAME, Timeline, View
from lilliput.watch.windows import Cut
from lilliput.watch.zones import Regions

FPS = 8.0
SIZE = (80, 60)
BEGIN = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
PIXELS = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
SETTINGS = EventSettings(offset_ratio=1.0, min_on_seconds=0.5, min_off_seconds=0.5)


def zone(name, left, right):
    corners = [(left, 0.0), (right, 0.0), (right, 1.0), (left, 1.0)]
    return ZoneSettings(name=name, polygon=corners)


CAMERA = CameraSettings(
    name="gate",
    source="gate.mp4",
    zones=(zone("right", 0.5, 1.0), zone("left", 0.0, 0.25), zone("edge", 0.9, 1.0)),
)


def view(**changes: object) -> View:
    values = {
        "camera": "gate",
        "source": "gate.mp4",
        "size": SIZE,
        "fps": FPS,
        "regions": Regions(CAMERA, SIZE),
        "class_names": ("walk", "wave"),
        "rule": EventRule((0.5, 0.5), SETTINGS),
    }
    return View(**(values | changes))


def box_at(seconds: float) -> Box:
    return Box(2 * seconds, 10, 2 * seconds + 4, 30)


def frame_at(index: int, seconds: float, taken_at: datetime | None = None) -> Frame:
    return Frame(index, seconds, PIXELS, taken_at)


def play(
    timeline: Timeline,
    frames: Sequence[Frame],
    on: dict[int, list[tuple[float, float]]],
    track: int = 1,
):
    """One track all along; half a second's window ends with every frame.

    A class is on where the window's middle lies in one of its spans.
    """
    messages = []
    for frame in frames:
        scene = Scene(frame, (TrackedBox(track, box_at(frame.seconds)),))
        end = frame.seconds + 1 / FPS
        middle = max(end - 0.25, end / 2)
        scores = np.array(
            [float(any(a <= middle < b for a, b in on.get(label, []))) for label in (0, 1)]
        )
        window = WindowScores(track, 2 * middle - end, end, scores)
        messages += timeline.add(Cut(scene, ()), [window])
    messages += timeline.add(Cut(None, (), {track: frames[-1].seconds + 1 / FPS}), [])
    return messages


def regular(count: int, begin: datetime | None = None) -> list[Frame]:
    return [
        frame_at(n, n / FPS, begin and begin + timedelta(seconds=n / FPS)) for n in range(count)
    ]


def ended(messages):
    return [message.event for message in messages if message.kind == "end"]


def test_an_event_by_hand():
    messages = play(Timeline(view()), regular(64, BEGIN), {0: [(2.0, 4.0)]})
    assert [m.kind for m in messages] == ["new", *["update"] * 12, "end"]
    (event,) = ended(messages)
    # Middles are 1/8 s apart, on 1/8; the cells of those from 2 to 3.875 reach half way around.
    assert (event.start_seconds, event.end_seconds) == (1.9375, 3.9375)
    assert (event.start_frame, event.end_frame) == (15, 31)
    assert event.started_at == BEGIN + timedelta(seconds=1.9375)
    assert event.ended_at == BEGIN + timedelta(seconds=3.9375)
    assert (event.track, event.action, event.score) == (1, "walk", 1.0)
    assert (event.frame_size, event.fps, event.source) == (SIZE, FPS, "gate.mp4")
    first = messages[0].event
    assert first.event_id == event.event_id
    assert (first.start_seconds, first.end_seconds) == (1.9375, 2.4375)  # as soon as it may


def test_an_event_of_the_whole_track_has_all_its_frames():
    (event,) = ended(play(Timeline(view()), regular(40), {0: [(0, 99)]}))
    assert (event.start_seconds, event.end_seconds) == (0.0, 5.0)
    assert (event.start_frame, event.end_frame) == (0, 39)
    assert event.started_at is None
    assert event.ended_at is None


def test_the_frame_that_begins_with_an_events_end_is_not_its_own():
    """Windows of whole frames' middles: the border lies where a frame begins."""
    timeline = Timeline(view(rule=EventRule((0.5, 2.0), SETTINGS)))
    messages = []
    for frame in regular(24):
        scene = Scene(frame, (TrackedBox(1, box_at(0)),))
        end = frame.seconds + 1 / FPS
        scores = np.array([float(frame.index < 16), 0.0])
        messages += timeline.add(Cut(scene, ()), [WindowScores(1, frame.seconds, end, scores)])
    messages += timeline.add(Cut(None, (), {1: 3.0}), [])
    (event,) = ended(messages)
    assert (event.start_seconds, event.end_seconds) == (0.0, 2.0)
    assert (event.start_frame, event.end_frame) == (0, 15)


def test_events_have_their_own_names_and_the_same_when_watched_again():
    on = {0: [(1, 2), (4, 5)], 1: [(1, 2)]}
    frames = regular(64, BEGIN)

    def names(**changes):
        return [e.event_id for e in ended(play(Timeline(view(**changes)), frames, on))]

    assert len(set(names())) == 3
    assert names() == names()
    assert not set(names()) & set(names(camera="yard"))
    assert not set(names()) & set(names(source="gate 2.mp4"))
    other = [e.event_id for e in ended(play(Timeline(view()), frames, on, track=2))]
    assert not set(names()) & set(other)


def test_a_live_source_shows_something_else_each_time():
    on = {0: [(1, 2)]}
    runs = [
        ended(play(Timeline(view(is_live=True)), regular(32, BEGIN + timedelta(days=day)), on))
        for day in (0, 0, 1)
    ]
    names = [event.event_id for (event,) in runs]
    assert names[0] == names[1]
    assert names[0] != names[2]


def test_frames_and_clock_where_frames_are_missing():
    """A live camera that stalls from 3 s to 6 s, and whose frames are numbered on."""
    frames = [
        frame_at(n, n / FPS, BEGIN + timedelta(seconds=n / FPS))
        for n in range(80)
        if n % 3 != 1 and not 24 <= n < 48
    ]
    (event,) = ended(play(Timeline(view()), frames, {0: [(2.0, 8.0)]}))
    numbers = [frame.index for frame in frames]
    shown = [n for n in numbers if event.start_seconds <= n / FPS < event.end_seconds]
    before = max(n for n in numbers if n / FPS <= event.start_seconds)
    assert (event.start_frame, event.end_frame) == (before, shown[-1])
    assert event.started_at == BEGIN + timedelta(seconds=event.start_seconds)
    assert event.ended_at == BEGIN + timedelta(seconds=event.end_seconds)


@pytest.mark.parametrize("month", [(2024, 3, 31), (2024, 10, 27)])
def test_the_clock_goes_on_evenly_where_the_local_one_leaps(month):
    zone_info = ZoneInfo("Europe/Amsterdam")
    leap = datetime(*month, 1, 0, tzinfo=UTC)  # for all of the European Union
    begin = leap - timedelta(seconds=3)
    frames = [
        frame_at(n, n / FPS, (begin + timedelta(seconds=n / FPS)).astimezone(zone_info))
        for n in range(64)
    ]
    messages = play(Timeline(view()), frames, {0: [(2.0, 5.0)]})
    for event in (message.event for message in messages):
        for at, seconds in (
            (event.started_at, event.start_seconds),
            (event.ended_at, event.end_seconds),
        ):
            assert at.astimezone(UTC) == begin + timedelta(seconds=seconds)
            assert at.tzinfo == zone_info


def test_boxes_lie_in_the_event_five_times_a_second():
    (event,) = ended(play(Timeline(view()), regular(80), {0: [(2.0, 8.0)]}))
    times = [at.seconds for at in event.boxes]
    assert event.start_seconds <= times[0] <= event.start_seconds + 0.25
    assert event.end_seconds - 0.25 <= times[-1] < event.end_seconds
    assert set(np.diff(times)) == {0.25}  # every other frame: 0.2 s apart at least
    for at in event.boxes:
        assert at.frame == at.seconds * FPS
        assert at.box == box_at(at.seconds)


def test_zones_are_those_it_stood_in_in_the_order_of_the_camera():
    # The foot is at 2 + 2t of 80 px: up to 9 s left of 20 px, from 19 s right of 40.
    frames = regular(176)
    (early,) = ended(play(Timeline(view()), frames, {0: [(1, 3)]}))
    (middle,) = ended(play(Timeline(view()), frames, {0: [(10, 15)]}))
    (both,) = ended(play(Timeline(view()), frames, {0: [(5, 21)]}))
    assert [e.zones for e in (early, middle, both)] == [("left",), (), ("right", "left")]


def test_the_whole_picture_has_no_boxes():
    (event,) = ended(play(Timeline(view()), regular(64), {0: [(1, 3)]}, track=WHOLE_FRAME))
    assert (event.boxes, event.zones) == ((), ())


def test_messages_come_in_order_and_settled_never_goes_back():
    timeline = Timeline(view())
    on = {0: [(1, 2), (4, 5)], 1: [(1.5, 4.5)]}
    settled, kinds = [], {}
    for frame in regular(64):
        scene = Scene(frame, (TrackedBox(1, box_at(0)),))
        middle = frame.seconds - 0.25
        scores = np.array([float(any(a <= middle < b for a, b in on[k])) for k in (0, 1)])
        windows = [WindowScores(1, middle - 0.25, middle + 0.25, scores)] if middle >= 0.25 else []
        for message in timeline.add(Cut(scene, ()), windows):
            kinds.setdefault(message.event.event_id, []).append(message.kind)
            if message.kind == "new":
                assert message.event.start_seconds >= settled[-1]
        settled.append(timeline.settled_seconds)
        assert settled[-1] <= frame.seconds
    assert settled == sorted(settled)
    assert settled[-1] > 6
    for order in kinds.values():
        assert order == ["new", *["update"] * (len(order) - 2), "end"]
    assert len(kinds) == 3


def test_without_anyone_all_is_settled():
    timeline = Timeline(view())
    assert timeline.settled_seconds == 0
    for frame in regular(10):
        assert list(timeline.add(Cut(Scene(frame, ()), ()), [])) == []
        assert timeline.settled_seconds == frame.seconds


def watch_for_hours(frames: int, short: tuple[float, float]):
    """Someone walks for hours and waves once; now and then a window comes."""
    timeline = Timeline(view())
    most, waved = 0, None
    for n in range(frames):
        frame = frame_at(n, n / FPS)
        scene = Scene(frame, (TrackedBox(1, Box(10, 10, 20, 30)),))
        windows = []
        is_near = short[0] - 30 <= n / FPS < short[1] + 30
        if n % (40 if is_near else 400) == 39:
            end = (n + 1) / FPS
            middle = end - 2.5
            scores = np.array([1.0, float(short[0] <= middle < short[1])])
            windows = [WindowScores(1, end - 5, end, scores)]
        for message in timeline.add(Cut(scene, ()), windows):
            most = max(most, len(message.event.boxes))
            if message.event.action == "wave" and message.kind == "end":
                waved = message.event
    (walked,) = ended(timeline.add(Cut(None, (), {1: frames / FPS}), []))
    return walked, waved, most


def test_a_long_event_has_a_bounded_number_of_boxes():
    walked, waved, most = watch_for_hours(100_000, (10_000.0, 10_009.0))
    assert (walked.start_frame, walked.end_frame) == (0, 99_999)
    assert most <= 512
    times = np.array([at.seconds for at in walked.boxes])
    assert len(times) > 250
    assert times[0] == 0
    assert times[-1] > 12_500 - 1
    assert np.diff(times).max() < 12_500 / 100  # all along it
    # What is short and comes late still has its boxes, several times a second.
    assert waved.end_seconds - waved.start_seconds == 10
    assert len(waved.boxes) == 40
    assert waved.zones == ("left",)
