"""A list of videos to its predictions: the same rows in the same order, whoever works on them.

Workers return records in any order. Each goes to the journal at once, and its row is written
when those of all earlier files are.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lilliput.errors import VideoError
from lilliput.inference.archive.journal import Journal, Task
from lilliput.inference.archive.records import Predictor, read_record
from lilliput.inference.writers import WRITERS, Header, Writer, find_style

Backend = Callable[[Callable[[], Predictor], Iterable[Task]], Iterator[tuple[Task, str]]]


@dataclass(frozen=True)
class Job:
    """What is to be predicted, with what, and by whom.

    Attributes:
        videos: The files, in the order of the rows.
        load: Makes a worker's predictor; picklable where workers are other processes.
        header: What all rows have in common; its identity is what a journal must agree with.
        backend: Yields each task with its record, in any order.
    """

    videos: Sequence[Path]
    load: Callable[[], Predictor]
    header: Header
    backend: Backend


def run_to_stream(job: Job, style: str, stream: TextIO, messages: Console) -> int:
    """Writes rows to a stream as they come.

    Returns:
        How many videos could not be read.
    """
    writer = WRITERS[style](stream, job.header)
    journal = Journal(job.videos, job.header.identity)
    try:
        return _run(job, journal, writer, messages)
    finally:
        journal.close()


def run_to_file(job: Job, out: Path, messages: Console) -> int:
    """Writes a file, whole or not at all; a run that was stopped goes on.

    Beside the file, ``<out>.partial`` keeps what is done until all is.

    Returns:
        How many videos could not be read.

    Raises:
        ConfigError: The suffix names no format, or what is there is of another model or other
            settings.
    """
    style = find_style(out)
    folder = out.with_name(f"{out.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(job.videos, job.header.identity, folder / "journal")
    try:
        if journal.num_done:
            messages.print(f"going on: {journal.num_done} of {len(job.videos)} were done before")
        rows = folder / "rows"
        # A file's name may be no text at all; it must not end the run.
        with rows.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            failed = _run(job, journal, WRITERS[style](stream, job.header), messages)
            stream.flush()
            os.fsync(stream.fileno())
        rows.replace(out)
    finally:
        journal.close()
    shutil.rmtree(folder)
    return failed


def _run(job: Job, journal: Journal, writer: Writer, messages: Console) -> int:
    rows = _Rows(job, journal, writer, messages)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, transient=True) as progress:
        bar = progress.add_task("recognising", total=len(job.videos), completed=journal.num_done)
        rows.write_ready()
        for task, record in job.backend(job.load, journal):
            journal.add(task, record)
            rows.write_ready()
            failed = f", {rows.num_failed} failed" if rows.num_failed else ""
            progress.update(bar, completed=journal.num_done, description=f"recognising{failed}")
    writer.close()
    return rows.num_failed


class _Rows:
    """Writes the row of each video once those of all earlier ones are written."""

    def __init__(self, job: Job, journal: Journal, writer: Writer, messages: Console) -> None:
        self.num_failed = 0
        self._videos = job.videos
        self._header = job.header
        self._journal, self._writer, self._messages = journal, writer, messages
        self._next = 0

    def write_ready(self) -> None:
        """Writes whatever can be written now, and tells of failures."""
        while self._next < len(self._videos) and self._next in self._journal:
            result = read_record(self._journal.read(self._next), self._header)
            self._writer.write(str(self._videos[self._next]), result)
            if isinstance(result, VideoError):
                self.num_failed += 1
                line = f"skipped: {result}"
                self._messages.print(line, style="red", markup=False, soft_wrap=True)
            self._next += 1
