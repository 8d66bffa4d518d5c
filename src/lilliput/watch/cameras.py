"""Cameras: where their pictures come from, what counts in them, and whom to tell."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from lilliput.config.section import Section
from lilliput.errors import ConfigError
from lilliput.reading import parse_toml
from lilliput.watch.explaining import explain, nearest
from lilliput.watch.settings import EventSettings, Score, WindowSettings

_MINUTES_OF_A_DAY = 24 * 60
_LONGEST_DAY = timedelta(hours=25)  # when clocks are set back


class Hours(NamedTuple):
    """Hours of the day, which may pass midnight; minutes since midnight."""

    begin: int
    end: int

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Reads ``"22:00-06:00"``.

        Raises:
            ValueError: It is written otherwise, or the hours are none.
        """
        clock = r"\s*(\d{1,2}):(\d\d)\s*"
        match = re.fullmatch(f"{clock}-{clock}", text)
        if match is None:
            raise ValueError('write the hours as "22:00-06:00"')
        from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
        begin, end = 60 * from_hour + from_minute, 60 * to_hour + to_minute
        if max(from_minute, to_minute) >= 60 or max(begin, end) > _MINUTES_OF_A_DAY:
            raise ValueError("there is no such hour; a day goes from 00:00 to 24:00")
        if begin == end:
            raise ValueError("these hours are none; leave them out for the whole day")
        return cls(begin, end)

    def overlap(self, begin: datetime, end: datetime) -> bool:
        """Whether a stretch of time has a moment in these hours.

        Args:
            begin: Its first moment; its time zone is that of the hours. A night in autumn has one
                hour twice, and both count; one in spring lacks an hour.
            end: Its last moment.
        """
        moment, last = begin.astimezone(UTC), end.astimezone(UTC)
        if last - moment > _LONGEST_DAY:
            return True
        while moment <= last:  # minute by minute, as clocks are set forward and back at such
            if self._hold(moment.astimezone(begin.tzinfo)):
                return True
            moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return False

    def _hold(self, moment: datetime) -> bool:
        since = (60 * moment.hour + moment.minute - self.begin) % _MINUTES_OF_A_DAY
        return since < ((self.end - self.begin) % _MINUTES_OF_A_DAY or _MINUTES_OF_A_DAY)


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        known = sorted(available_timezones())
        raise ValueError(f"there is no such time zone{nearest(name, known)}") from None
    return name


def _check_hours(text: str) -> str:
    Hours.parse(text)
    return text


def _check_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w. -]{0,62}", name) or name.endswith((".", " ")):
        raise ValueError("a name is letters, digits, '-', '_', '.' and spaces, 63 at most")
    return name


def _check_area(polygon: "Polygon") -> "Polygon":
    a = polygon[0]
    b = next((corner for corner in polygon if corner != a), a)
    if all((b[0] - a[0]) * (c[1] - a[1]) == (b[1] - a[1]) * (c[0] - a[0]) for c in polygon):
        raise ValueError("all corners are on one line; nobody can stand in it")
    return polygon


def _check_year(moment: datetime) -> datetime:
    if not 1900 <= moment.year < 2200:  # at either end of what datetime can tell, it overflows
        raise ValueError("give a year from 1900 to 2199")
    return moment


Fraction = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Corner, ...], Field(min_length=3), AfterValidator(_check_area)]
Name = Annotated[str, AfterValidator(_check_name)]


class _CameraSection(Section):
    # TOML says [[camera.zone]], Python zones=.
    model_config = ConfigDict(populate_by_name=True)


class ZoneSettings(Section):
    """A part of the picture with a name."""

    name: Name
    polygon: Polygon  # corners, in fractions of the picture's width and height


class AlertSettings(Section):
    """What someone wants to be told of."""

    name: Name
    action: str
    zone: str | None = None  # None: anywhere
    min_score: Score = 0.0
    hours: Annotated[str, AfterValidator(_check_hours)] | None = None  # None: at any time


class CameraSettings(_CameraSection):
    """One camera."""

    name: Name
    # File, rtsp:// or http:// address, or device; not printed, for it may hold a password.
    source: Annotated[str, Field(min_length=1, repr=False)]
    detector: Literal["motion", "people", "none"] = "motion"  # none: the whole picture
    classes: tuple[str, ...] = ()  # to keep; empty: all
    time_zone: Annotated[str, AfterValidator(_check_zone)] = "UTC"
    # Of a recording; without offset, in the time zone.
    starts_at: Annotated[datetime, AfterValidator(_check_year)] | None = None
    max_fps: Annotated[float, Field(gt=0, le=1000)] | None = None  # None: what suits the model
    zones: tuple[ZoneSettings, ...] = Field(default=(), validation_alias="zone")
    include: tuple[Polygon, ...] = ()  # only who stands in one of these counts; empty: all do
    ignore: tuple[Polygon, ...] = ()  # who stands in one of these does not count
    alerts: tuple[AlertSettings, ...] = Field(default=(), validation_alias="alert")

    @property
    def zone_info(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    @model_validator(mode="after")
    def _check(self) -> "CameraSettings":
        zone_names = [zone.name for zone in self.zones]
        _check_unique("zones", zone_names)
        _check_unique("alerts", [alert.name for alert in self.alerts])
        for alert in self.alerts:
            if alert.zone is not None and alert.zone not in zone_names:
                raise ValueError(
                    f"alert '{alert.name}': no zone is called '{alert.zone}'"
                    f"{nearest(alert.zone, zone_names)}"
                )
        return self


class WatchSettings(_CameraSection):
    """Everything that a settings file of ``lilliput watch`` may hold."""

    events: EventSettings = EventSettings()
    windows: WindowSettings = WindowSettings()
    cameras: tuple[CameraSettings, ...] = Field(default=(), validation_alias="camera")

    @model_validator(mode="after")
    def _check(self) -> "WatchSettings":
        _check_unique("cameras", [camera.name.casefold() for camera in self.cameras])
        return self

    def check_classes(self, class_names: Sequence[str]) -> None:
        """Compares every action that is named with the actions that a model knows.

        Raises:
            ConfigError: The model does not know one.
        """
        named = [("events.onset", action) for action in self.events.onset]
        for camera in self.cameras:
            place = f"camera '{camera.name}'"
            named += [(f"{place}: classes", action) for action in camera.classes]
            named += [(f"{place}: alert '{alert.name}'", alert.action) for alert in camera.alerts]
        for place, action in named:
            if action not in class_names:
                raise ConfigError(
                    f"{place}: the model knows no action '{action}'{nearest(action, class_names)}"
                )


def _check_unique(things: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{count} {things} are called '{name}'; give each its own name")


def read_watch_settings(path: Path) -> WatchSettings:
    """Reads a settings file of ``lilliput watch``.

    Raises:
        ConfigError: There is no such file, it is no TOML, or a key or value does not fit; the
            message names the place and the nearest valid key.
    """
    try:
        settings = parse_toml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:  # of TOML, or of UTF-8
        raise ConfigError(f"{path}: not valid TOML ({error})") from None
    try:
        return WatchSettings.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, WatchSettings, settings)}") from None
