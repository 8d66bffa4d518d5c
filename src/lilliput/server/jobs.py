"""The queue of jobs: bounded, worked on by threads, forgotten after a while."""

import queue
import threading
import time
from collections.abc import Callable

from lilliput.errors import LilliputError
from lilliput.server.job import Job, State, Work
from lilliput.server.settings import Limits

_MOST_KEPT = 64  # finished jobs, however recent: their results lie in memory
_PURGE_SECONDS = 5.0


class QueueFullError(LilliputError):
    """As many jobs as are allowed are running or waiting."""


class ClosedError(LilliputError):
    """The server is about to end."""


class Place:
    """A place in the queue, held from before an upload begins until its job is over."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back
        self._lock = threading.Lock()

    def release(self) -> None:
        """Gives it back, once."""
        with self._lock:
            give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class Jobs:
    """All jobs, and the threads that work on them.

    Args:
        limits: How many may run and wait, how long they may take, and how long they are kept.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._taken = 0
        self._closed = False
        self._jobs: dict[str, Job] = {}
        self._queue: queue.Queue[Job | None] = queue.Queue()
        # Daemons: a decoder that hangs must not keep the process from ending.
        self._workers = [
            threading.Thread(target=self._serve, name=f"worker {number}", daemon=True)
            for number in range(limits.running_jobs)
        ]
        for worker in self._workers:
            worker.start()

    def reserve(self) -> Place:
        """Takes a place.

        Raises:
            QueueFullError: There is none.
            ClosedError: The server is about to end.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("the server is about to end; try again later")
            if self._taken >= self._limits.running_jobs + self._limits.waiting_jobs:
                raise QueueFullError("too many videos are waiting; try again later")
            self._taken += 1
        return Place(self._give_back)

    def submit(
        self, kind: str, place: Place, work: Work, at_end: Callable[[Job, State], None]
    ) -> Job:
        """Queues a job; its place is given back and ``at_end`` called when it is over.

        Raises:
            ClosedError: The server is about to end.
        """

        def end(job: Job, state: State) -> None:
            place.release()
            at_end(job, state)

        job = Job(kind, work, end, self._limits.job_seconds)
        with self._lock:
            if self._closed:
                raise ClosedError("the server is about to end; try again later")
            self._jobs[job.job_id] = job
            self._queue.put(job)
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of this name, unless it was removed or has expired."""
        self.purge()
        with self._lock:
            return self._jobs.get(job_id)

    def remove(self, job: Job) -> None:
        """Cancels and forgets a job."""
        job.cancel()
        with self._lock:
            self._jobs.pop(job.job_id, None)

    def count(self, state: State) -> int:
        """How many jobs are in this state."""
        with self._lock:
            return sum(job.state == state for job in self._jobs.values())

    def purge(self) -> None:
        """Forgets jobs that ended long ago."""
        oldest = time.monotonic() - self._limits.keep_seconds
        with self._lock:
            over = [job for job in self._jobs.values() if job.ended_at is not None]
            over.sort(key=lambda job: job.ended_at or 0.0)
            for position, job in enumerate(reversed(over)):
                if position >= _MOST_KEPT or (job.ended_at or 0.0) < oldest:
                    del self._jobs[job.job_id]

    def close(self, seconds: float = 5.0) -> None:
        """Cancels everything and waits for the workers, but no longer than this."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        for _ in self._workers:
            self._queue.put(None)
        until = time.monotonic() + seconds
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1

    def _serve(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=_PURGE_SECONDS)
            except queue.Empty:
                self.purge()
                continue
            if job is None:
                return
            job.run()
            del job  # its result must not live until the next one comes
