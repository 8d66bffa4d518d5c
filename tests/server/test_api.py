import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from lilliput.checkpoint import Checkpoint
from lilliput.errors import DataError
from lilliput.inference.recognizer import Recognizer
from lilliput.server.app import create_app
from lilliput.server.settings import ServerSettings
from lilliput.watch.records import from_record
from tests.server.conftest import HERE, StartServer
from tests.server.stand_in import FPS, SIZE, stand_in

NAMES = ["[Sit]", "turn_left", "turn_right"]


def send(client, clip: bytes, path: str = "/v1/watch", name: str = "clip.mp4", **form):
    return client.post(path, files={"video": (name, clip)}, data=form)


def read_stream(client, job: str) -> list[tuple[str, dict]]:
    """The messages of a job's stream until it ends."""
    with client.stream("GET", f"/v1/jobs/{job}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = answer.read().decode().split("\n\n")
    told = []
    for block in blocks:
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            told.append((lines["event"], json.loads(lines["data"])))
    return told


def watch(client, clip: bytes, **form) -> dict:
    """The job after its end."""
    job = send(client, clip, **form).json()["job"]
    read_stream(client, job)
    return client.get(f"/v1/jobs/{job}").json()


class TestRecognize:
    def test_answers_what_the_recogniser_says(
        self, start: StartServer, clip: bytes, recognizer: Recognizer, tmp_path: Path
    ):
        (tmp_path / "same.mp4").write_bytes(clip)
        expected = recognizer.predict(tmp_path / "same.mp4").to_dict()
        del expected["source"]
        answer = send(start(), clip, "/v1/recognize")
        assert answer.status_code == 200
        assert answer.json() == expected
        assert list(answer.json()["scores"]) == NAMES
        assert len(answer.json()["windows"]) > 1  # 2 s in windows of 1 s

    def test_the_name_does_not_matter(self, start: StartServer, clip: bytes):
        client = start()
        first = send(client, clip, "/v1/recognize", name="clip.mp4")
        assert send(client, clip, "/v1/recognize", name="holiday.txt").json() == first.json()


class TestWatch:
    def test_a_job_is_queued_and_its_place_told(self, start: StartServer, clip: bytes):
        answer = send(start(), clip)
        assert answer.status_code == 202
        assert answer.json()["state"] in ("queued", "running")
        assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job']}"

    def test_the_result_holds_what_the_page_needs(self, start: StartServer, clip: bytes):
        job = watch(start(stand_in(20)), clip)
        assert (job["state"], job["progress"], job["error"]) == ("done", 1.0, None)
        result = job["result"]
        assert result["video"] == {
            "width": SIZE[0],
            "height": SIZE[1],
            "fps": 10.0,
            "duration_seconds": 2.0,
            "num_frames": 20,
        }
        assert result["task"] == "multi"
        assert result["class_names"] == NAMES
        assert result["thresholds"] == [0.25, 0.5, 0.625]
        assert result["settings"].keys() == {
            "smoothing_seconds",
            "offset_ratio",
            "min_on_seconds",
            "min_off_seconds",
        }
        (event,) = result["events"]
        assert from_record(event).action == "[Sit]"
        assert (event["start_seconds"], event["end_seconds"]) == (0.5, 1.5)
        assert event["source"] == "clip.mp4"

    def test_tracks_hold_every_box_and_window(self, start: StartServer, clip: bytes):
        (track,) = watch(start(stand_in(20)), clip)["result"]["tracks"]
        assert track["track"] == 1
        assert (track["start_seconds"], track["end_seconds"]) == (0.0, 2.0)
        boxes = np.array(track["boxes"])
        assert boxes.shape == (20, 5)
        np.testing.assert_allclose(boxes[:, 0], np.arange(20) / FPS, atol=1e-3)
        np.testing.assert_allclose(boxes[:, 1], 2.0 * np.arange(20), atol=0.05)
        np.testing.assert_allclose(boxes[:, 2:], boxes[:, [1]] * [0, 1, 0] + [8, 12, 40])
        assert [window["end_seconds"] for window in track["windows"]] == [0.5, 1.0, 1.5, 2.0]
        assert all(len(window["scores"]) == 3 for window in track["windows"])

    def test_the_stream_tells_of_events_and_the_end(self, start: StartServer, clip: bytes):
        client = start(stand_in(20))
        told = read_stream(client, send(client, clip).json()["job"])
        assert told[-1][0] == "done"
        kinds = [data["kind"] for name, data in told if name == "event"]
        assert kinds[-1] == "end"
        assert {name for name, _ in told} <= {"progress", "event", "done"}

    def test_who_listens_late_hears_the_latest_of_each_event(self, start: StartServer, clip: bytes):
        client = start(stand_in(20))
        job = send(client, clip).json()["job"]
        read_stream(client, job)
        again = read_stream(client, job)
        assert [data["kind"] for name, data in again if name == "event"] == ["end"]
        assert again[-1] == ("done", {"job": job, "state": "done"})

    @pytest.mark.parametrize("where", ["field", "query"])
    def test_the_detector_may_be_chosen(self, start: StartServer, clip: bytes, where: str):
        client = start()
        path = "/v1/watch?detector=none" if where == "query" else "/v1/watch"
        form = {"detector": "none"} if where == "field" else {}
        assert send(client, clip, path, **form).status_code == 202
        wrong = send(client, clip, detector="radar")
        assert wrong.status_code == 422
        assert wrong.json()["detail"] == "detector: use one of motion, people, none"

    def test_the_real_watch(self, recognizer: Recognizer, start: StartServer, clip: bytes):
        from lilliput.server.work import watch_file

        job = watch(start(watch_file), clip, detector="none")
        assert job["state"] == "done", job
        (track,) = job["result"]["tracks"]
        assert len(track["boxes"]) == 20
        assert track["boxes"][0][1:] == [0.0, 0.0, 64.0, 48.0]
        assert track["windows"]


class TestOneLabel:
    """A model that gives a clip one label."""

    @pytest.fixture
    def client(self, micro_single: Checkpoint) -> Iterator[TestClient]:
        from lilliput.server.work import watch_file

        settings = ServerSettings(detector="none")
        app = create_app(settings, Recognizer(micro_single), watch_file)
        with TestClient(app, base_url=HERE) as client:
            yield client

    def test_answers_tell_the_task(self, client: TestClient, clip: bytes):
        assert client.get("/v1/model").json()["task"] == "single"
        answer = send(client, clip, "/v1/recognize").json()
        assert answer["task"] == "single"
        assert sum(answer["scores"].values()) == pytest.approx(1, abs=2e-4)
        (label,) = answer["labels"]
        assert answer["probability"] == answer["scores"][label] == max(answer["scores"].values())

    def test_events_do_not_overlap(self, client: TestClient, clip: bytes):
        result = watch(client, clip)["result"]
        assert result["task"] == "single"
        assert result["thresholds"] == [0.35] * 3
        events = sorted(result["events"], key=lambda event: event["start_seconds"])
        assert events
        for one, other in pairwise(events):
            assert one["end_seconds"] <= other["start_seconds"]


class TestEvents:
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'events.db'}"

    def test_jobs_events_are_stored_and_found(self, start: StartServer, clip: bytes, url: str):
        client = start(stand_in(20), database=url)
        events = watch(client, clip)["result"]["events"]
        assert client.get("/v1/events").json() == {"events": events, "total": 1}
        for query, total in (
            ("camera=upload&action=[Sit]&min_score=0.9", 1),
            ("min_score=0.91", 0),
            ("camera=gate", 0),
            ("action=' OR 1=1 --", 0),
        ):
            assert client.get(f"/v1/events?{query}").json()["total"] == total, query
        assert client.get("/v1/events?offset=1").json() == {"events": [], "total": 1}

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=x", "min_score=2", "since=yesterday", "since=2026-01-01T00:00"]
    )
    def test_a_wrong_query_is_one_line(self, start: StartServer, url: str, query: str):
        answer = start(database=url).get(f"/v1/events?{query}")
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(query.partition("=")[0])
        assert "\n" not in answer.json()["detail"]

    def test_a_database_that_is_gone(self, start: StartServer, clip: bytes, url: str):
        def fail(_: object) -> None:
            raise DataError("postgresql://inner.example/events: connection refused")

        client = start(stand_in(20), database=url)
        store = client.app.state.service.store
        store.query = store.add = fail
        answer = client.get("/v1/events")
        assert answer.status_code == 503
        told = "the events database does not answer; the server's log tells why"
        assert answer.json() == {"detail": told}
        assert watch(client, clip)["error"] == told

    def test_without_a_database_it_says_so(self, start: StartServer):
        answer = start().get("/v1/events")
        assert answer.status_code == 404
        assert "--database" in answer.json()["detail"]


class TestFacts:
    def test_the_model_and_the_limits(self, start: StartServer):
        model = start(max_upload_bytes=1000, token="t", detector="people").get(
            "/v1/model", headers={"Authorization": "Bearer t"}
        )
        facts = model.json()
        assert facts["task"] == "multi"
        assert facts["class_names"] == NAMES
        assert facts["thresholds"] == [0.25, 0.5, 0.625]
        assert facts["note"] == "for tests"
        assert facts["limits"]["max_upload_bytes"] == 1000
        assert facts["limits"]["max_duration_seconds"] == 3600
        assert {"motion", "none"} <= set(facts["detectors"]) <= {"motion", "people", "none"}
        assert facts["detector"] == "people"
        assert facts["token_required"] is True
        assert facts["has_database"] is False

    def test_metrics_count(self, start: StartServer, clip: bytes):
        client = start(stand_in(20))
        watch(client, clip)
        client.get("/v1/jobs/unknown")
        client.get("/made/up")
        families = text_string_to_metric_families(client.get("/metrics").text)
        found = {(one.name, *one.labels.values()): one.value for f in families for one in f.samples}
        assert found["lilliput_jobs_total", "watch", "done"] == 1
        assert found["lilliput_job_seconds_count", "watch"] == 1
        assert found["lilliput_frames_watched_total",] == 20
        assert found["lilliput_events_total", "[Sit]"] == 1
        assert found["lilliput_upload_bytes_total",] == len(clip)
        assert found["lilliput_queue_length",] == found["lilliput_jobs_running",] == 0
        assert found["lilliput_requests_total", "GET", "/v1/jobs/{job_id}", "404"] == 1
        assert found["lilliput_requests_total", "GET", "other", "404"] == 1
        assert found["lilliput_requests_total", "POST", "/v1/watch", "202"] == 1

    def test_health(self, start: StartServer):
        assert start().get("/healthz").json() == {"status": "ok"}

    def test_openapi_describes_every_route(self, start: StartServer):
        paths = start().get("/openapi.json").json()["paths"]
        assert paths.keys() == {
            "/v1/recognize",
            "/v1/watch",
            "/v1/jobs/{job_id}",
            "/v1/jobs/{job_id}/stream",
            "/v1/events",
            "/v1/model",
            "/healthz",
            "/metrics",
        }
        form = paths["/v1/watch"]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert {"video", "detector"} == form["schema"]["properties"].keys()
