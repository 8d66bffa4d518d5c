import gc
import http.server
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest

from lilliput.errors import VideoError
from lilliput.video.container import Timeouts
from lilliput.video.encode import write_video
from lilliput.video.source import Source
from lilliput.video.stream import Picture
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.footage import Footage, find_footage, open_footage
from lilliput.watch.live import Patience

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
QUICK = Patience(Timeouts(1.0, 0.5), first_wait_seconds=0.01, longest_wait_seconds=0.02)
WAIT = 10.0  # seconds until a test gives up


def _camera(source: Path | str, **settings: object) -> CameraSettings:
    return CameraSettings.model_validate({"name": "gate", "source": str(source), **settings})


def _video(path: Path, num_frames: int = 20, fps: int = 10) -> Path:
    write_video(path, np.zeros((num_frames, 32, 48, 3), np.uint8), fps=fps)
    return path


class _Script:
    """A camera that does as it is told, in place of ``FootageReader``.

    Its script is a list of connections; each is a ``VideoError`` (refused), or a list of pixel
    values and of events to wait for. After the last one it waits until the test is over.
    """

    def __init__(self, *connections: VideoError | list[int | threading.Event]) -> None:
        self.connections = iter(connections)
        self.played = threading.Event()  # everything was sent, and taken
        self.over = threading.Event()
        self.sizes: list[tuple[int, int] | None] = []

    def open(self, source: Source, **options: object) -> "_Connection":
        self.sizes.append(options["size"])
        return _Connection(self, next(self.connections, []))


class _Connection:
    fps = 10.0
    size = (4, 2)

    def __init__(self, script: _Script, content: VideoError | list[int | threading.Event]) -> None:
        self.damage = ["the stream ended"]
        self._script = script
        self._content = content
        if isinstance(content, VideoError):
            raise content

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Picture]:
        assert not isinstance(self._content, VideoError)
        index = 0
        for value in self._content:
            if isinstance(value, threading.Event):
                assert value.wait(WAIT)
                continue
            yield Picture(index, index / 10, np.full((2, 4, 3), value, np.uint8))
            index += 1
        if not self._content:  # nothing follows
            self._script.played.set()
            self._script.over.wait(WAIT)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    footages: list[Footage] = []
    scripts: list[_Script] = []

    def start(script: _Script, patience: Patience = QUICK, **options: object) -> Footage:
        monkeypatch.setattr("lilliput.watch.live.FootageReader", script.open)
        scripts.append(script)
        footages.append(open_footage(_camera("rtsp://host/a"), patience=patience, **options))
        return footages[-1]

    yield start
    for script in scripts:
        script.over.set()
    for footage in footages:
        footage.close()
        assert not footage._reader._thread.is_alive()


def test_frames_of_a_recording(tmp_path: Path) -> None:
    with open_footage(_camera(_video(tmp_path / "a.mp4"), max_fps=5)) as footage:
        assert (footage.camera, footage.source) == ("gate", str(tmp_path / "a.mp4"))
        assert (footage.fps, footage.size, footage.is_live) == (5, (48, 32), False)
        assert footage.duration_seconds == pytest.approx(2.0)
        frames = list(footage)
    assert [frame.index for frame in frames] == list(range(0, 20, 2))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(10) / 5)
    assert all(frame.pixels.shape == (32, 48, 3) for frame in frames)
    assert all(frame.taken_at is None for frame in frames)
    assert (footage.num_dropped, footage.notes) == (0, [])


@pytest.mark.parametrize(
    ("starts_at", "expected"),
    [
        # Clocks go from 02:00 to 03:00 in that night.
        ("2024-03-31T01:59:59", "2024-03-31T03:00:00+02:00"),
        ("2024-03-31T00:59:59Z", "2024-03-31T03:00:00+02:00"),
        ("2024-03-30T20:00:00-05:00", "2024-03-31T03:00:01+02:00"),
        ("2024-01-01T12:00:00", "2024-01-01T12:00:01+01:00"),
    ],
)
def test_the_wall_clock_of_a_recording(tmp_path: Path, starts_at: str, expected: str) -> None:
    camera = _camera(_video(tmp_path / "a.mp4"), starts_at=starts_at, time_zone="Europe/Amsterdam")
    with open_footage(camera) as footage:
        frames = list(footage)
    assert frames[10].taken_at is not None
    assert frames[10].taken_at.isoformat() == expected
    assert frames[10].taken_at.tzinfo == AMSTERDAM


def test_the_wall_clock_that_a_recording_tells(tmp_path: Path) -> None:
    path = str(_video(tmp_path / "a.mp4"))
    with av.open(path) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        target.metadata["creation_time"] = "2024-07-01T10:00:00Z"
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    with open_footage(_camera(tmp_path / "b.mp4", time_zone="Europe/Amsterdam")) as footage:
        taken_at = next(iter(footage)).taken_at
    assert taken_at is not None
    assert taken_at.isoformat() == "2024-07-01T12:00:00+02:00"
    camera = _camera(tmp_path / "b.mp4", starts_at="2020-01-01T00:00:00")
    with open_footage(camera) as footage:
        assert next(iter(footage)).taken_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_damage_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    _video(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3] + bytes(2000))
    with open_footage(_camera(path)) as footage:
        num_frames = len(list(footage))
    assert 0 < num_frames <= 20
    assert all("\n" not in note for note in footage.notes)


def test_unreadable_sources(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"none\.mp4: no such file"):
        open_footage(_camera(tmp_path / "none.mp4"))
    with pytest.raises(
        VideoError, match="camera 'gate': the rtsp:// address is malformed"
    ) as caught:
        open_footage(_camera("rtsp://me:secret@host:port/"))
    assert "secret" not in str(caught.value)
    with pytest.raises(VideoError, match="camera 'gate': 'gopher://' addresses cannot"):
        open_footage(_camera("gopher://host/"))


def test_find_footage(tmp_path: Path) -> None:
    for name in ("b/2.MP4", "b/1.avi", "a.mkv", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    folder = [str(tmp_path / name) for name in ("a.mkv", "b/1.avi", "b/2.MP4")]
    assert find_footage([str(tmp_path)]) == folder
    others = ["rtsp://host/a", "/dev/video0", "none.mp4"]
    assert find_footage([*others, folder[0], str(tmp_path)]) == [*others, *folder]
    with pytest.raises(VideoError, match="empty: a folder without videos"):
        find_footage([str(tmp_path / "empty")])


def test_the_oldest_waiting_frames_are_dropped_and_counted(play) -> None:
    read_three, read_none = threading.Event(), threading.Event()
    script = _Script([*range(4), read_three, *range(4, 30), read_none], [])
    footage = play(script)
    frames = iter(footage)
    first = [int(next(frames).pixels[0, 0, 0]) for _ in range(4)]
    read_three.set()
    read_none.set()
    assert script.played.wait(WAIT)  # nobody has read any of the 26
    rest = list(islice(frames, 4))
    assert first == [0, 1, 2, 3]
    assert [int(frame.pixels[0, 0, 0]) for frame in rest] == [26, 27, 28, 29]
    assert [frame.index for frame in rest] == [26, 27, 28, 29]
    assert footage.num_dropped == 22


def test_a_lost_source_is_connected_to_again(play) -> None:
    refused = VideoError("rtsp://host/a: cannot be opened (Connection refused)")
    told: queue.Queue[str] = queue.Queue()
    script = _Script(refused, refused, [1, 2], refused, refused, [3], [4], [])
    footage = play(script, tell=told.put)
    begun = datetime.now(UTC)
    frames = list(islice(footage, 4))
    assert (footage.fps, footage.size, footage.duration_seconds) == (10.0, (4, 2), None)
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    seconds = [frame.seconds for frame in frames]
    assert 0 <= seconds[0] < seconds[1] < seconds[2] < seconds[3]
    # Time goes on while the source is away: three waits lie between.
    assert seconds[2] - seconds[1] >= 0.04
    for frame in frames:
        assert frame.taken_at is not None
        assert begun - timedelta(seconds=1) < frame.taken_at < begun + timedelta(seconds=WAIT)
    assert script.played.wait(WAIT)
    notes = [note.partition(" after")[0] for note in footage.notes]
    lost = "lost: the stream ended; trying again until it is there"
    assert notes == [
        "not reached: cannot be opened (Connection refused); trying again until it is there",
        "reached",
        *(lost, "back") * 3,
    ]
    assert [told.get(timeout=WAIT) for _ in footage.notes] == footage.notes
    # Whatever a camera sends after a reconnection is brought to its first size.
    assert script.sizes == [None] * 3 + [(4, 2)] * 5


def test_the_pause_before_each_attempt_doubles() -> None:
    assert list(islice(Patience().waits(), 9)) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_closing_in_the_middle_of_a_pause(play) -> None:
    lost = threading.Event()
    patience = Patience(first_wait_seconds=1000, longest_wait_seconds=1000)
    script = _Script(VideoError("host: refused"))
    footage = play(script, patience, tell=lambda _: lost.set())
    assert lost.wait(WAIT)
    footage.close()
    assert not footage._reader._thread.is_alive()
    assert list(footage) == []
    with pytest.raises(VideoError, match="rtsp://host/a: closed before a frame"):
        _ = footage.fps


def test_closing_wakes_who_waits_for_a_frame(play) -> None:
    script = _Script([1], [])
    footage = play(script)
    frames = iter(footage)
    next(frames)
    rest: list[object] = []
    waiting = threading.Thread(target=lambda: rest.extend(frames))
    waiting.start()
    assert script.played.wait(WAIT)
    script.over.set()
    footage.close()
    waiting.join(WAIT)
    assert not waiting.is_alive()
    assert rest == []


def test_a_defect_is_not_swallowed(play, monkeypatch: pytest.MonkeyPatch) -> None:
    script = _Script([1])
    script.open = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        next(iter(play(script)))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://me:secret@127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()


def test_a_recording_on_the_network(tmp_path: Path, serve: str) -> None:
    _video(tmp_path / "a.mp4")
    with open_footage(_camera(f"{serve}/a.mp4")) as footage:
        assert (footage.is_live, footage.duration_seconds) == (False, pytest.approx(2.0))
        assert len(list(footage)) == 20
        assert footage.source == serve.replace("me:secret@", "") + "/a.mp4"
    with pytest.raises(VideoError, match=r"none\.mp4: cannot be opened \(.*404") as caught:
        open_footage(_camera(f"{serve}/none.mp4"))
    assert "secret" not in str(caught.value)


def test_a_playlist_on_the_network_cannot_name_files(tmp_path: Path, serve: str) -> None:
    _video(tmp_path / "a.ts")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{tmp_path}/a.ts\n"
    (tmp_path / "live.m3u8").write_text(playlist + "#EXT-X-ENDLIST\n")
    lost: queue.Queue[str] = queue.Queue()
    with open_footage(_camera(f"{serve}/live.m3u8"), patience=QUICK, tell=lost.put) as footage:
        assert lost.get(timeout=WAIT).startswith("not reached: ")
        assert footage._reader._format is None
