"""Events as WebVTT, the text tracks of a browser's video player (W3C, WebVTT 1)."""

import html
from typing import TextIO

from lilliput.watch.writers.output import LogWriter, Output


class VttWriter(LogWriter):
    """``events.vtt``: one cue per event, in order of time, such as ``walking · track 3 · 0.82``."""

    def __init__(self, output: Output) -> None:
        super().__init__(output, "events.vtt")

    def write_events(self, file: TextIO) -> None:
        """Writes the cues; of each event only the line is held, for the log is in order of ends."""
        cues = []
        for event in self.output.log:
            start = round(1000 * event.start_seconds)
            end = max(round(1000 * event.end_seconds), start + 1)  # an empty cue is not valid
            who = f" · track {event.track}" if event.boxes else ""
            text = " ".join(event.action.split())
            cues.append((start, end, f"{html.escape(text, quote=False)}{who} · {event.score:.2f}"))
        file.write("WEBVTT\n")
        for start, end, text in sorted(cues):
            file.write(f"\n{_clock(start)} --> {_clock(end)}\n{text}\n")


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{thousandths:03d}"
