"""Events as a CSV table."""

import csv
from collections.abc import Iterable
from typing import TextIO

from lilliput.watch.events import Event
from lilliput.watch.records import to_record
from lilliput.watch.writers.boxes import mean_box
from lilliput.watch.writers.output import LogWriter, Output

_FROM_RECORD = (
    *("event_id", "camera", "source", "track", "action", "score"),
    *("start_frame", "end_frame", "start_seconds", "end_seconds", "started_at", "ended_at"),
)
COLUMNS = (*_FROM_RECORD, "zones", "left", "top", "right", "bottom")


class CsvWriter(LogWriter):
    """``events.csv``: one row per event, under a header.

    Zones are joined by ``|``; the box is the mean over the event, in px, and empty in whole-frame
    mode, as is the wall clock where nothing tells it.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(output, "events.csv")

    def write_events(self, file: TextIO) -> None:
        """Writes the header and the rows."""
        write_table(self.output.log, file)


def write_table(events: Iterable[Event], file: TextIO) -> None:
    """Writes a header, and a row for each event."""
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for event in events:
        record = to_record(event)
        box = mean_box(event)
        sides = [""] * 4 if box is None else [round(side, 1) for side in box]
        rows.writerow([*(record[name] for name in _FROM_RECORD), "|".join(event.zones), *sides])
