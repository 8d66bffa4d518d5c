"""Times and durations as they are written on the command line."""

import re
from datetime import UTC, datetime, timedelta

from lilliput.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(rf"([0-9]+(?:\.[0-9]+)?)([{''.join(_UNITS)}])")


def parse_age(text: str, option: str) -> datetime:
    """The moment that lies as long ago as ``90s``, ``15m``, ``12h``, ``30d`` or ``8w``, in UTC.

    Raises:
        ConfigError: It is no duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ConfigError(f"{option} {text!r}: write a duration such as 12h, 30d or 8w")
    try:
        return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        raise ConfigError(f"{option} {text!r}: give a shorter duration") from None


def parse_time(text: str, option: str) -> datetime:
    """An ISO 8601 date (its midnight) or date-time, or how long ago, such as ``24h``; in UTC.

    Without a zone the computer's own is meant.

    Raises:
        ConfigError: It is none of these.
    """
    if _DURATION.fullmatch(text):
        return parse_age(text, option)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} {text!r}: write a date such as 2026-01-31, a time such as "
            "2026-01-31T23:30 or 2026-01-31T23:30+01:00, or how long ago, such as 24h"
        ) from None
