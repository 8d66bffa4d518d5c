"""What Prometheus is told."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from lilliput.server.job import Job, State
from lilliput.server.jobs import Jobs
from lilliput.watch.events import Event

_JOB_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)


class Metrics:
    """Counters of one server, in a registry of its own.

    Args:
        jobs: The jobs to count.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter(
            "lilliput_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.upload_bytes = Counter(
            "lilliput_upload_bytes", "Bytes of videos received.", registry=registry
        )
        self._frames = Counter("lilliput_frames_watched", "Frames watched.", registry=registry)
        self._events = Counter("lilliput_events", "Events found.", ["action"], registry=registry)
        self._ended = Counter("lilliput_jobs", "Jobs ended.", ["kind", "state"], registry=registry)
        self._seconds = Histogram(
            "lilliput_job_seconds",
            "Time from the start of a job to its end.",
            ["kind"],
            buckets=_JOB_SECONDS,
            registry=registry,
        )
        waiting = Gauge("lilliput_queue_length", "Jobs that wait.", registry=registry)
        waiting.set_function(lambda: jobs.count("queued"))
        running = Gauge("lilliput_jobs_running", "Jobs that are worked on.", registry=registry)
        running.set_function(lambda: jobs.count("running"))

    def count_job(self, job: Job, state: State) -> None:
        """Counts a job that is over, and how it ended."""
        self._ended.labels(job.kind, state).inc()
        self._seconds.labels(job.kind).observe(job.seconds)

    def count_watch(self, num_frames: int, events: Iterable[Event]) -> None:
        """Counts what a video brought."""
        self._frames.inc(num_frames)
        for event in events:
            self._events.labels(event.action).inc()

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
