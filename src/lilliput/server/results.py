"""The steps of ``watch`` as the page reads them."""

from array import array
from dataclasses import replace
from typing import Any

import numpy as np

from lilliput.watch.events import Event, Step
from lilliput.watch.records import to_record


class Results:
    """Gathers what a video's steps bring.

    Boxes are kept as plain numbers, 20 bytes each, so an hour with many tracks fits in memory.

    Args:
        source: What to call the video in its events.

    Attributes:
        events: Those that are over.
        num_frames: Frames seen.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._boxes: dict[int, array[float]] = {}  # track to rows of (seconds, l, t, r, b)
        self._windows: dict[int, list[dict[str, Any]]] = {}
        self.events: list[Event] = []
        self.num_frames = 0

    def add(self, step: Step) -> list[tuple[str, dict[str, Any]]]:
        """Takes one step; returns the kind and the record of each event that it tells of."""
        if step.scene is not None:
            self.num_frames += 1
            for tracked in step.scene.tracks:
                if tracked.is_seen:
                    rows = self._boxes.setdefault(tracked.track, array("f"))
                    rows.extend((step.scene.frame.seconds, *tracked.box))
        for window in step.scores:
            self._windows.setdefault(window.track, []).append(
                {
                    "start_seconds": round(window.start_seconds, 3),
                    "end_seconds": round(window.end_seconds, 3),
                    "scores": [round(float(score), 6) for score in window.scores],
                }
            )
        told: list[tuple[str, dict[str, Any]]] = []
        for message in step.messages:
            event = replace(message.event, source=self._source)
            if message.kind == "end":
                self.events.append(event)
            told.append((message.kind, to_record(event)))
        return told

    def to_dict(self) -> dict[str, Any]:
        """``events`` and ``tracks``; a track without a window was too short to be judged."""
        tracks = sorted(self._boxes.keys() | self._windows.keys())
        return {
            "events": [to_record(event) for event in self.events],
            "tracks": [self._track(track) for track in tracks],
        }

    def _track(self, track: int) -> dict[str, Any]:
        rows = np.array(self._boxes.get(track, ()), dtype=np.float32).reshape(-1, 5)
        windows = self._windows.get(track, [])
        begins = [float(rows[0, 0])] if len(rows) else []
        ends = [float(rows[-1, 0])] if len(rows) else []
        begins += [window["start_seconds"] for window in windows]
        ends += [window["end_seconds"] for window in windows]
        return {
            "track": track,
            "start_seconds": round(min(begins), 3),
            "end_seconds": round(max(ends), 3),
            "boxes": [
                [round(seconds, 3), *(round(side, 1) for side in sides)]
                for seconds, *sides in rows.tolist()
            ],
            "windows": windows,
        }
