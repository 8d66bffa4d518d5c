"""A real camera on the loopback: GStreamer's RTSP server, in a process of its own."""

import os
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint
from lilliput.inference.recognizer import Recognizer
from lilliput.video.container import Timeouts
from lilliput.watch.cameras import CameraSettings, WatchSettings
from lilliput.watch.events import Step
from lilliput.watch.footage import open_footage
from lilliput.watch.live import Patience
from lilliput.watch.log import iter_events
from lilliput.watch.outputs import Outputs, Watched
from lilliput.watch.session import Session
from lilliput.watch.settings import EventSettings, WindowSettings
from tests.programs import need

DEBIAN_PYTHON = "/usr/bin/python3"
WAIT = 10.0  # seconds until the test gives up


@pytest.fixture(autouse=True)
def _need_gstreamer() -> None:
    need(DEBIAN_PYTHON)
    script = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([DEBIAN_PYTHON, "-c", script], capture_output=True).returncode:
        reason = "needs GStreamer's RTSP server: gir1.2-gst-rtsp-server-1.0 and python3-gi"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


class _Camera:
    """Can be stopped, killed, and started again at the same address."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        self._process = subprocess.Popen(
            [DEBIAN_PYTHON, str(script), str(self.port)], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def camera() -> Iterator[_Camera]:
    camera = _Camera()
    yield camera
    camera.kill()


def test_a_camera_that_stalls_ends_and_returns(camera: _Camera) -> None:
    told: queue.Queue[str] = queue.Queue()
    settings = CameraSettings(
        name="gate", source=f"rtsp://me:secret@127.0.0.1:{camera.port}/gate", max_fps=10
    )
    patience = Patience(
        Timeouts(silent_seconds=0.5), first_wait_seconds=0.1, longest_wait_seconds=0.2
    )
    with open_footage(settings, patience=patience, tell=told.put) as footage:
        frames = iter(footage)
        assert footage.size == (160, 120)
        assert footage.fps == 10
        assert footage.source == f"rtsp://127.0.0.1:{camera.port}/gate"
        seen = list(islice(frames, 8))
        assert footage.notes == []

        camera.pause()
        assert told.get(timeout=WAIT).startswith("lost: silent for 0.5 s;")
        before = footage._reader._num_frames
        camera.go_on()
        assert told.get(timeout=WAIT).startswith("back after ")
        seen += list(islice(frames, 8))
        assert footage._reader._num_frames > before

        camera.kill()
        assert told.get(timeout=WAIT).startswith("lost: ")
        camera.start()
        assert told.get(timeout=WAIT).startswith("back after ")
        seen += list(islice(frames, 8))

        index = [frame.index for frame in seen]
        seconds = [frame.seconds for frame in seen]
        assert index == sorted(set(index))
        assert seconds == sorted(set(seconds))
        assert np.diff(seconds).max() > 0.5  # time goes on in the stall
        for part in (seen[:8], seen[8:16], seen[16:]):
            assert len({frame.pixels.tobytes() for frame in part}) >= 4  # the ball moves
        assert {frame.pixels.shape for frame in seen} == {(120, 160, 3)}
        assert footage.num_dropped <= 4  # this loop is fast, its waits are short
        assert [note.split()[0].strip(":") for note in footage.notes] == ["lost", "back"] * 2
        assert "secret" not in " ".join(footage.notes)
    assert not footage._reader._thread.is_alive()
    assert list(frames) == []


def test_a_camera_that_nobody_reads_drops_what_nobody_saw(camera: _Camera) -> None:
    settings = CameraSettings(
        name="gate", source=f"rtsp://127.0.0.1:{camera.port}/gate", max_fps=25
    )
    patience = Patience(Timeouts(silent_seconds=0.5))
    with open_footage(settings, patience=patience) as footage:
        frames = iter(footage)
        first = next(frames)
        reader = footage._reader
        with reader._changed:
            assert reader._changed.wait_for(lambda: footage.num_dropped >= 10, WAIT)
            waiting = [picture.index for picture in reader._queue]
            dropped = footage.num_dropped
        second = next(frames)
        camera.pause()
    # Closed in the middle of a stall, the thread ends when its time-out is over.
    reader._thread.join(WAIT)
    assert not reader._thread.is_alive()
    # At 25 fps every frame is wanted: what is neither read nor waiting was dropped.
    assert len(waiting) == 4
    assert waiting[0] - first.index - 1 == dropped
    assert second.index >= waiting[0]


class _Heard:
    """A channel that can be waited for."""

    def __init__(self) -> None:
        self.messages: queue.Queue[tuple[str, str]] = queue.Queue()

    def write(self, step: Step) -> None:
        for message in step.messages:
            self.messages.put((message.kind, message.event.event_id))

    def close(self) -> None:
        pass


def told_by(notes: "queue.Queue[str]") -> Callable[[Watched], None]:
    """Passes every note on once."""
    known = 0

    def report(watched: Watched) -> None:
        nonlocal known
        for note in watched.notes[known:]:
            known += 1
            notes.put(note)

    return report


def test_events_go_on_after_an_outage_and_none_that_was_told_is_lost(
    camera: _Camera, tmp_path: Path, micro_checkpoint: Checkpoint
) -> None:
    onset = dict.fromkeys(micro_checkpoint.labels.class_names, 0.0)  # all of it is an event
    settings = WatchSettings(
        events=EventSettings(onset=onset, min_on_seconds=0.2),
        windows=WindowSettings(window_seconds=0.8),
    )
    source = f"rtsp://127.0.0.1:{camera.port}/gate"
    gate = CameraSettings(name="gate", source=source, detector="none")
    heard = _Heard()
    notes: queue.Queue[str] = queue.Queue()
    patience = Patience(
        Timeouts(silent_seconds=0.5), first_wait_seconds=0.1, longest_wait_seconds=0.2
    )
    session = Session(
        Recognizer(micro_checkpoint),
        settings,
        Outputs(tmp_path, ("csv",), (heard,)),
        told_by(notes),
        patience=patience,
    )
    results: list[Watched] = []
    watching = threading.Thread(target=lambda: results.extend(session.run([gate])))
    watching.start()
    told = [heard.messages.get(timeout=WAIT)]
    camera.kill()
    assert notes.get(timeout=WAIT).startswith("lost")
    kept = [event.event_id for event in iter_events(tmp_path / "gate" / "events.jsonl")]
    camera.start()
    assert notes.get(timeout=WAIT).startswith("back")
    while not heard.messages.empty():
        told.append(heard.messages.get())
    told.append(heard.messages.get(timeout=WAIT))  # news after the return
    session.stop()
    watching.join(WAIT)
    assert not watching.is_alive()
    while not heard.messages.empty():
        told.append(heard.messages.get())

    (watched,) = results
    assert watched.error is None
    assert [note.split()[0].strip(":") for note in watched.notes] == ["lost", "back"]
    begun = {name for kind, name in told if kind == "new"}
    ended = [name for kind, name in told if kind == "end"]
    assert begun == set(ended) and len(ended) == len(begun) > 0
    logged = [event.event_id for event in iter_events(tmp_path / "gate" / "events.jsonl")]
    assert sorted(logged) == sorted(ended) and logged[: len(kept)] == kept
    assert (tmp_path / "gate" / "events.csv").is_file()
