"""Events as NIST ActEV system output.

The structure is that of the evaluation plans at actev.nist.gov and of the schemas of NIST's
scorer (github.com/usnistgov/ActEV_Scorer), for activities alone (``ActEV_SDL_V2``) and with
objects (``ActEV18_AOD``): one file passes both. Frames count from 1, and a signal changes at the
frame that names it, so the off frame is the first one *after* the activity (the scorer takes
off − on as its length).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from lilliput.data.durable import write_durably
from lilliput.watch.events import Event, Step
from lilliput.watch.scene import Box, Frame
from lilliput.watch.writers.output import LogWriter, Output


class ActevWriter(LogWriter):
    """``actev.json``, with the two files that the scorer wants beside it.

    ``actev_file_index.json`` tells the frames that were watched, ``actev_activity_index.json``
    the model's classes. A file name keeps letters, digits, ``_``, ``-`` and ``.``, as the
    schema demands; other characters become ``_``.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(output, "actev.json")
        names = ("actev_file_index.json", "actev_activity_index.json")
        self.paths = (*self.paths, *(output.folder / name for name in names))
        self._file_name = re.sub(r"[^A-Za-z0-9_.-]", "_", Path(output.source).name) or "camera"
        self._first: Frame | None = None
        self._last: Frame | None = None

    def write(self, step: Step) -> None:
        """Notes what is watched."""
        if step.scene is not None:
            self._first = self._first or step.scene.frame
            self._last = step.scene.frame

    def write_events(self, file: TextIO) -> None:
        """Writes one activity at a time, and the two indices."""
        self._write_indices()
        name = json.dumps(self._file_name)
        report = {"fileStatuses": {self._file_name: {"status": "success", "message": ""}}}
        file.write(f'{{"filesProcessed": [{name}],\n"processingReport": {json.dumps(report)},\n')
        file.write('"activities": [')
        for number, event in enumerate(self.output.log, start=1):
            file.write(",\n" if number > 1 else "\n")
            json.dump(_activity(event, number, self._file_name), file, ensure_ascii=False)
        file.write("\n]}\n")

    def _write_indices(self) -> None:
        framerate, selected = self.output.fps, {"1": 0}
        if self._first is not None and self._last is not None:
            selected = {str(self._first.index + 1): 1, str(self._last.index + 2): 0}
            seconds = self._last.seconds - self._first.seconds
            if seconds > 0:  # of the file, which has more than the frames that are watched
                framerate = round((self._last.index - self._first.index) / seconds, 3)
        files = {self._file_name: {"framerate": framerate, "selected": selected}}
        activities = {
            name: {"objectTypes": [_object_type(name)]} for name in self.output.class_names
        }
        for path, document in zip(self.paths[1:], (files, activities), strict=True):
            text = json.dumps(document, indent=1, ensure_ascii=False)
            write_durably(path, text.encode() + b"\n")


def _activity(event: Event, number: int, file_name: str) -> dict[str, Any]:
    on, off = event.start_frame + 1, event.end_frame + 2
    objects = []
    if event.boxes:
        boxes: dict[str, Any] = dict(_boxes(event))
        boxes[str(off)] = {}
        track = {"objectType": _object_type(event.action), "objectID": event.track}
        objects = [{**track, "localization": {file_name: boxes}}]
    return {
        "activity": event.action,
        "activityID": number,
        "presenceConf": round(event.score, 4),
        "localization": {file_name: {str(on): 1, str(off): 0}},
        "objects": objects,
    }


def _boxes(event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each holds until the next; the first begins with the event."""
    for position, at in enumerate(event.boxes):
        frame = event.start_frame if position == 0 else at.frame
        if event.start_frame <= frame <= event.end_frame:
            described = {"presenceConf": round(event.score, 4), "boundingBox": _whole_px(at.box)}
            yield str(frame + 1), described


def _whole_px(box: Box) -> dict[str, int]:
    x, y = round(box.left), round(box.top)
    return {"x": x, "y": y, "w": max(1, round(box.right) - x), "h": max(1, round(box.bottom) - y)}


def _object_type(action: str) -> str:
    """VIRAT names actions of vehicles ``vehicle_…``; all others are of people."""
    return "vehicle" if action.startswith("vehicle") else "person"
