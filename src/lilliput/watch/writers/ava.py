"""Events as AVA detections, which the tools for spatio-temporal detection read.

Gu et al., AVA: A Video Dataset of Spatio-temporally Localized Atomic Visual Actions, CVPR 2018;
the layout is that of the data set's own CSV files and of its label map for the ActivityNet
challenge.
"""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from lilliput.data.durable import write_durably
from lilliput.errors import DataError
from lilliput.watch.events import Event
from lilliput.watch.scene import Box
from lilliput.watch.writers.boxes import box_at
from lilliput.watch.writers.output import LogWriter, Output


class AvaWriter(LogWriter):
    """``ava.csv`` with its label map ``ava_labels.pbtxt``.

    Rows ``video,timestamp,x1,y1,x2,y2,action_id,score``, without a header: one for each whole
    second of an event, its first and last moments included. An event between two whole seconds
    has one row, at the whole second nearest to its middle. ``video`` is the name of the source
    without its suffix; coordinates are shares of the picture's width and height, the whole
    picture in whole-frame mode; ``action_id`` counts the model's classes from 1.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(output, "ava.csv")
        self.paths = (*self.paths, output.folder / "ava_labels.pbtxt")
        self._action_ids = {name: i for i, name in enumerate(output.class_names, start=1)}

    def write_events(self, file: TextIO) -> None:
        """Writes the rows, and the label map beside them."""
        items = (
            f"item {{\n  name: {json.dumps(name, ensure_ascii=False)}\n  id: {number}\n}}\n"
            for name, number in self._action_ids.items()
        )
        write_durably(self.paths[1], "".join(items).encode())
        rows = csv.writer(file)
        video = Path(self.output.source).stem or self.output.camera
        for event in self.output.log:
            if event.action not in self._action_ids:
                raise DataError(
                    f"{self.output.log.path}: {event.action} is no class of this model; "
                    "watch again without --resume"
                )
            action_id = self._action_ids[event.action]
            for second in _whole_seconds(event):
                sides = _shares(box_at(event, second), event.frame_size)
                score = f"{event.score:.4f}"
                rows.writerow([video, f"{second:04d}", *sides, action_id, score])


def _whole_seconds(event: Event) -> Iterator[int]:
    first, last = math.ceil(event.start_seconds), math.floor(event.end_seconds)
    if first <= last:
        yield from range(first, last + 1)
    else:
        yield round((event.start_seconds + event.end_seconds) / 2)


def _shares(box: Box | None, size: tuple[int, int]) -> list[str]:
    """Of width and height, within the picture."""
    sides = (0, 0, *size) if box is None else box
    shares = (side / size[axis % 2] for axis, side in enumerate(sides))
    return [f"{min(max(share, 0.0), 1.0):.4f}" for share in shares]
