"""From a drawn file to events: whom, what, when and where, against what was drawn."""

import weakref
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint
from lilliput.config import Config
from lilliput.errors import ConfigError
from lilliput.watch.cameras import AlertSettings, CameraSettings, ZoneSettings
from lilliput.watch.footage import open_footage
from lilliput.watch.pipeline import Watcher
from lilliput.watch.settings import EventSettings, WindowSettings
from tests.watch.bright import BrightOrDark, crossing, together, whole, write_footage

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
BRIGHT = crossing(2.0, 7.0, top=20, level=235)
DARK = crossing(4.0, 9.0, top=80, level=20, speed=-20)
ZONE = ZoneSettings(name="below", polygon=LOWER_HALF)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bright actor above, who walks right, and a dark one below, who walks left."""
    path = tmp_path_factory.mktemp("two") / "two.mp4"
    return write_footage(path, 10.0, together(BRIGHT, DARK))


@pytest.fixture(scope="module")
def flashes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flashes") / "flashes.mp4"
    return write_footage(path, 12.0, whole((2, 5, 235), (7, 9.5, 20)))


def camera_of(path: Path, detector: str = "motion", **changes: object) -> CameraSettings:
    return CameraSettings(name="gate", source=str(path), detector=detector, **changes)


def watch(config: Config, camera: CameraSettings, **options: object):
    windows = WindowSettings(hop_seconds=0.5)
    watcher = Watcher(BrightOrDark(config), camera, windows=windows, **options)
    with open_footage(camera) as footage:
        return list(watcher.watch(footage))


def ended(steps):
    return [m.event for step in steps for m in step.messages if m.kind == "end"]


def test_the_whole_picture(micro_config: Config, flashes: Path) -> None:
    steps = watch(micro_config, camera_of(flashes, "none"))
    bright, dark = ended(steps)
    assert [(e.action, e.track, e.boxes) for e in (bright, dark)] == [
        ("bright", 0, ()),
        ("dark", 0, ()),
    ]
    # Windows of 1 s are on where more than about half of them is, and cells are 0.5 s long.
    for event, start, end in ((bright, 2, 5), (dark, 7, 9.5)):
        assert event.start_seconds == pytest.approx(start, abs=0.3)
        assert event.end_seconds == pytest.approx(end, abs=0.3)
        assert event.start_frame == pytest.approx(10 * event.start_seconds, abs=1)
        assert event.score > 0.8
    assert len(steps) == 121
    assert [step.scene.frame.index for step in steps[:-1]] == list(range(120))
    assert steps[-1].scene is None
    assert all(step.scene.tracks[0].box == (0, 0, 160, 120) for step in steps[:-1])


@pytest.fixture(scope="module")
def seen(micro_config: Config, two: Path):
    """All steps of it, and what was inspected."""
    inspected = []
    steps = watch(micro_config, camera_of(two), inspect=lambda *pair: inspected.append(pair))
    return steps, inspected


def test_two_actors(seen) -> None:
    events = ended(seen[0])
    assert [event.action for event in events] == ["bright", "dark"]
    assert len({event.track for event in events}) == 2
    for event, (start, end), draw in zip(events, [(2, 7), (4, 9)], [BRIGHT, DARK], strict=True):
        assert start <= event.start_seconds <= start + 1  # once the track is sure
        assert event.end_seconds >= end - 1
        inner = [at for at in event.boxes if at.seconds < end - 0.1]
        assert len(inner) >= 12
        for at in inner:
            ((true, _),) = draw(at.seconds)
            np.testing.assert_allclose(at.box, true, atol=8)


def test_what_is_neither_is_unknown(micro_config: Config, tmp_path: Path) -> None:
    """All scores stay below their thresholds: someone is seen, and nothing is said of it."""
    actor = crossing(2.0, 7.0, top=20, level=170)
    steps = watch(micro_config, camera_of(write_footage(tmp_path / "a.mp4", 8, actor)))
    assert any(step.scene and step.scene.tracks for step in steps)
    assert max(w.scores.max() for step in steps for w in step.scores) > 0.2
    assert [step.messages for step in steps if step.messages] == []


def test_only_wanted_classes(micro_config: Config, two: Path) -> None:
    events = ended(watch(micro_config, camera_of(two, classes=("dark",))))
    assert [event.action for event in events] == ["dark"]


def test_an_unknown_class_is_refused(micro_config: Config, two: Path) -> None:
    with pytest.raises(ConfigError, match="camera 'gate': classes: the model knows no action 'da'"):
        Watcher(BrightOrDark(micro_config), camera_of(two, classes=("da",)))


def test_one_action_at_a_time(
    micro_config: Config, micro_single: Checkpoint, tmp_path: Path
) -> None:
    """Levels on both sides of grey within a window: both classes pass their onsets there."""
    path = write_footage(tmp_path / "a.mp4", 9.0, whole((1, 4, 235), (4, 7.5, 20)))
    settings = EventSettings(onset={"bright": 0.3, "dark": 0.2}, smoothing_seconds=2.0)
    events = {}
    for config in (micro_config, micro_single.config):
        steps = watch(config, camera_of(path, "none"), events=settings)
        events[config.task] = ended(steps)
    assert [e.action for e in events["single"]] == ["bright", "dark"]
    one, other = events["single"]
    assert one.end_seconds == other.start_seconds == pytest.approx(4, abs=0.5)
    first, second = sorted(events["multi"], key=lambda event: event.start_seconds)
    assert first.end_seconds > second.start_seconds
    assert (one.event_id, one.start_seconds) == (first.event_id, first.start_seconds)
    assert other.end_seconds == second.end_seconds


@pytest.mark.parametrize(
    ("mask", "expected"), [("include", ["dark"]), ("ignore", ["bright"])], ids=["include", "ignore"]
)
def test_masks(micro_config: Config, two: Path, mask: str, expected: list[str]) -> None:
    steps = watch(micro_config, camera_of(two, **{mask: (LOWER_HALF,)}))
    assert [event.action for event in ended(steps)] == expected
    feet = {t.box.foot[1] > 60 for step in steps[:-1] for t in step.scene.tracks}
    assert feet == {mask == "include"}


def test_zones_and_alerts(micro_config: Config, two: Path) -> None:
    alerts = (
        AlertSettings(name="in the dark", action="dark", zone="below", min_score=0.5),
        AlertSettings(name="never", action="bright", zone="below"),
    )
    camera = camera_of(two, zones=(ZONE,), alerts=alerts)
    steps = watch(micro_config, camera)
    assert {event.action: event.zones for event in ended(steps)} == {
        "bright": (),
        "dark": ("below",),
    }
    told = [alert for step in steps for alert in step.alerts]
    assert [(alert.rule, alert.event.action) for alert in told] == [("in the dark", "dark")]


def test_blurred_pictures_are_recognised_clear(micro_config: Config, two: Path, seen) -> None:
    clear = seen[0]
    blurred = watch(micro_config, camera_of(two), blur=True)
    assert ended(clear) == ended(blurred)
    num_hidden = 0
    for one, other in zip(clear[:-1], blurred[:-1], strict=True):
        np.testing.assert_array_equal(
            [w.scores for w in one.scores], [w.scores for w in other.scores]
        )
        assert one.scene.tracks == other.scene.tracks
        differs = (one.scene.frame.pixels != other.scene.frame.pixels).any(axis=2)
        num_hidden += bool(differs.any())
        if one.scene.detections is None:  # anyone may be anywhere
            continue
        for known in (*one.scene.tracks, *one.scene.detections):
            left, top, right, bottom = (round(side) for side in known.box)
            differs[max(0, top - 6) : bottom + 6, max(0, left - 6) : right + 6] = False
        assert not differs.any()  # elsewhere
    assert num_hidden > 50


def test_settled_never_goes_back_and_is_kept(seen) -> None:
    steps, _ = seen
    settled = [step.settled_seconds for step in steps]
    assert settled == sorted(settled)
    assert settled[-1] > 9.8
    for step, before in zip(steps[1:], settled, strict=False):
        for message in step.messages:
            if message.kind == "new":
                assert message.event.start_seconds >= before
            if message.kind == "end":
                assert message.event.end_seconds >= before


def test_frames_are_numbered_as_in_the_file(micro_config: Config, tmp_path: Path) -> None:
    path = write_footage(tmp_path / "fast.mp4", 6.0, whole((2, 4, 235)), fps=25)
    steps = watch(micro_config, camera_of(path, "none"))
    assert len(steps) == 61
    (event,) = ended(steps)
    assert event.start_frame == pytest.approx(25 * event.start_seconds, abs=2)
    assert event.end_frame == pytest.approx(25 * event.end_seconds, abs=3)
    assert event.end_seconds == pytest.approx(4, abs=0.3)


def test_settings_count(micro_config: Config, flashes: Path) -> None:
    events = EventSettings(onset={"dark": 0.95}, min_on_seconds=2.0)
    found = ended(watch(micro_config, camera_of(flashes, "none"), events=events))
    assert [event.action for event in found] == ["bright"]
    events = EventSettings(min_on_seconds=3.5)
    assert ended(watch(micro_config, camera_of(flashes, "none"), events=events)) == []


def test_every_window_is_inspected(seen) -> None:
    steps, inspected = seen
    assert [id(s) for _, s in inspected] == [id(s) for step in steps for s in step.scores]
    for window, scores in inspected:
        assert (window.track, window.start_seconds) == (scores.track, scores.start_seconds)
    assert len(inspected) > 10


def test_a_detector_that_is_not_there(micro_config: Config, two: Path) -> None:
    camera = camera_of(two).model_copy(update={"detector": "radar"})
    with pytest.raises(ConfigError, match=r"^detector 'radar' is not known"):
        watch(micro_config, camera)


class Thinned:
    """Footage that shows some of its frames only."""

    def __init__(self, footage, shows) -> None:
        self._footage = footage
        self._shows = shows

    def __getattr__(self, name: str):
        return getattr(self._footage, name)

    def __iter__(self):
        return (frame for frame in self._footage if self._shows(frame.index))


def watch_thinned(config: Config, camera: CameraSettings, shows):
    with open_footage(camera) as footage:
        watcher = Watcher(BrightOrDark(config), camera, windows=WindowSettings(hop_seconds=0.5))
        return list(watcher.watch(Thinned(footage, shows)))


@pytest.mark.parametrize(
    "shows", [lambda index: index % 2 == 0, lambda index: index % 10 in (0, 1, 5)]
)
def test_actors_are_followed_though_frames_are_dropped(micro_config: Config, two, shows) -> None:
    events = ended(watch_thinned(micro_config, camera_of(two), shows))
    assert [event.action for event in events] == ["bright", "dark"]
    for event, (start, end) in zip(events, [(2, 7), (4, 9)], strict=True):
        assert start <= event.start_seconds <= start + 1.2
        assert event.end_seconds == pytest.approx(end, abs=1)


def test_an_outage_is_no_part_of_an_event(micro_config: Config, tmp_path: Path) -> None:
    """The whole picture is bright before a camera was away for 15 s, and after it."""
    path = write_footage(tmp_path / "away.mp4", 25.0, whole((0, 25, 235)))
    steps = watch_thinned(
        micro_config, camera_of(path, "none"), lambda index: not 50 <= index < 200
    )
    before, after = ended(steps)
    assert (before.start_seconds, before.end_seconds) == (0, pytest.approx(5, abs=0.2))
    assert (after.start_seconds, after.end_seconds) == (pytest.approx(20, abs=0.3), 25)
    assert before.event_id != after.event_id


class Counted:
    """Footage, and how many of its frames are alive."""

    def __init__(self, footage) -> None:
        self._footage = footage
        self._alive: list[weakref.ref] = []

    def __getattr__(self, name: str):
        return getattr(self._footage, name)

    def __iter__(self):
        for frame in self._footage:
            self._alive.append(weakref.ref(frame))
            yield frame
            del frame

    @property
    def num_alive(self) -> int:
        return sum(frame() is not None for frame in self._alive)


def test_memory_does_not_grow(micro_config: Config, tmp_path: Path) -> None:
    actors = [crossing(2 + 6 * n, 7 + 6 * n, top=40, level=235) for n in range(4)]
    path = write_footage(tmp_path / "long.mp4", 26.0, together(*actors))
    camera = camera_of(path)
    watcher = Watcher(BrightOrDark(micro_config), camera)
    most = count = 0
    with open_footage(camera) as footage:
        counted = Counted(footage)
        for step in watcher.watch(counted):
            most = max(most, counted.num_alive)
            count += len([m for m in step.messages if m.kind == "end"])
            del step
    assert count == 4
    assert most <= 2 * 10 + 10 + 4  # two windows, and a second for who is hidden
