"""What a job has finished, on disk: a stopped run goes on from here.

The first line of the file names the model and the settings. Each of the others holds a video's
path, size and time of change, a tab, and its record, in the order in which they were finished.
"""

import json
import os
import sys
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from lilliput.errors import ConfigError
from lilliput.reading import parse_json

if sys.platform != "win32":
    import fcntl


class Task(NamedTuple):
    """One video to be predicted.

    Attributes:
        position: Its place in the list of videos.
        path: The file.
        size: Its bytes; -1 where there is no such file.
        mtime_ns: When it was last changed, ns; -1 where there is no such file.
    """

    position: int
    path: str
    size: int
    mtime_ns: int


class Journal:
    """The records of a list of videos; iterating yields a task per video that has none yet.

    Memory holds a number per video; records stay on disk.

    Args:
        videos: The files, in the order of the results.
        identity: Model and settings, plain JSON values; a journal of others is refused.
        path: The file, which may exist; None keeps records for this run only.

    Raises:
        ConfigError: The file belongs to another model or other settings, or is in use.
    """

    def __init__(
        self, videos: Sequence[Path], identity: Mapping[str, object], path: Path | None = None
    ) -> None:
        self._videos = videos
        self._offsets = array("q", [-1]) * len(videos)
        self._lasting = path is not None
        self.num_done = 0
        self._file: IO[bytes]
        if path is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        else:
            path.touch()
            self._file = path.open("r+b")
            _lock(self._file, path)
            try:
                self._read(identity, path)
            except ConfigError:
                self._file.close()
                raise
        self._end = self._file.seek(0, os.SEEK_END)
        if path is not None and self._end == 0:
            self._append(json.dumps(identity))

    def __contains__(self, index: int) -> bool:
        return self._offsets[index] >= 0

    def __iter__(self) -> Iterator[Task]:
        for index, video in enumerate(self._videos):
            if index not in self:
                yield Task(index, str(video), *_stat(video))

    def add(self, task: Task, record: str) -> None:
        """Keeps a record; once this returns it survives a crash of the machine."""
        if task.position in self:
            return
        self._offsets[task.position] = self._end
        self._append(json.dumps(task[1:]) + "\t" + record)
        self.num_done += 1

    def read(self, index: int) -> str:
        """The record of a video that has one."""
        self._file.seek(self._offsets[index])
        return self._file.readline().decode().partition("\t")[2]

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _append(self, line: str) -> None:
        self._file.seek(self._end)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self._end = self._file.tell()
        if self._lasting:
            os.fsync(self._file.fileno())

    def _read(self, identity: Mapping[str, object], path: Path) -> None:
        """Finds the finished videos that are still the same files; cuts off a torn last line."""
        head = _parse(self._file.readline())
        if not head:
            self._file.truncate(0)
            return
        others = [name for name, value in identity.items() if head[0].get(name) != value]
        if others:
            raise ConfigError(
                f"{path}: begun with another {' and '.join(others)}; run the command that it was "
                "begun with, or remove it to begin anew"
            )
        positions: dict[str, list[int]] = {}
        for index, video in enumerate(self._videos):
            positions.setdefault(str(video), []).append(index)
        offset = self._file.tell()
        while entry := _parse(self._file.readline()):
            name, *key = entry[0]
            if name in positions and key == list(_stat(Path(name))):
                for index in positions[name]:
                    self.num_done += index not in self
                    self._offsets[index] = offset
            offset = self._file.tell()
        self._file.truncate(offset)


def _stat(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _parse(line: bytes) -> list[Any]:
    """The JSON values of a line, which tabs separate; none of a torn line."""
    try:
        return [parse_json(part) for part in line.split(b"\t")] if line.endswith(b"\n") else []
    except ValueError:
        return []


def _lock(file: IO[bytes], path: Path) -> None:
    """Two runs that write one journal would tear it; the system drops the lock with the process."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ConfigError(f"{path}: another run is writing it; wait for that one") from None
