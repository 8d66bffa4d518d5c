"""The events of one source as they end, in a file that survives a killed process."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lilliput.data.durable import write_durably
from lilliput.errors import ConfigError, DataError
from lilliput.reading import parse_json
from lilliput.watch.events import Event
from lilliput.watch.records import from_record, to_record


class EventLog:
    """``events.jsonl``: one finished event per line, and nothing else.

    Every line is handed to the system at once, so killing the process loses none; a power cut may
    lose the lines of the last seconds. Once the source was watched to its end, a file beside the
    log says so (``events.finished.json``), so that ``--resume`` need not watch it again.

    Args:
        path: The file; its folder is made if missing.
        resume: Go on with a log that is there already: what a killed process left of its last
            line is cut off, and events that are in the log are not written again.
        identity: What must be the same for that, such as the model; kept in ``events.run.json``.
            None asks for nothing.

    Attributes:
        path: The file.

    Raises:
        ConfigError: The file holds events already, and ``resume`` is false; or it was begun with
            another identity; or another process writes it.
        DataError: A line before the last one is no event.
    """

    def __init__(
        self, path: Path | str, *, resume: bool, identity: Mapping[str, Any] | None = None
    ) -> None:
        self.path = Path(path)
        self._run = self.path.with_name(f"{self.path.stem}.run.json")
        self._finished = self.path.with_name(f"{self.path.stem}.finished.json")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._ids: set[str] = set()
        self._file = self.path.open("a", encoding="utf-8")
        try:
            self._take_over(resume, None if identity is None else dict(identity))
        except BaseException:
            self._file.close()
            raise
        if not resume:
            self._finished.unlink(missing_ok=True)

    def _take_over(self, resume: bool, identity: dict[str, Any] | None) -> None:
        """Of two that write one log, the second must not cut off what the first just writes."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{self.path}: is being written by another run; wait for its end, or give another "
                "--out"
            ) from None
        if self.path.stat().st_size == 0 and not (resume and self._finished.exists()):
            if identity is not None:
                write_durably(self._run, json.dumps(identity).encode() + b"\n")
            return
        if not resume:
            raise ConfigError(
                f"{self.path}: holds events already; add --resume to go on, or give another --out"
            )
        if identity is not None and (was := self._read_identity()) != identity:
            different = sorted(k for k in {*was, *identity} if was.get(k) != identity.get(k))
            raise ConfigError(
                f"{self.path}: was written with another {' and '.join(different) or 'run'}; give "
                "the same again, or another --out"
            )
        _cut_torn_line(self.path)
        self._ids = {event.event_id for event in self}

    def _read_identity(self) -> dict[str, Any]:
        """What the log was begun with."""
        try:
            identity = parse_json(self._run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return identity if isinstance(identity, dict) else {}

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Event]:
        """Reads the events back, one at a time."""
        return iter_events(self.path)

    @property
    def event_ids(self) -> frozenset[str]:
        """Of the events in it."""
        return frozenset(self._ids)

    @property
    def is_finished(self) -> bool:
        """Whether the source was watched to its end, and the log still is what it was then."""
        try:
            marker = parse_json(self._finished.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(marker, dict) and marker.get("events") == len(self)

    def add(self, event: Event) -> bool:
        """Writes an event that is over; returns False for one that is in the log already."""
        if event.event_id in self._ids:
            return False
        line = json.dumps(to_record(event), ensure_ascii=False, allow_nan=False)
        self._file.write(line + "\n")
        self._file.flush()
        self._ids.add(event.event_id)
        return True

    def finish(self, seconds: float) -> None:
        """Notes that the source was watched to its end.

        Args:
            seconds: Its length.
        """
        marker = {"finished": True, "seconds": round(seconds, 3), "events": len(self)}
        write_durably(self._finished, json.dumps(marker).encode() + b"\n")

    def close(self) -> None:
        """Ends writing; the events can still be read."""
        self._file.close()


def iter_events(path: Path | str) -> Iterator[Event]:
    """Reads an ``events.jsonl``, one event at a time.

    Raises:
        DataError: The file cannot be read, or a line is no event.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _parse(line, f"{path}: line {number}")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _parse(line: bytes, where: str) -> Event:
    try:
        record: dict[str, Any] = parse_json(line)
        return from_record(record)
    except ValueError as error:  # of JSON, of UTF-8, or of the record
        reason = str(error).splitlines()[0]
        raise DataError(f"{where} is not an event ({reason}); remove it") from None


def _cut_torn_line(path: Path) -> None:
    """Cuts off what follows the last line break; a kill or a power cut leaves no other damage."""
    with path.open("rb+") as file:
        content_end = file.seek(0, 2)
        block = 1 << 16
        position = content_end
        while position > 0:
            start = max(0, position - block)
            file.seek(start)
            found = file.read(position - start).rfind(b"\n")
            if found >= 0:
                file.truncate(start + found + 1)
                return
            position = start
        file.truncate(0)
