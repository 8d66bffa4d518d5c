from datetime import UTC, datetime
from pathlib import Path

import pytest

from lilliput.errors import ConfigError
from lilliput.watch.cameras import CameraSettings, Hours, WatchSettings, read_watch_settings

EXAMPLE = """
[events]
smoothing_seconds = 1.5
[events.onset]
running = 0.4
[windows]
hop_seconds = 0.5
[[camera]]
name = "gate"
source = "rtsp://192.0.2.7/stream"
detector = "people"
time_zone = "Europe/Amsterdam"
classes = ["running", "walking"]
starts_at = 2024-03-01T12:00:00
ignore = [[[0, 0], [1, 0], [1, 0.2]]]
[[camera.zone]]
name = "road"
polygon = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]
[[camera.alert]]
name = "someone runs at night"
action = "running"
zone = "road"
hours = "22:00-06:00"
[[camera]]
name = "yard"
source = "yard.mp4"
max_fps = 5
"""


def _read(tmp_path: Path, text: str) -> WatchSettings:
    path = tmp_path / "watch.toml"
    path.write_text(text, encoding="utf-8")
    return read_watch_settings(path)


def test_every_kind_of_setting_is_read(tmp_path: Path) -> None:
    settings = _read(tmp_path, EXAMPLE)
    assert settings.events.smoothing_seconds == 1.5
    assert settings.windows.hop_seconds == 0.5
    gate, yard = settings.cameras
    assert (gate.name, gate.detector, gate.time_zone) == ("gate", "people", "Europe/Amsterdam")
    assert gate.starts_at == datetime(2024, 3, 1, 12)
    assert gate.ignore == (((0, 0), (1, 0), (1, 0.2)),)
    assert gate.zones[0].name == "road"
    assert gate.zones[0].polygon[2] == (1.0, 1.0)
    assert gate.alerts[0].hours == "22:00-06:00"
    assert (yard.max_fps, yard.detector, yard.zones, yard.time_zone) == (5, "motion", (), "UTC")


def test_nothing_need_be_set(tmp_path: Path) -> None:
    assert _read(tmp_path, "") == WatchSettings()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'detector = "people"',
            'detecter = "people"',
            "camera 'gate': detecter: there is no such setting; nearest is 'detector'",
        ),
        (
            "polygon =",
            "poligon =",
            "camera 'gate': zone 'road': poligon: there is no such setting; nearest is 'polygon'",
        ),
        ("[[camera.zone]]", "[[camera.zones]]", None),  # Python's name passes too
        (
            "[[camera.zone]]",
            "[[camera.zoen]]",
            "gate': zoen: there is no such setting; nearest is 'zone'",
        ),
        (
            "smoothing_seconds",
            "smooting",
            "events.smooting: there is no such setting; nearest is 'smoothing_seconds'",
        ),
        ("[windows]", "[window]", "window: there is no such setting; nearest is 'windows'"),
        (
            "[0.0, 0.5], [1.0, 0.5]",
            "[0.0, 0.5], [1.5, 0.5]",
            "camera 'gate': zone 'road': polygon.1.0 = 1.5: input should be less than or equal",
        ),
        (
            "polygon = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]",
            "polygon = [[0.0, 0.5], [1.0, 0.5]]",
            "camera 'gate': zone 'road': polygon: tuple should have at least 3 items",
        ),
        ("Europe/Amsterdam", "Europe/Amsterdan", "nearest is 'Europe/Amsterdam'"),
        ("Europe/Amsterdam", "../etc/passwd", "there is no such time zone"),
        ("Europe/Amsterdam", "", "there is no such time zone"),
        (
            '"people"',
            '"peeple"',
            "= 'peeple': input should be 'motion', 'people' or 'none'; nearest",
        ),
        (
            'zone = "road"',
            'zone = "raod"',
            "camera 'gate': alert 'someone runs at night': no zone is called 'raod'; "
            "nearest is 'road'",
        ),
        (
            "22:00-06:00",
            "22-6",
            "camera 'gate': alert 'someone runs at night': hours = '22-6': write the hours as",
        ),
        ("22:00-06:00", "22:00-25:00", "a day goes from 00:00 to 24:00"),
        ("22:00-06:00", "22:60-23:00", "a day goes from 00:00 to 24:00"),
        ("22:00-06:00", "22:00-22:00", "these hours are none"),
        ('name = "yard"', 'name = "Gate"', "2 cameras are called 'gate'"),
        ('name = "yard"', 'name = "../yard"', "camera '../yard': name = '../yard': a name is"),
        ('name = "yard"', 'name = ".."', "a name is letters"),
        ('name = "yard"', 'name = "a."', "a name is letters"),
        ('name = "yard"', 'name = ""', "a name is letters"),
        ('name = "yard"', "", "camera.1.name: field required"),
        ('source = "yard.mp4"', "", "camera 'yard': source: field required"),
        ("max_fps = 5", "max_fps = 0", "camera 'yard': max_fps = 0: input should be greater"),
        ("max_fps = 5", "max_fps = inf", "camera 'yard': max_fps = inf: input should be"),
        ("max_fps = 5", 'max_fps = "fast"', "camera 'yard': max_fps = 'fast': input should be"),
        (
            "[[camera.alert]]",
            '[[camera.zone]]\nname = "road"\npolygon = [[0, 0], [1, 0], [1, 1]]\n[[camera.alert]]',
            "camera 'gate': 2 zones are called 'road'; give each its own name",
        ),
        ("max_fps = 5", "max_fps = ", "not valid TOML"),
    ],
)
def test_errors_name_the_place_and_the_remedy(
    tmp_path: Path, old: str, new: str, expected: str | None
) -> None:
    assert old in EXAMPLE
    text = EXAMPLE.replace(old, new, 1)
    if expected is None:
        assert _read(tmp_path, text) == _read(tmp_path, EXAMPLE)
        return
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'watch.toml'}: ")
    assert expected in message
    assert "\n" not in message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read \(No such file"):
        read_watch_settings(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["running", "walking"], None),
        (["walking"], "events.onset: the model knows no action 'running'; nearest is 'walking'"),
        (["running", "sitting"], "camera 'gate': classes: the model knows no action 'walking'"),
    ],
)
def test_actions_are_compared_with_those_of_the_model(
    tmp_path: Path, known: list[str], expected: str | None
) -> None:
    settings = _read(tmp_path, EXAMPLE)
    if expected is None:
        settings.check_classes(known)
        return
    with pytest.raises(ConfigError) as caught:
        settings.check_classes(known)
    assert str(caught.value).startswith(expected)


def test_the_action_of_an_alert_is_compared(tmp_path: Path) -> None:
    settings = _read(tmp_path, EXAMPLE.replace('action = "running"', 'action = "runing"'))
    with pytest.raises(ConfigError, match="alert 'someone runs at night': the model knows no act"):
        settings.check_classes(["walking", "running"])


def test_cameras_are_made_in_python_by_their_own_names() -> None:
    camera = CameraSettings(
        name="gate",
        source="a.mp4",
        starts_at=datetime(2024, 1, 1, tzinfo=UTC),
        zones=({"name": "road", "polygon": ((0, 0), (1, 0), (1, 1))},),
    )
    assert camera.zones[0].name == "road"


def test_a_password_is_not_printed(tmp_path: Path) -> None:
    text = EXAMPLE.replace("192.0.2.7", "me:secret@192.0.2.7")
    assert "secret" not in repr(_read(tmp_path, text))
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text.replace("source =", "sourse =", 1))
    assert "sourse: there is no such setting; nearest is 'source'" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("22:00-06:00", (1320, 360)), (" 7:05 - 24:00 ", (425, 1440)), ("00:00-24:00", (0, 1440))],
)
def test_hours(text: str, expected: tuple[int, int]) -> None:
    assert Hours.parse(text) == expected
