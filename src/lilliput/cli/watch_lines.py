"""What ``lilliput watch`` says while it watches."""

import json
import threading
from itertools import takewhile
from typing import TYPE_CHECKING

from rich.progress import Progress, TaskID

from lilliput.cli.output import messages

if TYPE_CHECKING:
    from lilliput.watch.events import Event, Step
    from lilliput.watch.outputs import Watched


class NewsLines:
    """Tells of every event that is over, and of every alert; a channel of ``Session``.

    Args:
        as_json: JSON lines on stdout, with the beginnings and updates of events too.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def write(self, step: "Step") -> None:
        """Prints the news of one step."""
        from lilliput.watch.records import to_record

        for message in step.messages:
            if self._as_json:
                self._print_json(type=message.kind, event=to_record(message.event))
            elif message.kind == "end":
                _print(_describe(message.event))
        for alert in step.alerts:
            if self._as_json:
                self._print_json(type="alert", rule=alert.rule, event=to_record(alert.event))
            else:
                line = f"ALERT {alert.rule}: {_describe(alert.event)}"
                _print(line, "bold red")

    def close(self) -> None:
        """There is nothing to close."""

    def _print_json(self, **values: object) -> None:
        print(json.dumps(values, ensure_ascii=False), flush=True)


class ProgressLines:
    """Shows how far each camera is, and how many times faster than real time that went.

    What goes wrong is printed as it happens: a live camera may have no end.

    Args:
        bar: Where.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, str] = {}  # the last note, by camera
        self._lock = threading.Lock()

    def __call__(self, watched: "Watched") -> None:
        """Shows the state of one camera."""
        with self._lock:
            if watched.camera not in self._tasks:
                self._tasks[watched.camera] = self._bar.add_task(watched.camera, facts="")
            self._print_notes(watched)
        if watched.error is not None:
            print_line(f"{watched.camera}: could not be watched: {watched.error}", "red")
        facts = f"{watched.seconds:.0f} s, {watched.speed:.1f}x, {watched.num_events} events"
        if watched.num_dropped:
            facts += f", {watched.num_dropped} frames dropped"
        self._bar.update(
            self._tasks[watched.camera],
            completed=watched.seconds,
            total=watched.duration_seconds,
            facts=facts,
        )

    def _print_notes(self, watched: "Watched") -> None:
        told = self._told.get(watched.camera)
        fresh = list(takewhile(lambda note: note is not told, reversed(watched.notes)))
        for note in reversed(fresh):
            print_line(f"{watched.camera}: note: {note}", "yellow")
            self._told[watched.camera] = note


def _describe(event: "Event") -> str:
    when = f"{event.start_seconds:.1f} to {event.end_seconds:.1f} s"
    if event.started_at is not None and event.ended_at is not None:
        when = f"{event.started_at:%Y-%m-%d %H:%M:%S} to {event.ended_at:%H:%M:%S}"
    who = f", track {event.track}" if event.track else ""
    where = f" in {', '.join(event.zones)}" if event.zones else ""
    return f"{event.camera}: {when}{who}: {event.action}{where} ({event.score:.2f})"


def print_line(line: str, style: str | None = None) -> None:
    """One line to the terminal, as it is: neither marked up nor broken."""
    messages.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def _print(line: str, style: str | None = None) -> None:
    messages.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
