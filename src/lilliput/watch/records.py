"""Events as plain values, for JSON files, messages and databases."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from lilliput.watch.events import BoxAt, Event
from lilliput.watch.scene import Box


def to_record(event: Event) -> dict[str, Any]:
    """Plain values for JSON; times of the clock in ISO 8601.

    A box is ``[frame, seconds, left, top, right, bottom]``, in px.
    """
    record = asdict(event)
    for key in ("started_at", "ended_at"):
        record[key] = None if record[key] is None else record[key].isoformat()
    record["score"] = round(event.score, 4)
    for key in ("start_seconds", "end_seconds"):
        record[key] = round(record[key], 3)
    record["boxes"] = [
        [at.frame, round(at.seconds, 3), *(round(side, 1) for side in at.box)] for at in event.boxes
    ]
    record["zones"] = list(event.zones)
    record["frame_size"] = list(event.frame_size)
    return record


def from_record(record: Mapping[str, Any]) -> Event:
    """The event that ``to_record`` wrote.

    Raises:
        ValueError: It is no such record.
    """
    try:
        values = {field.name: record[field.name] for field in fields(Event)}
        for key in ("started_at", "ended_at"):
            if values[key] is not None:
                values[key] = datetime.fromisoformat(values[key])
        values["boxes"] = tuple(
            BoxAt(int(frame), float(seconds), Box(*map(float, sides)))
            for frame, seconds, *sides in values["boxes"]
        )
        values["zones"] = tuple(values["zones"])
        width, height = values["frame_size"]
        values["frame_size"] = (int(width), int(height))
        return Event(**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an event: {error}") from None
