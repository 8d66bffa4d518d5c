import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import Checkpoint
from lilliput.errors import ConfigError, DataError, VideoError
from lilliput.inference.recognizer import Recognizer
from lilliput.video.encode import write_video
from lilliput.video.source import Source
from lilliput.watch import session
from lilliput.watch.cameras import CameraSettings, WatchSettings
from lilliput.watch.events import Step
from lilliput.watch.footage import Footage
from lilliput.watch.log import iter_events
from lilliput.watch.outputs import Outputs, Watched
from lilliput.watch.scene import Frame
from lilliput.watch.session import Session
from lilliput.watch.settings import EventSettings, WindowSettings

FPS = 10
_SMALLEST_PIPE = 4096  # bytes; whoever writes into a full one waits, so it cannot finish early
_LILLIPUT = "from lilliput.cli.main import main; main()"


def walkers(seconds: float, seed: int = 1) -> np.ndarray:
    """(T, 96, 128, 3): bright blocks cross a still, noisy picture; nobody is there in between."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 90, (96, 128, 3), dtype=np.uint8)
    frames = np.repeat(ground[None], round(seconds * FPS), axis=0)
    for index in range(len(frames)):
        walked = index % (5 * FPS) - 2 * FPS
        if walked >= 0:
            frames[index, 40:72, 3 * walked + 5 : 3 * walked + 19] = 230
    return frames


@pytest.fixture
def settings() -> WatchSettings:
    """Everything is an event, so that there are some."""
    return WatchSettings(
        events=EventSettings(
            onset=dict.fromkeys(("turn_left", "turn_right"), 0.0), min_on_seconds=0.2
        ),
        windows=WindowSettings(window_seconds=1.0),
    )


@pytest.fixture
def recognizer(micro_checkpoint: Checkpoint) -> Recognizer:
    return Recognizer(micro_checkpoint)


class Heard:
    """A channel that remembers."""

    def __init__(self) -> None:
        self.kinds: list[tuple[str, str]] = []
        self.is_closed = False

    def write(self, step: Step) -> None:
        self.kinds += [(message.kind, message.event.event_id) for message in step.messages]

    def close(self) -> None:
        self.is_closed = True


class Broken(Heard):
    def write(self, step: Step) -> None:
        raise DataError("events.db: gone")


def camera(path: Path) -> CameraSettings:
    return CameraSettings(name=path.stem, source=str(path))


def run(
    recognizer: Recognizer, settings: WatchSettings, outputs: Outputs, *paths: Path
) -> list[Watched]:
    watching = Session(recognizer, settings, outputs, lambda _: None)
    return watching.run([camera(path) for path in paths])


def test_one_bad_file_ends_no_other(
    tmp_path: Path, recognizer: Recognizer, settings: WatchSettings
) -> None:
    write_video(tmp_path / "a.mp4", walkers(8), fps=FPS)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    write_video(tmp_path / "c.mp4", walkers(8, seed=2), fps=FPS)
    heard = Heard()
    outputs = Outputs(tmp_path / "out", ("csv",), (heard,))

    good, bad, also = run(
        recognizer, settings, outputs, *(tmp_path / f"{name}.mp4" for name in "abc")
    )

    assert bad.error is not None and "b.mp4" in bad.error
    for watched in (good, also):
        events = list(iter_events(tmp_path / "out" / watched.camera / "events.jsonl"))
        assert watched.error is None
        assert watched.num_events == len(events) > 0
        assert watched.seconds == pytest.approx(8)
        assert all(path.is_file() for path in watched.paths) and len(watched.paths) == 2
        told = {name for kind, name in heard.kinds if kind == "end"}
        assert {event.event_id for event in events} <= told


def test_a_camera_that_fails_strangely_ends_no_other(
    tmp_path: Path,
    recognizer: Recognizer,
    settings: WatchSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", walkers(6), fps=FPS)
    opened = session.open_footage

    def open_or_fail(chosen: CameraSettings, **others: object) -> Footage:
        if chosen.name == "a":
            raise RuntimeError("as no one foresaw")
        return opened(chosen, **others)

    monkeypatch.setattr(session, "open_footage", open_or_fail)
    reported = []
    outputs = Outputs(tmp_path / "out")
    watching = Session(
        recognizer,
        settings,
        outputs,
        lambda watched: reported.append((watched.camera, watched.error)),
    )

    bad, good = watching.run([camera(tmp_path / f"{name}.mp4") for name in "ab"])

    assert bad.error == "internal error (RuntimeError); the log tells more"
    assert reported[0] == ("a", bad.error)  # at once
    assert good.error is None and good.num_events > 0


class Unreached(Footage):
    """A live camera that is away, and whom the session is stopped while it is opened."""

    is_live = True
    fps = property(lambda self: self._wait())
    size = duration_seconds = starts_at = num_dropped = None  # nobody gets so far

    def __init__(self, chosen: CameraSettings, stop: Callable[[], None]) -> None:
        super().__init__(chosen, Source.parse(chosen.source))
        self.closed = threading.Event()
        stop()

    def _wait(self) -> float:
        assert self.closed.wait(20), "it was never closed"
        raise VideoError("closed before a frame")

    def __iter__(self) -> Iterator[Frame]:
        return iter(())

    def close(self) -> None:
        self.closed.set()


def test_a_camera_that_is_just_opened_is_stopped_too(
    tmp_path: Path,
    recognizer: Recognizer,
    settings: WatchSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watching = Session(recognizer, settings, Outputs(tmp_path), lambda _: None)
    monkeypatch.setattr(
        session, "open_footage", lambda chosen, **_: Unreached(chosen, watching.stop)
    )
    source = "rtsp://me:secret@127.0.0.1:1/gate"
    (watched,) = watching.run([CameraSettings(name="gate", source=source)])
    assert watched.error == "closed before a frame"
    assert watched.source == "rtsp://127.0.0.1:1/gate"


def test_what_is_finished_is_not_watched_again(
    tmp_path: Path, recognizer: Recognizer, settings: WatchSettings
) -> None:
    video = tmp_path / "a.mp4"
    write_video(video, walkers(6), fps=FPS)
    run(recognizer, settings, Outputs(tmp_path / "out"), video)
    before = (tmp_path / "out" / "a" / "events.jsonl").read_bytes()

    (refused,) = run(recognizer, settings, Outputs(tmp_path / "out"), video)
    heard = Heard()
    outputs = Outputs(tmp_path / "out", channels=(heard,), resume=True)
    (again,) = run(recognizer, settings, outputs, video)

    assert refused.error is not None and "--resume" in refused.error
    assert again.was_finished and heard.kinds == []
    assert (tmp_path / "out" / "a" / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("model", ["micro_checkpoint", "micro_single"])
def test_a_log_that_was_cut_short_is_completed_without_doubles(
    tmp_path: Path, request: pytest.FixtureRequest, settings: WatchSettings, model: str
) -> None:
    recognizer = Recognizer(request.getfixturevalue(model))
    video = tmp_path / "a.mp4"
    write_video(video, walkers(12), fps=FPS)
    run(recognizer, settings, Outputs(tmp_path / "whole"), video)
    whole = (tmp_path / "whole" / "a" / "events.jsonl").read_bytes().splitlines(keepends=True)
    assert len(whole) >= 2
    log = tmp_path / "out" / "a" / "events.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(whole[0] + whole[1][:20])  # as a kill leaves it
    shutil.copy(tmp_path / "whole" / "a" / "events.run.json", log.parent)
    heard = Heard()

    outputs = Outputs(tmp_path / "out", channels=(heard,), resume=True)
    (watched,) = run(recognizer, settings, outputs, video)

    assert log.read_bytes() == b"".join(whole)
    assert watched.num_events == len(whole)
    first = json.loads(whole[0])["event_id"]
    assert first not in {name for _, name in heard.kinds}
    assert sum(kind == "end" for kind, _ in heard.kinds) == len(whole) - 1


def test_a_log_of_other_settings_is_not_gone_on_with(
    tmp_path: Path, recognizer: Recognizer, settings: WatchSettings
) -> None:
    video = tmp_path / "a.mp4"
    write_video(video, walkers(6), fps=FPS)
    run(recognizer, settings, Outputs(tmp_path / "out"), video)
    before = (tmp_path / "out" / "a" / "events.jsonl").read_bytes()
    longer = settings.model_copy(update={"windows": WindowSettings(window_seconds=2.0)})

    (other,) = run(recognizer, longer, Outputs(tmp_path / "out", resume=True), video)
    write_video(video, walkers(8), fps=FPS)
    (changed,) = run(recognizer, settings, Outputs(tmp_path / "out", resume=True), video)

    assert other.error is not None and "another settings" in other.error
    assert changed.error is not None and "another footage" in changed.error
    assert (tmp_path / "out" / "a" / "events.jsonl").read_bytes() == before


def test_a_channel_that_fails_is_noted_and_the_log_has_the_events(
    tmp_path: Path, recognizer: Recognizer, settings: WatchSettings
) -> None:
    video = tmp_path / "a.mp4"
    write_video(video, walkers(6), fps=FPS)

    outputs = Outputs(tmp_path / "out", channels=(Broken(),))
    (watched,) = run(recognizer, settings, outputs, video)

    assert watched.error is None and watched.num_events > 0
    assert watched.notes == ["events.db: gone"]


def test_refuses_what_contradicts_itself(tmp_path: Path, micro_checkpoint: Checkpoint) -> None:
    from lilliput.watch.uncertain import UncertainClips

    with pytest.raises(ConfigError, match="--write wav: no such format; there are jsonl, csv"):
        Outputs(tmp_path, ("wav",))
    clips = UncertainClips(tmp_path / "crops", micro_checkpoint, EventSettings())
    with pytest.raises(ConfigError, match="--blur and --save-crops exclude each other"):
        Outputs(tmp_path, blur=True, uncertain=clips)


@pytest.fixture
def long_video(tmp_path: Path) -> Path:
    path = tmp_path / "long.mp4"
    write_video(path, walkers(25), fps=FPS, preset="superfast")
    return path


@pytest.fixture
def watching(
    tmp_path: Path, long_video: Path, micro_file: Path
) -> Iterator[tuple[list[str], dict[str, str]]]:
    toml = tmp_path / "watch.toml"
    toml.write_text(
        "[events]\nonset = {turn_left = 0.0, turn_right = 0.0}\nmin_on_seconds = 0.2\n"
        "[windows]\nwindow_seconds = 1.0\n"
    )
    command = [sys.executable, "-c", _LILLIPUT, "watch", str(micro_file), str(long_video)]
    command += ["--settings", str(toml), "--engine", "torch", "--json", "--write", "csv"]
    yield command, {**os.environ, "OMP_NUM_THREADS": "1"}


def test_killed_and_resumed_it_has_every_event_once(
    tmp_path: Path, watching: tuple[list[str], dict[str, str]]
) -> None:
    command, environment = watching
    killed = [*command, "--out", str(tmp_path / "killed")]
    with subprocess.Popen(
        killed,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
        pipesize=_SMALLEST_PIPE,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "end":
                process.send_signal(signal.SIGKILL)
                break
    log = tmp_path / "killed" / "long" / "events.jsonl"
    kept = log.read_bytes()
    assert kept.count(b"\n") >= 1
    assert not (tmp_path / "killed" / "long" / "events.csv").exists()

    resumed = subprocess.run([*killed, "--resume"], capture_output=True, env=environment)
    whole = [*command, "--out", str(tmp_path / "whole")]
    subprocess.run(whole, capture_output=True, check=True, env=environment)

    assert resumed.returncode == 0, resumed.stderr
    assert log.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    assert log.read_bytes() == (tmp_path / "whole" / "long" / "events.jsonl").read_bytes()
    told = [json.loads(line) for line in resumed.stdout.splitlines()]
    ids = [json.loads(line)["event_id"] for line in kept.splitlines()[: kept.count(b"\n")]]
    assert not {news["event"]["event_id"] for news in told} & set(ids)
    assert (tmp_path / "killed" / "long" / "events.csv").is_file()


def test_a_service_that_is_stopped_leaves_in_good_order(
    tmp_path: Path, watching: tuple[list[str], dict[str, str]]
) -> None:
    command, environment = watching
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        pipesize=_SMALLEST_PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "end":
                process.send_signal(signal.SIGTERM)
                break
        process.stdout.read()
        said = process.stderr.read()

    assert process.returncode == 130
    assert "Traceback" not in said and "--resume" in said
    assert (tmp_path / "out" / "long" / "events.csv").is_file()
    assert not (tmp_path / "out" / "long" / "events.finished.json").exists()
