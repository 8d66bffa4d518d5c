"""Rules that tell someone of an event."""

from datetime import datetime
from zoneinfo import ZoneInfo

from lilliput.watch.cameras import AlertSettings, CameraSettings, Hours
from lilliput.watch.events import Alert, Event, Message


class AlertRules:
    """A camera's rules; each tells of an event once, as soon as the event meets it.

    Args:
        camera: The camera whose events these are.
    """

    def __init__(self, camera: CameraSettings) -> None:
        self._rules = [_Rule(alert, camera.zone_info) for alert in camera.alerts]
        self._told: dict[str, set[str]] = {}  # rules by event, while the event goes on

    def __call__(self, message: Message) -> tuple[Alert, ...]:
        """The rules that the event meets with this message, in the order of the settings."""
        event = message.event
        told = self._told.setdefault(event.event_id, set())
        alerts = [
            Alert(rule.name, event)
            for rule in self._rules
            if rule.name not in told and rule.is_met(event)
        ]
        told.update(alert.rule for alert in alerts)
        if message.kind == "end":
            del self._told[event.event_id]
        return tuple(alerts)


class _Rule:
    def __init__(self, settings: AlertSettings, zone_info: ZoneInfo) -> None:
        self.name = settings.name
        self._settings = settings
        self._hours = None if settings.hours is None else Hours.parse(settings.hours)
        self._zone_info = zone_info

    def is_met(self, event: Event) -> bool:
        return (
            event.action == self._settings.action
            and self._settings.zone in (None, *event.zones)
            and event.score >= self._settings.min_score
            and self._is_in_hours(event.started_at, event.ended_at)
        )

    def _is_in_hours(self, started_at: datetime | None, ended_at: datetime | None) -> bool:
        if self._hours is None:
            return True
        if started_at is None or ended_at is None:
            return False
        zone = self._zone_info
        return self._hours.overlap(started_at.astimezone(zone), ended_at.astimezone(zone))
