from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.watch.alerts import AlertRules
from lilliput.watch.cameras import CameraSettings, Hours
from lilliput.watch.events import Event, Message

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
ROAD = {"name": "road", "polygon": [(0, 0), (1, 0), (1, 1)]}


def _event(started_at: datetime | None = NOON, seconds: float = 2.0, **changes: object) -> Event:
    ended_at = None if started_at is None else started_at + timedelta(seconds=seconds)
    event = Event(
        event_id="e1",
        camera="gate",
        source="a.mp4",
        track=1,
        action="running",
        score=0.7,
        start_frame=0,
        end_frame=20,
        start_seconds=0.0,
        end_seconds=seconds,
        started_at=started_at,
        ended_at=ended_at,
        boxes=(),
        zones=("road",),
        frame_size=(64, 48),
        fps=10.0,
    )
    return replace(event, **changes)


def _rules(*alerts: dict[str, object], time_zone: str = "UTC") -> AlertRules:
    return AlertRules(
        CameraSettings.model_validate(
            {
                "name": "gate",
                "source": "a.mp4",
                "time_zone": time_zone,
                "zone": [ROAD],
                "alert": [{"name": "rule", "action": "running", **alert} for alert in alerts],
            }
        )
    )


def _fires(alert: dict[str, object], event: Event, time_zone: str = "UTC") -> bool:
    alerts = _rules(alert, time_zone=time_zone)(Message("new", event))
    assert all(alert.rule == "rule" and alert.event is event for alert in alerts)
    return len(alerts) == 1


@pytest.mark.parametrize(
    ("alert", "event", "expected"),
    [
        ({}, _event(), True),
        ({"action": "walking"}, _event(), False),
        ({"zone": "road"}, _event(), True),
        ({"zone": "road"}, _event(zones=()), False),
        ({"zone": "road"}, _event(zones=("path", "road")), True),
        ({"min_score": 0.7}, _event(), True),
        ({"min_score": 0.71}, _event(), False),
        ({"hours": "11:00-13:00"}, _event(), True),
        ({"hours": "13:00-14:00"}, _event(), False),
        ({"hours": "13:00-14:00"}, _event(seconds=3600), True),  # goes on until then
        ({"hours": "13:00-14:00"}, _event(seconds=3599), False),
        ({"hours": "22:00-06:00"}, _event(), False),
        ({"hours": "00:00-24:00"}, _event(), True),
        ({"hours": "00:00-24:00"}, _event(None), False),  # nobody knows when it was
        ({}, _event(None), True),
    ],
)
def test_one_rule(alert: dict[str, object], event: Event, expected: bool) -> None:
    assert _fires(alert, event) == expected


@pytest.mark.parametrize(
    ("time_zone", "utc_hour", "expected"),
    [
        ("Europe/Amsterdam", 19, False),  # 21:00 in summer
        ("Europe/Amsterdam", 20, True),  # 22:00
        ("Europe/Amsterdam", 3, True),  # 05:00
        ("Europe/Amsterdam", 4, False),  # 06:00, where the hours end
        ("America/New_York", 20, False),  # 16:00
        ("Asia/Kolkata", 17, True),  # 22:30
        ("Asia/Kolkata", 16, False),  # 21:30
    ],
)
def test_hours_are_those_of_the_camera(time_zone: str, utc_hour: int, expected: bool) -> None:
    event = _event(NOON.replace(hour=utc_hour), seconds=60)
    assert _fires({"hours": "22:00-06:00"}, event, time_zone) == expected


def test_a_rule_fires_once_per_event() -> None:
    rules = _rules({"name": "any"}, {"name": "sure", "min_score": 0.9})
    weak, strong = _event(), _event(score=0.95)
    told = [
        [alert.rule for alert in rules(message)]
        for message in (
            Message("new", weak),
            Message("update", weak),
            Message("update", strong),
            Message("new", replace(weak, event_id="e2")),
            Message("end", strong),
            Message("end", replace(strong, event_id="e2")),
        )
    ]
    assert told == [["any"], [], ["sure"], ["any"], [], ["sure"]]


def test_events_that_are_over_are_forgotten() -> None:
    rules = _rules({})
    for number in range(5):
        event = _event(event_id=str(number))
        kinds: tuple[Literal["new", "end"], ...] = ("new", "end")
        assert [len(rules(Message(kind, event))) for kind in kinds] == [1, 0]
    assert rules._told == {}


minute = st.integers(0, 24 * 60 - 1)


@given(begin=minute, end=minute, start=minute, length=st.integers(0, 2000))
def test_overlap_agrees_with_every_minute(begin: int, end: int, start: int, length: int) -> None:
    if begin == end:
        return
    text = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
    hours = {(begin + i) % 1440 for i in range((end - begin) % 1440)}
    expected = any((start + i) % 1440 in hours for i in range(length + 1))
    started_at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    ended_at = started_at + timedelta(minutes=length)
    assert Hours.parse(text).overlap(started_at, ended_at) == expected


@pytest.mark.parametrize(
    ("hours", "begin", "end", "expected"),
    [
        # From 02:59:58 CEST to 02:00:01 CET, clocks are set back.
        ("02:00-02:30", "2026-10-25T00:59:58", "2026-10-25T01:00:01", True),
        ("02:30-02:45", "2026-10-25T00:35:00", "2026-10-25T00:36:00", True),  # the first 02:35
        ("02:30-02:45", "2026-10-25T01:35:00", "2026-10-25T01:36:00", True),  # the second
        ("02:30-02:45", "2026-10-25T00:50:00", "2026-10-25T01:20:00", False),  # between both
        # From 01:59:58 CET to 03:00:01 CEST, an hour is left out.
        ("02:00-02:59", "2026-03-29T00:59:58", "2026-03-29T01:00:01", False),
        ("03:00-03:30", "2026-03-29T00:59:58", "2026-03-29T01:00:01", True),
        ("12:00-12:01", "2026-10-24T10:02:00", "2026-10-25T10:58:00", False),  # 24 h 56 min
        ("12:00-12:01", "2026-10-24T10:02:00", "2026-10-25T11:00:00", True),
    ],
)
def test_nights_when_clocks_change(hours: str, begin: str, end: str, expected: bool) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begin, end)]
    started_at, ended_at = (moment.astimezone(zone) for moment in moments)
    assert Hours.parse(hours).overlap(started_at, ended_at) == expected
