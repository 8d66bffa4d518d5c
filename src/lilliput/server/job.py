"""One piece of work that outlasts a request: progress, cancelling, time-out."""

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from lilliput.errors import LilliputError
from lilliput.server.news import News

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Callable[["Job"], dict[str, Any]]

_TELL_SECONDS = 0.2  # between two tellings of progress

logger = logging.getLogger(__name__)


class StoppedError(LilliputError):
    """The job was cancelled, or took too long."""


class Job:
    """One piece of work and what is known of it. Safe to be used by several threads.

    Attributes:
        job_id: A random name that nobody can guess.
        kind: What is done, for the metrics.
        state: How far it is.
        progress: In [0, 1].
        speed: Multiple of real time; None before it is known.
        error: Why it failed, in one line.
        status: The HTTP status that fits the error.
        result: JSON, once it is done.
        news: What a client that listens is told.
    """

    def __init__(
        self, kind: str, work: Work, at_end: Callable[["Job", State], None], seconds: float
    ) -> None:
        self.job_id = secrets.token_urlsafe(16)
        self.kind = kind
        self.state: State = "queued"
        self.progress = 0.0
        self.speed: float | None = None
        self.error: str | None = None
        self.status = 200
        self.result: bytes | None = None
        self.news = News()
        self.begun_at: float | None = None
        self.ended_at: float | None = None
        self._work = work
        self._at_end = at_end
        self._seconds = seconds
        self._deadline = float("inf")
        self._told_at = 0.0
        self._cancelled = threading.Event()
        self._lock = threading.Lock()

    def check(self) -> None:
        """To be called often by the work.

        Raises:
            StoppedError: It shall stop.
        """
        if self._cancelled.is_set():
            raise StoppedError("cancelled")
        if time.monotonic() > self._deadline:
            raise StoppedError("timed out")

    def tell(self, progress: float, speed: float) -> None:
        """How far the work is; listeners hear of it now and then."""
        self.progress, self.speed = min(1.0, max(0.0, progress)), speed
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            self.news.tell_latest("progress", {"progress": self.progress, "speed": self.speed})

    def to_json(self) -> bytes:
        """How far it is, and its result once there is one."""
        facts = {
            "job": self.job_id,
            "state": self.state,
            "progress": self.progress,
            "speed": self.speed,
            "error": self.error,
        }
        head = json.dumps(facts).encode()
        return head[:-1] + b', "result": ' + (self.result or b"null") + b"}"

    def cancel(self) -> None:
        """Asks the work to stop; what waits still is over at once."""
        self._cancelled.set()
        with self._lock:
            is_waiting = self.state == "queued"
            if is_waiting:
                self.state = "cancelled"
        if is_waiting:
            self._end("cancelled")

    def run(self) -> None:
        """Does the work, in a worker's thread."""
        with self._lock:
            if self.state != "queued":
                return
            self.state = "running"
        self.begun_at = time.monotonic()
        self._deadline = self.begun_at + self._seconds
        try:
            self.check()
            self.result = json.dumps(self._work(self), separators=(",", ":")).encode()
            self.progress = 1.0
            self._end("done")
        except StoppedError:
            if self._cancelled.is_set():
                self._end("cancelled")
            else:
                self._fail(504, f"not done after {self._seconds:g} seconds; send a shorter video")
        except LilliputError as error:
            self._fail(422, str(error))
        except Exception:  # whatever a strange video sets off ends its job, not the server
            logger.exception("a job failed")
            self._fail(500, "internal error; the server's log tells more")

    @property
    def seconds(self) -> float:
        """How long it has been worked on."""
        if self.begun_at is None:
            return 0.0
        return (self.ended_at or time.monotonic()) - self.begun_at

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.ended_at is not None

    def _fail(self, status: int, reason: str) -> None:
        self.status, self.error = status, " ".join(reason.split())
        self._end("failed")

    def _end(self, state: State) -> None:
        self._at_end(self, state)  # before anyone hears of it: by then the upload is gone
        self.state, self.ended_at = state, time.monotonic()
        if state == "done":
            self.news.close("done", {"job": self.job_id, "state": state})
        else:
            self.news.close("failed", {"job": self.job_id, "state": state, "error": self.error})
