"""What every writer is told, and what it must do."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO

from lilliput.data.durable import whole_file
from lilliput.watch.events import Step
from lilliput.watch.log import EventLog


@dataclass(frozen=True)
class Output:
    """Where the results of one source go, and what they are about.

    Attributes:
        folder: It exists; no other source writes into it.
        log: The events that are over. The ``jsonl`` writer fills it, so it comes first among the
            writers; others read it when they are closed.
        camera: The camera's name.
        source: The file, device or address, without its password.
        fps: Frames per second that are watched.
        size: Width and height of the camera's picture, px.
        duration_seconds: Length of the footage; None where nobody knows, as of live sources.
        class_names: What the model tells apart, in its order.
        starts_at: The wall clock at the beginning of the footage; None where nothing tells it.
    """

    folder: Path
    log: EventLog
    camera: str
    source: str
    fps: float
    size: tuple[int, int]
    duration_seconds: float | None
    class_names: tuple[str, ...]
    starts_at: datetime | None


class EventWriter(Protocol):
    """Turns steps into files of one format.

    Attributes:
        paths: The files it makes; they are whole once it is closed.
    """

    paths: tuple[Path, ...]

    def write(self, step: Step) -> None:
        """Takes one more step."""

    def close(self) -> None:
        """Completes the files, whether or not the footage came to its end."""


class LogWriter:
    """Base of writers that need all events: they read them from the log when they are closed.

    Args:
        output: What it is about.
        name: Of the file, in the folder of the output.
    """

    def __init__(self, output: Output, name: str) -> None:
        self.output = output
        self.paths: tuple[Path, ...] = (output.folder / name,)

    def write(self, step: Step) -> None:
        """Waits: events come from the log."""

    def close(self) -> None:
        """Writes the file, whole or not at all."""
        with (
            whole_file(self.paths[0]) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            self.write_events(file)

    def write_events(self, file: TextIO) -> None:
        """Writes the content of the file."""
        raise NotImplementedError
