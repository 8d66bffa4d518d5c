"""One writer per format; ``WRITERS`` names them."""

from collections.abc import Callable

from lilliput.watch.writers.actev import ActevWriter
from lilliput.watch.writers.ava import AvaWriter
from lilliput.watch.writers.jsonl import JsonLinesWriter
from lilliput.watch.writers.output import EventWriter, Output
from lilliput.watch.writers.report import ReportWriter
from lilliput.watch.writers.table import CsvWriter
from lilliput.watch.writers.video import AnnotatedVideoWriter
from lilliput.watch.writers.vtt import VttWriter

WRITERS: dict[str, Callable[[Output], EventWriter]] = {
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
    "ava": AvaWriter,
    "actev": ActevWriter,
    "vtt": VttWriter,
    "report": ReportWriter,
    "video": AnnotatedVideoWriter,
}

__all__ = ["WRITERS", "EventWriter", "Output"]
