import re
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.errors import VideoError
from lilliput.video import stream
from lilliput.video.clock import Clock
from lilliput.video.display import Display
from lilliput.video.source import Source
from lilliput.video.stream import FootageReader, Picture


def _noise(frames: int, height: int, width: int) -> np.ndarray:
    shape = (frames, height, width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _write(
    path: Path,
    frames: np.ndarray,
    *,
    codec: str = "libx264rgb",
    milliseconds: Iterable[int] | None = None,
    fps: int = 10,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Without loss, and without the code under test."""
    pixel_format = {"libx264rgb": "rgb24", "libx264": "yuv420p", "png": "rgb24"}[codec]
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        # B-frames would reorder the packets that some tests damage.
        options = {} if codec == "png" else {"crf": "0", "bf": "0", "g": "5"}
        video = container.add_stream(codec, fps, options=options)
        video.width, video.height = frames.shape[2], frames.shape[1]
        video.pix_fmt = pixel_format
        video.codec_context.time_base = Fraction(1, 1000)
        stamps = milliseconds or (i * 1000 // fps for i in range(len(frames)))
        for stamp, pixels in zip(stamps, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def _read(path: Path, max_fps: float = 1000) -> tuple[list[Picture], list[str]]:
    with FootageReader(Source.parse(str(path)), max_fps=max_fps) as reader:
        return list(reader), reader.damage


def test_pictures_come_at_their_full_size(tmp_path: Path) -> None:
    frames = _noise(6, 400, 700)
    path = _write(tmp_path / "a.mkv", frames)
    with FootageReader(Source.parse(str(path)), max_fps=1000) as reader:
        assert (reader.fps, reader.size) == (10, (700, 400))
        assert reader.duration_seconds == pytest.approx(0.6)
        pictures = list(reader)
    np.testing.assert_array_equal([picture.pixels for picture in pictures], frames)
    assert all(picture.pixels.flags.c_contiguous for picture in pictures)
    assert [picture.index for picture in pictures] == list(range(6))
    assert [picture.seconds for picture in pictures] == pytest.approx(np.arange(6) / 10)
    assert reader.damage == []


def test_seconds_are_those_of_the_time_stamps(tmp_path: Path) -> None:
    # A camera that slows down at night; the first stamp is not 0.
    stamps = [500, 533, 600, 700, 2700, 2800]
    pictures, _ = _read(_write(tmp_path / "a.mkv", _noise(6, 16, 16), milliseconds=stamps))
    expected = [(stamp - 500) / 1000 for stamp in stamps]
    assert [picture.seconds for picture in pictures] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([7.0, 7.1, 7.3], [0.0, 0.1, 0.3]),
        ([None, None, None], [0.0, 0.1, 0.2]),
        ([0.0, None, 0.2, 0.3], [0.0, 0.1, 0.2, 0.3]),
        ([0.0, 0.2, 0.2, 0.4], [0.0, 0.2, 0.3, 0.5]),  # one comes twice
        ([5.0, 5.1, 1.0, 1.1], [0.0, 0.1, 0.2, 0.3]),  # the counter starts anew
        ([0.0, 0.1, 26000.0, 26000.1], [0.0, 0.1, 0.2, 0.3]),  # it leaps
        ([0.0, 30.0, 60.0], [0.0, 30.0, 60.0]),  # recorded only when something moved
    ],
)
def test_seconds_always_grow(stamps: list[float | None], expected: list[float]) -> None:
    clock = Clock(fps=10)
    assert [clock(stamp) for stamp in stamps] == pytest.approx(expected)


def test_frames_beyond_max_fps_are_not_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = _noise(25, 16, 16)
    path = _write(tmp_path / "a.mkv", frames, fps=25)
    converted = []
    original = Display.to_picture
    monkeypatch.setattr(Display, "to_picture", lambda *a: converted.append(1) or original(*a))
    with FootageReader(Source.parse(str(path)), max_fps=10) as reader:
        assert reader.fps == 10
        pictures = list(reader)
    # Every second or third one, so that they are 100 ms apart in the mean.
    assert [picture.index for picture in pictures] == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]
    assert len(converted) == 10
    for picture in pictures:
        np.testing.assert_array_equal(picture.pixels, frames[picture.index])


@given(fps=st.floats(1, 60), max_fps=st.floats(1, 60), seed=st.integers(0, 99))
def test_no_more_than_max_fps_and_hardly_fewer(fps: float, max_fps: float, seed: int) -> None:
    for jitter in (0.0, 0.45):
        early = np.random.default_rng(seed).uniform(-jitter, jitter, 100)
        early[0] = 0.0
        pace = stream._Pace(fps, max_fps)
        times = (np.arange(100) + early) / fps
        num_taken = sum(pace.takes(float(second)) for second in times)
        due = min(100.0, times[-1] * max_fps)
        assert num_taken <= due + 2
        assert num_taken >= due - 2 or jitter
        assert num_taken == 100 or max_fps < 20 * fps


def test_no_frame_is_lost_to_jitter_when_all_may_come() -> None:
    pace = stream._Pace(10, 10)
    rng = np.random.default_rng(0)
    assert all(pace.takes(i / 10 + rng.uniform(-0.02, 0.02)) for i in range(1000))


def test_after_a_gap_frames_do_not_come_in_a_burst() -> None:
    pace = stream._Pace(25, 5)
    times = [*np.arange(0, 2, 0.04), *np.arange(100, 102, 0.04)]
    after = [second for second in times if pace.takes(second) and second >= 100]
    assert np.diff(after).min() >= 0.16 - 1e-6
    assert np.mean(np.diff(after)) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("clockwise", [90, 180, 270])
def test_sideways_videos_are_turned_upright(tmp_path: Path, clockwise: int) -> None:
    frames = _noise(3, 24, 16)
    path = _write(tmp_path / "a.mp4", frames)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of fields
    a, b, c, d = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[clockwise]
    one = 1 << 16
    struct.pack_into(">9i", data, start, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    upright = np.rot90(frames, -clockwise // 90, axes=(1, 2))
    with FootageReader(Source.parse(str(path)), max_fps=100) as reader:
        assert reader.size == (upright.shape[2], upright.shape[1])
        np.testing.assert_array_equal([picture.pixels for picture in reader], upright)


def test_a_stream_that_changes_its_size_keeps_the_first(tmp_path: Path) -> None:
    small = _write(tmp_path / "a.ts", _noise(6, 32, 48), codec="libx264")
    large = _write(tmp_path / "b.ts", _noise(6, 64, 96), codec="libx264")
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    pictures, _ = _read(both)
    assert len(pictures) == 12
    assert {picture.pixels.shape for picture in pictures} == {(32, 48, 3)}
    seconds = [picture.seconds for picture in pictures]  # the stamps begin anew with b.ts
    assert seconds == pytest.approx(np.arange(12) / 10)


def test_data_that_cannot_be_decoded_is_passed_over(tmp_path: Path) -> None:
    frames = _noise(9, 32, 32)
    path = _write(tmp_path / "a.avi", frames, codec="png")
    data = bytearray(path.read_bytes())
    fourth = [i for i in range(len(data)) if data.startswith(b"IHDR", i)][3]
    data[fourth + 4 : fourth + 8] = bytes(4)  # 0 px wide
    path.write_bytes(data)
    pictures, damage = _read(path)
    kept = [0, 1, 2, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal([picture.pixels for picture in pictures], frames[kept])
    assert [picture.seconds for picture in pictures] == pytest.approx(np.array(kept) / 10)
    assert len(damage) == 1
    assert re.fullmatch(r"1 packet is damaged \(.+\); 8 frames could be read", damage[0])


def test_a_file_that_was_cut_off_is_read_to_its_end(tmp_path: Path) -> None:
    frames = _noise(20, 32, 32)
    path = _write(tmp_path / "a.avi", frames, codec="png")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    pictures, damage = _read(path)
    assert 5 < len(pictures) < 20
    np.testing.assert_array_equal([picture.pixels for picture in pictures], frames[: len(pictures)])
    assert damage


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.mp4", b"", "the file is empty"),
        ("a.mp4", bytes(5000), "not a readable video"),
        ("a.txt", b"hello, this is no video\n" * 50, "has no video stream"),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n", "not a readable video"),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=expected) as caught:
        _read(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_no_decodable_frame(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.avi", _noise(3, 32, 32), codec="png")
    path.write_bytes(path.read_bytes().replace(b"IHDR\0\0\0\x20", b"IHDR\0\0\0\0"))
    with pytest.raises(VideoError, match=r"no decodable frame \(3 packets are damaged"):
        _read(path)


def test_missing_file_and_device() -> None:
    with pytest.raises(VideoError, match="no such file"):
        _read(Path("none.mp4"))
    with pytest.raises(VideoError, match=r"/dev/video99: cannot be opened \("):
        _read(Path("/dev/video99"))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2024-03-01T12:30:00Z", datetime(2024, 3, 1, 12, 30, tzinfo=UTC)),
        ("1970-01-01T00:00:01Z", None),  # its clock was never set
        (None, None),
    ],
)
def test_recorded_at(tmp_path: Path, told: str | None, expected: datetime | None) -> None:
    metadata = {} if told is None else {"creation_time": told}
    path = _write(tmp_path / "a.mp4", _noise(2, 16, 16), metadata=metadata)
    with FootageReader(Source.parse(str(path)), max_fps=10) as reader:
        assert reader.recorded_at == expected


@pytest.mark.parametrize(
    ("text", "kind", "is_live"),
    [
        ("a.mp4", "file", False),
        ("/dev/video0", "device", True),
        ("rtsp://192.0.2.7/stream", "address", True),
        ("RTSPS://camera:322/a.mp4", "address", True),
        ("http://192.0.2.7/mjpeg?size=2", "address", True),
        ("https://example.org/films/a.MP4?x=1", "address", False),
    ],
)
def test_kinds_of_sources(text: str, kind: str, is_live: bool) -> None:
    source = Source.parse(text)
    assert (source.text, source.kind, source.is_live) == (text, kind, is_live)


@pytest.mark.parametrize(
    "text",
    ["ftp://host/a", "rtsp://", "rtsp:///x", "rtsp://u:secret@host:port/", "file:///etc/passwd",
     "http://u:secret@[::1/x", "rtsp://u:secret@host:99999/", "rtsp://u:secret@host/a b",
     "rtsp://host:0/", "concat:///a"],
)  # fmt: skip
def test_addresses_that_cannot_be_one(text: str) -> None:
    with pytest.raises(VideoError) as caught:
        Source.parse(text)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://host:554/a?channel=1", "rtsp://host:554/a?channel=1"),
        ("rtsp://admin:secret@host:554/a", "rtsp://host:554/a"),
        ("rtsp://admin:sec@secret@host/a", "rtsp://host/a"),
        ("rtsp://admin:12/secret@host/a", "rtsp://host/a"),
        ("rtsp://admin:12?secret@host/a", "rtsp://host/a"),
        (
            "http://host/live?user=me&password=secret&x=1",
            "http://host/live?user=me&password=***&x=1",
        ),
        ("rtsp://host/user=me_password=secret_channel=1", "rtsp://host/user=me_password=***"),
        ("http://host/live?access_token=secret", "http://host/live?access_token=***"),
        ("http://host/live?TOKEN=secret#x", "http://host/live?TOKEN=***#x"),
        ("https://host/@me/live", "https://host/@me/live"),
        ("tower@noon.mp4", "tower@noon.mp4"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    source = Source.parse(text)
    assert source.shown == shown
    assert "secret" not in repr(source)
