"""VIRAT 2.0's text annotations.

A recording has ``<name>.viratdata.events.txt``, a line for each frame of each event: event, type,
duration, first, last and current frame, and a box as left, top, width and height in px. Where
``….objects.txt`` and ``….mapping.txt`` lie beside it, the box of an event also holds the objects
that the mapping assigns to it, as it does in KPF: there, too, a car that somebody enters takes
part. Frames count from 0.
"""

from collections.abc import Mapping
from pathlib import Path

from lilliput.data.surveillance.activity import Activity, ActorBoxes, Sides, through_actors
from lilliput.data.surveillance.names import VIRAT_EVENTS
from lilliput.errors import DataError

EVENTS = ".viratdata.events.txt"
_OBJECTS = ".viratdata.objects.txt"
_MAPPING = ".viratdata.mapping.txt"

Rows = list[tuple[int, ...]]


def read_virat(path: Path) -> list[Activity]:
    """Reads the events of one recording, in the order of their ids.

    Args:
        path: Its ``….viratdata.events.txt``.

    Raises:
        DataError: A file cannot be read, or a line makes no sense.
    """
    boxes: dict[tuple[int, int], dict[int, Sides]] = {}
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for number, row in enumerate(_read_rows(path, 10), start=1):
        event, kind, _, first, last, frame, *box = row[:10]
        if kind not in VIRAT_EVENTS or not 0 <= first <= frame <= last:
            raise DataError(
                f"{path}: line {number}: needs an event type from 1 to {len(VIRAT_EVENTS)}, and a "
                "current frame from the first to the last one"
            )
        spans[event, kind] = first, last
        boxes.setdefault((event, kind), {})[frame] = _sides(path, number, box)
    objects = _read_objects(path)
    activities = []
    for key, (first, last) in sorted(spans.items()):
        tracks = [boxes[key], *objects.get(key, ())]
        actors = [ActorBoxes(track, first, last) for track in tracks]
        activity = through_actors(VIRAT_EVENTS[key[1]], actors)
        assert activity is not None  # every event has a box, for its line has one
        activities.append(activity)
    return activities


def _read_objects(events: Path) -> Mapping[tuple[int, int], list[dict[int, Sides]]]:
    """The tracks of the objects of each event; none where the files are not there."""
    name = events.name.removesuffix(EVENTS)
    mapping, objects = (events.with_name(name + suffix) for suffix in (_MAPPING, _OBJECTS))
    if not mapping.is_file() or not objects.is_file():
        return {}
    tracks: dict[int, dict[int, Sides]] = {}
    for number, row in enumerate(_read_rows(objects, 7), start=1):
        tracks.setdefault(row[0], {})[row[2]] = _sides(objects, number, row[3:7])
    return {
        (row[0], row[1]): [
            tracks[track]
            for track, takes_part in enumerate(row[6:])
            if takes_part and track in tracks
        ]
        for row in _read_rows(mapping, 6)
    }


def _sides(path: Path, number: int, box: "tuple[int, ...] | list[int]") -> Sides:
    left, top, width, height = box
    if width < 0 or height < 0:
        raise DataError(f"{path}: line {number}: its box has a negative side; correct it")
    return left, top, left + width, top + height


def _read_rows(path: Path, columns: int) -> Rows:
    """Whole numbers of every line, at least so many."""
    rows: Rows = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text file; get it again") from None
    for number, line in enumerate(lines, start=1):
        try:
            row = tuple(round(float(word)) for word in line.split())
        except (ValueError, OverflowError):
            row = ()
        if len(row) < columns:
            raise DataError(f"{path}: line {number}: needs {columns} numbers or more")
        rows.append(row)
    return rows
