import threading
import time

import pytest

from lilliput.errors import VideoError
from lilliput.server.job import Job, StoppedError
from lilliput.server.jobs import ClosedError, Jobs, QueueFullError
from lilliput.server.settings import Limits
from tests.server.conftest import StartServer
from tests.server.stand_in import stand_in
from tests.server.test_api import read_stream, send


def run(job_work, **limits):
    """Jobs with one that was submitted, and an event that is set at its end."""
    jobs = Jobs(Limits(**limits))
    ended = threading.Event()
    job = jobs.submit("test", jobs.reserve(), job_work, lambda job, state: ended.set())
    return jobs, job, ended


def wait_until(condition, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < until, "timed out"
        tick.wait(0.01)


def until_stopped(job: Job) -> dict:
    tick = threading.Event()
    while True:
        job.check()
        tick.wait(0.001)


class TestJobs:
    def test_a_result(self):
        jobs, job, ended = run(lambda job: {"answer": 42})
        assert ended.wait(10)
        wait_until(lambda: job.is_over)
        assert (job.state, job.result, job.progress) == ("done", b'{"answer":42}', 1.0)
        jobs.close()

    def test_a_mistake_of_the_video_is_told(self):
        def fail(job: Job) -> dict:
            raise VideoError("two\nlines")

        jobs, job, _ = run(fail)
        wait_until(lambda: job.is_over)
        assert (job.state, job.error, job.status) == ("failed", "two lines", 422)
        jobs.close()

    def test_a_defect_of_ours_is_not(self, caplog: pytest.LogCaptureFixture):
        def fail(job: Job) -> dict:
            raise ZeroDivisionError("/secret/path")

        jobs, job, _ = run(fail)
        wait_until(lambda: job.is_over)
        assert (job.state, job.status) == ("failed", 500)
        assert "secret" not in job.error
        assert "ZeroDivisionError" in caplog.text
        # and the worker lives
        other = jobs.submit("test", jobs.reserve(), lambda job: {}, lambda job, state: None)
        wait_until(lambda: other.is_over)
        assert other.state == "done"
        jobs.close()

    def test_a_time_out(self):
        jobs, job, _ = run(until_stopped, job_seconds=0.05)
        wait_until(lambda: job.is_over)
        assert (job.state, job.status) == ("failed", 504)
        jobs.close()

    def test_cancelling_a_running_one(self):
        jobs, job, ended = run(until_stopped)
        wait_until(lambda: job.state == "running")
        jobs.remove(job)
        assert ended.wait(10)
        wait_until(lambda: job.is_over)
        assert job.state == "cancelled"
        assert jobs.find(job.job_id) is None
        jobs.close()

    def test_cancelling_a_waiting_one_frees_its_place_at_once(self):
        jobs, first, _ = run(until_stopped, running_jobs=1, waiting_jobs=1)
        waiting = jobs.submit("test", jobs.reserve(), until_stopped, lambda job, state: None)
        with pytest.raises(QueueFullError):
            jobs.reserve()
        waiting.cancel()
        assert waiting.state == "cancelled"
        jobs.reserve()
        jobs.remove(first)
        jobs.close()

    def test_places_are_given_back_once(self):
        jobs = Jobs(Limits(running_jobs=1, waiting_jobs=0))
        place = jobs.reserve()
        with pytest.raises(QueueFullError):
            jobs.reserve()
        place.release()
        place.release()
        jobs.reserve()
        with pytest.raises(QueueFullError):
            jobs.reserve()
        jobs.close()

    def test_results_expire(self):
        jobs, job, _ = run(lambda job: {}, keep_seconds=0.05)
        wait_until(lambda: job.is_over)
        wait_until(lambda: jobs.find(job.job_id) is None)
        jobs.close()

    def test_no_more_results_are_kept_than_fit(self):
        jobs = Jobs(Limits())
        made = []
        for _ in range(70):
            made.append(jobs.submit("test", jobs.reserve(), lambda job: {}, lambda job, state: 0))
            wait_until(lambda: made[-1].is_over)
        kept = [job for job in made if jobs.find(job.job_id) is not None]
        assert kept == made[-64:]
        jobs.close()

    def test_closing_cancels_everything(self):
        jobs, job, _ = run(until_stopped)
        wait_until(lambda: job.state == "running")
        waiting = jobs.submit("test", jobs.reserve(), until_stopped, lambda job, state: None)
        jobs.close()
        assert (job.state, waiting.state) == ("cancelled", "cancelled")
        with pytest.raises(ClosedError):
            jobs.reserve()

    def test_work_is_told_why_it_stops(self):
        job = Job("test", lambda job: {}, lambda job, state: None, 10)
        job.check()
        job.cancel()
        with pytest.raises(StoppedError):
            job.check()


class TestByHttp:
    def test_one_runs_one_waits_the_third_comes_back(self, start: StartServer, clip: bytes):
        gate = threading.Event()
        client = start(stand_in(5, gate), running_jobs=1, waiting_jobs=1)
        first, second = (send(client, clip).json()["job"] for _ in range(2))
        wait_until(lambda: client.get(f"/v1/jobs/{first}").json()["state"] == "running")
        assert client.get(f"/v1/jobs/{second}").json()["state"] == "queued"
        third = send(client, clip)
        assert third.status_code == 429
        assert int(third.headers["retry-after"]) > 0
        assert send(client, clip, "/v1/recognize").status_code == 429
        gate.set()
        assert read_stream(client, second)[-1][0] == "done"
        assert send(client, clip).status_code == 202

    def test_delete_cancels_and_forgets(self, start: StartServer, clip: bytes, temporary):
        gate = threading.Event()
        client = start(stand_in(1000, gate))
        job = send(client, clip).json()["job"]
        service = client.app.state.service
        running = service.jobs.find(job)
        assert client.delete(f"/v1/jobs/{job}").status_code == 204
        gate.set()
        wait_until(lambda: running.is_over)
        assert running.state == "cancelled"
        assert client.get(f"/v1/jobs/{job}").status_code == 404
        assert client.delete(f"/v1/jobs/{job}").status_code == 404
        assert [path for path in temporary.rglob("*") if path.is_file()] == []

    def test_a_job_that_takes_too_long(self, start: StartServer, clip: bytes):
        client = start(stand_in(10_000, pause=0.01), job_seconds=0.1)
        job = send(client, clip).json()["job"]
        name, data = read_stream(client, job)[-1]
        assert (name, data["state"]) == ("failed", "failed")
        assert "0.1 seconds" in data["error"]
        assert client.get(f"/v1/jobs/{job}").json()["error"] == data["error"]
