"""KPF, the YAML of Kitware's DIVA: annotations of MEVA, and VIRAT's later ones.

A recording has ``<name>.activities.yml`` and ``<name>.geom.yml`` (some contributions to MEVA write
``-`` for the dot); ``<name>.types.yml`` says what its actors are, which nothing here asks for::

    - { meta: "anything" }
    - { act: { act2: {Talking: 1.0}, id2: 3, timespan: [{tsr0: [10, 73]}],
               actors: [{id1: 9, timespan: [{tsr0: [10, 73]}]}] } }

    - { geom: { id1: 9, ts0: 10, g0: 530 853 616 949 } }

``g0`` is left, top, right and bottom in px, ``ts0`` a frame, ``tsr0`` a first and a last frame.
Frames count from 0.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lilliput.data.surveillance.activity import Activity, ActorBoxes, Sides, through_actors
from lilliput.errors import DataError

ACTIVITIES = "activities.yml"
_GEOMETRY = "geom.yml"
# The one written in C reads an hour's boxes in seconds; both make plain values only.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Tracks = Mapping[int, Mapping[int, Sides]]


def read_kpf(path: Path) -> tuple[list[Activity], int]:
    """Reads the activities of one recording.

    Args:
        path: Its ``…activities.yml``; the ``…geom.yml`` lies beside it.

    Returns:
        Those that have boxes, in the order of the file, and how many have none.

    Raises:
        DataError: A file is missing or no valid YAML, or an entry makes no sense.
    """
    geometry = path.with_name(path.name.removesuffix(ACTIVITIES) + _GEOMETRY)
    if not geometry.is_file():
        raise DataError(f"{path}: has no geometry; put {geometry.name} beside it")
    tracks = _read_tracks(geometry)
    found = [
        activity
        for number, entry in _entries(path, "act")
        for activity in _read_activity(f"{path}: entry {number}", entry, tracks)
    ]
    activities = [activity for activity in found if activity is not None]
    return activities, len(found) - len(activities)


def _read_tracks(path: Path) -> Tracks:
    tracks: dict[int, dict[int, Sides]] = {}
    for number, entry in _entries(path, "geom"):
        try:
            actor, frame = int(entry["id1"]), int(entry["ts0"])
            left, top, right, bottom = map(float, str(entry["g0"]).split())
        except (KeyError, TypeError, ValueError):
            left = right = top = bottom = math.nan
            actor = frame = -1
        if frame < 0 or not (left <= right < math.inf and top <= bottom < math.inf):
            raise DataError(
                f"{path}: entry {number}: needs an actor 'id1', a frame 'ts0' from 0 and a box "
                "'g0' of left, top, right and bottom"
            )
        tracks.setdefault(actor, {})[frame] = (left, top, right, bottom)
    return tracks


def _read_activity(
    where: str, entry: Mapping[str, Any], tracks: Tracks
) -> Iterator[Activity | None]:
    """One for each of its names and time spans; None for those without a box."""
    try:
        names = _names(entry)
        spans = _spans(entry)
        actors = [(int(actor["id1"]), _spans(actor)) for actor in entry["actors"]]
    except (AttributeError, KeyError, TypeError, ValueError):
        names, spans, actors = [], [], []
    if not names or not spans:
        raise DataError(
            f"{where}: needs a name 'act2', 'actors' with their 'id1', and for each of them and "
            "itself a 'timespan' of first and last frames 'tsr0'"
        )
    for start, end in spans:
        present = [
            ActorBoxes(tracks.get(actor, {}), max(start, first), min(end, last))
            for actor, theirs in actors
            for first, last in theirs
        ]
        try:
            for name in names:
                yield through_actors(name, present)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None


def _names(entry: Mapping[str, Any]) -> list[str]:
    """The likeliest name, or all that are equally likely; a set gives no likelihood."""
    (key,) = (key for key in entry if str(key).startswith("act") and str(key)[3:].isdigit())
    names = entry[key]
    if isinstance(names, set):
        return sorted(map(str, names))
    most = max(names.values())
    return [str(name) for name, likelihood in names.items() if likelihood == most]


def _spans(entry: Mapping[str, Any]) -> list[tuple[int, int]]:
    spans = []
    for span in entry["timespan"]:
        start, end = map(int, span["tsr0"])
        if not 0 <= start <= end:
            raise ValueError
        spans.append((start, end))
    return spans


def _entries(path: Path, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The entries of one kind, and their numbers in the file."""
    try:
        with path.open("rb") as file:
            content = yaml.load(file, Loader=_Loader)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise DataError(
            f"{path}: not valid YAML ({problem}{line}); correct it or get it again"
        ) from None
    if not isinstance(content, list):
        raise DataError(f"{path}: must be a list of KPF entries; get it again")
    for number, entry in enumerate(content, start=1):
        if isinstance(entry, dict) and isinstance(entry.get(kind), dict):
            yield number, entry[kind]
