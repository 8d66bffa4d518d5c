"""Running a job on this machine: in this process, or in several that may die.

A pool of its own, because that of concurrent.futures breaks as a whole when one worker dies.
Free of torch, which a worker imports only once it is deaf to Ctrl-C.
"""

import contextlib
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from lilliput.errors import LilliputError
from lilliput.inference.archive.journal import Task

if TYPE_CHECKING:
    from lilliput.inference.archive.records import Predictor

_MOST_FAILED_STARTS = 3  # in a row, of workers that die before a file; then it is not the files


def in_this_process(
    load: "Callable[[], Predictor]", tasks: Iterable[Task]
) -> Iterator[tuple[Task, str]]:
    """Predicts one file after the other.

    Yields:
        Each task with its record.
    """
    from lilliput.inference.archive.records import recognise

    predictor = load()
    for task in tasks:
        yield task, recognise(predictor, task.path)


def in_processes(
    load: "Callable[[], Predictor]", tasks: Iterable[Task], *, num_workers: int
) -> Iterator[tuple[Task, str]]:
    """Predicts files in several processes, each with its own model.

    The file of a process that died is tried once more in a new one; a second death is the
    file's record.

    Args:
        load: Makes a worker's predictor; must be picklable.
        tasks: What is to be done, read as workers become free.
        num_workers: Processes.

    Yields:
        Each task with its record, in the order in which they are finished.

    Raises:
        LilliputError: The workers cannot load the model, or die while they do.
    """
    queue, again = iter(tasks), deque[Task]()
    suspects: set[int] = set()  # a process died with these
    failed_starts = 0
    workers = [_Worker(load) for _ in range(num_workers)]
    try:
        while workers:
            ready = wait([worker.connection for worker in workers])
            for worker in [worker for worker in workers if worker.connection in ready]:
                task, answer = worker.task, worker.receive()
                if isinstance(answer, Exception):
                    raise answer
                if answer is None:  # it died
                    workers[workers.index(worker)] = _Worker(load)
                    if task is None:
                        failed_starts += 1
                        _check_starts(failed_starts)
                    elif task.position not in suspects:
                        suspects.add(task.position)
                        again.append(task)
                    else:
                        yield task, _death_record(task)
                    continue
                following = again.popleft() if again else next(queue, None)
                worker.send(following)
                if following is None:
                    workers.remove(worker)
                if task is None:  # it has loaded the model
                    failed_starts = 0
                else:
                    yield task, answer
    finally:
        for worker in workers:
            worker.kill()


class _Worker:
    """A process, and the file that it is reading."""

    def __init__(self, load: "Callable[[], Predictor]") -> None:
        context = get_context("spawn")  # a fork of a process with torch's threads may hang
        self.connection, theirs = context.Pipe()
        self.task: Task | None = None
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self._send(load)

    def send(self, task: Task | None) -> None:
        """Hands over the next file; None ends the process."""
        self.task = task
        self._send(None if task is None else task.path)
        if task is None:
            self._process.join()
            self.connection.close()

    def receive(self) -> str | Exception | None:
        """A record, an empty string once the model is loaded, an error, None if it died."""
        try:
            answer: str | Exception = self.connection.recv()
        except (EOFError, OSError):
            self.kill()
            return None
        return answer

    def kill(self) -> None:
        """Ends the process at once; nothing in it is worth keeping."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _send(self, message: object) -> None:
        with contextlib.suppress(OSError):  # it died; `receive` will tell
            self.connection.send(message)


def _work(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this
    try:
        predictor = connection.recv()()
        from lilliput.inference.archive.records import recognise

        connection.send("")
        while (path := connection.recv()) is not None:
            connection.send(recognise(predictor, path))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone
    except LilliputError as error:
        connection.send(error)
    except Exception as error:
        reason = " ".join(str(error).split())
        connection.send(LilliputError(f"a worker failed: {type(error).__name__}: {reason}"))


def _check_starts(failed: int) -> None:
    if failed >= _MOST_FAILED_STARTS:
        raise LilliputError(
            f"{failed} workers died while loading the model (out of memory?); give fewer --workers"
        )


def _death_record(task: Task) -> str:
    from lilliput.errors import VideoError
    from lilliput.inference.archive.records import DIED, write_record

    return write_record(VideoError(f"{task.path}: {DIED}"))
