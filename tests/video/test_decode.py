import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.errors import VideoError
from lilliput.video import decode
from lilliput.video.decode import MAX_PIXELS, MAX_SHORT_SIDE, VideoReader, decode_video, probe
from lilliput.video.encode import write_video


def _noise(frames: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    shape = (frames, height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _write_lossless(path: Path, frames: np.ndarray, codec: str = "libx264rgb") -> Path:
    """Keeps RGB to the bit, written without the code under test."""
    pixel_format = {"libx264rgb": "rgb24", "ffv1": "bgr0", "rawvideo": "bgr24"}[codec]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 10, options={"crf": "0"} if "264" in codec else {})
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt = pixel_format
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264rgb"), ("a.mkv", "ffv1"), ("a.avi", "rawvideo"), ("a.mkv", "libx264rgb")],
)
@pytest.mark.parametrize("size", [(10, 10), (16, 24), (33, 17), (128, 128)])
def test_lossless_frames_come_back_exactly(
    tmp_path: Path, name: str, codec: str, size: tuple[int, int]
) -> None:
    frames = _noise(5, *size)
    clip = decode_video(_write_lossless(tmp_path / name, frames, codec))
    np.testing.assert_array_equal(clip[:].numpy(), frames.transpose(0, 3, 1, 2))
    assert clip[:].is_contiguous()
    assert clip.fps == 10
    assert clip.damage is None


@pytest.mark.parametrize("num_frames", [1, 2, 300])
def test_every_frame_is_read(tmp_path: Path, num_frames: int) -> None:
    # Frame i has the grey value i mod 256, so an order or a loss would show.
    grey = (np.arange(num_frames) % 256).astype(np.uint8)
    frames = np.broadcast_to(grey[:, None, None, None], (num_frames, 16, 16, 3)).copy()
    clip = decode_video(_write_lossless(tmp_path / "a.mp4", frames))
    np.testing.assert_array_equal(clip[:][:, 0, 3, 5].numpy(), grey)


def test_write_video_is_close_to_its_frames(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 32, dtype=np.uint8)
    frames = np.broadcast_to(ramp[None, None, :, None], (6, 16, 32, 3)).copy()
    write_video(tmp_path / "a.mp4", frames, fps=25)
    clip = decode_video(tmp_path / "a.mp4")
    assert clip.fps == 25
    difference = clip[:].numpy().astype(int) - frames.transpose(0, 3, 1, 2)
    assert abs(difference).mean() < 3


def test_large_pictures_are_scaled_to_the_short_side(tmp_path: Path) -> None:
    # Left half black, right half white: scaling must keep the aspect and the halves.
    frame = np.zeros((1, 2160, 3840, 3), np.uint8)
    frame[:, :, 1920:] = 255
    write_video(tmp_path / "4k.mp4", frame, fps=10)
    frames = decode_video(tmp_path / "4k.mp4")[:]
    assert tuple(frames.shape) == (1, 3, MAX_SHORT_SIDE, round(MAX_SHORT_SIDE * 16 / 9))
    assert frames[..., : frames.shape[-1] // 2 - 4].float().mean() < 8
    assert frames[..., frames.shape[-1] // 2 + 4 :].float().mean() > 247
    assert (probe(tmp_path / "4k.mp4").width, probe(tmp_path / "4k.mp4").height) == (3840, 2160)


def _turn(path: Path, clockwise: int) -> None:
    """Writes a display matrix into the track header of an MP4, as phones do (ISO 14496-12)."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of fields
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[
        clockwise
    ]
    one, last = 1 << 16, 1 << 30
    assert struct.unpack_from(">9i", data, start) == (one, 0, 0, 0, one, 0, 0, 0, last)
    struct.pack_into(">9i", data, start, a * one, b * one, 0, c * one, d * one, 0, 0, 0, last)
    path.write_bytes(data)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_sideways_videos_are_turned_upright(tmp_path: Path, clockwise: int) -> None:
    frames = _noise(3, 24, 16)
    path = _write_lossless(tmp_path / "a.mp4", frames)
    _turn(path, clockwise)
    # A display matrix (0 1; -1 0) sends right to down: a quarter turn clockwise.
    upright = np.rot90(frames, -clockwise // 90, axes=(1, 2))
    np.testing.assert_array_equal(decode_video(path)[:].numpy(), upright.transpose(0, 3, 1, 2))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"none\.mp4: no such file"):
        decode_video(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp4", b"hello, this is no video\n" * 50),
        ("a.txt", b"hello, this is no video\n" * 50),  # FFmpeg would draw a terminal
        ("a.nfo", b"hello, this is no video\n" * 50),
        ("a.mp4", bytes(5000)),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"not a readable video|has no video stream") as caught:
        decode_video(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(VideoError, match=r"the file is empty \(0 bytes\)"):
        decode_video(tmp_path / "a.mp4")


def test_sound_only(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", 8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base, frame.pts = 8000, Fraction(1, 8000), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="has no video stream"):
        decode_video(tmp_path / "sound.mp4")


def test_unknown_codec(tmp_path: Path) -> None:
    path = _write_lossless(tmp_path / "a.mp4", _noise(2, 16, 16))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"xyz9"))
    with pytest.raises(VideoError, match="its codec is not known"):
        decode_video(path)


def test_mp4_cut_off_before_its_index(tmp_path: Path) -> None:
    path = _write_lossless(tmp_path / "a.mp4", _noise(20, 32, 32))
    path.write_bytes(path.read_bytes()[:-2000])  # the index lies at the end
    with pytest.raises(VideoError):
        decode_video(path)


def test_damaged_tail_keeps_the_good_frames(tmp_path: Path) -> None:
    frames = _noise(20, 32, 32)
    path = _write_lossless(tmp_path / "a.avi", frames, "rawvideo")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = decode_video(path)
    assert 0 < len(clip) < 20
    expected = frames[: len(clip)].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(clip[:].numpy(), expected)
    assert clip.damage is not None
    assert clip.damage.startswith("unreadable after frame 9 (")


def test_fewer_frames_than_declared_are_no_damage(tmp_path: Path) -> None:
    """Edit lists hide frames, and recorders write empty ones: a header's count proves nothing."""
    frames = _noise(20, 32, 32)
    path = _write_lossless(tmp_path / "a.avi", frames, "rawvideo")
    data = path.read_bytes()
    chunk = data.index(
        b"00dc", data.index(b"movi")
    )  # the first frame; the file now ends after the seventh
    size = 8 + struct.unpack_from("<I", data, chunk + 4)[0]
    path.write_bytes(data[: chunk + 7 * size])
    clip = decode_video(path)
    assert (len(clip), clip.damage) == (7, None)


def test_reader_stops_early_without_complaint(tmp_path: Path) -> None:
    path = _write_lossless(tmp_path / "a.mp4", _noise(9, 16, 16))
    with VideoReader(path) as reader:
        for _ in reader:
            break
        assert reader.damage is None


def test_footage_is_refused_as_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lilliput.video.decode.MAX_CLIP_BYTES", 5 * 3 * 16 * 16)
    path = _write_lossless(tmp_path / "a.mp4", _noise(6, 16, 16))
    with pytest.raises(VideoError, match=r"too long for a clip \(6\+ frames\)"):
        decode_video(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])  # Matroska does not declare its frames
def test_probe_tells_size_and_length(tmp_path: Path, name: str) -> None:
    path = _write_lossless(tmp_path / name, _noise(7, 18, 26))
    info = probe(path)
    assert (info.width, info.height, info.num_frames, info.fps) == (26, 18, 7, 10.0)


def test_probe_of_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(VideoError):
        probe(tmp_path / "a.mp4")


@given(
    num_frames=st.integers(1, 12),
    size=st.tuples(st.integers(10, 40), st.integers(10, 40)),
    seed=st.integers(0, 99),
    codec=st.sampled_from(["libx264rgb", "rawvideo", "ffv1"]),
)
@settings(max_examples=25, deadline=None)
def test_picked_frames_are_those_of_the_whole_clip(
    tmp_path_factory: pytest.TempPathFactory,
    num_frames: int,
    size: tuple[int, int],
    seed: int,
    codec: str,
) -> None:
    suffix = {"libx264rgb": "mp4", "rawvideo": "avi", "ffv1": "mkv"}[codec]
    path = tmp_path_factory.mktemp("clip") / f"a.{suffix}"
    frames = _noise(num_frames, *size, seed)
    clip = decode_video(_write_lossless(path, frames, codec))
    picks = np.random.default_rng(seed).integers(0, num_frames, 7)  # any order, with repeats
    np.testing.assert_array_equal(clip[picks].numpy(), frames[picks].transpose(0, 3, 1, 2))


def test_only_picked_frames_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converted = []
    original = decode._to_array
    monkeypatch.setattr(decode, "_to_array", lambda *a: converted.append(1) or original(*a))
    clip = decode_video(_write_lossless(tmp_path / "a.mp4", _noise(9, 16, 16)))
    assert converted == []
    clip[np.array([4, 1, 4])]
    assert len(converted) == 2  # a frame that is picked twice is converted once
    with VideoReader(tmp_path / "a.mp4") as reader:
        frames = list(reader.iter_lazy())
    assert len(converted) == 2
    np.testing.assert_array_equal(frames[3].to_rgb(), clip[:][3].numpy())


def test_large_pictures_are_not_kept_at_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_SHORT_SIDE", 8)
    path = _write_lossless(tmp_path / "a.mp4", _noise(3, 16, 24))
    with VideoReader(path) as reader:
        assert all(frame.is_scaled for frame in reader.iter_lazy())
    clip = decode_video(path)
    assert not any(frame.is_scaled for frame in clip._frames)  # converted already
    assert clip[:].shape == (3, 3, 8, 12)


def test_frames_can_be_read_at_their_full_size(tmp_path: Path, write_lossless) -> None:
    path = write_lossless(tmp_path / "large.mp4", np.zeros((2, 400, 500, 3), np.uint8))
    with VideoReader(path) as reader:
        assert next(iter(reader)).shape == (3, 320, 400)
    with VideoReader(path, full_size=True) as reader:
        assert next(iter(reader)).shape == (3, 400, 500)


def test_very_wide_pictures_are_scaled_down(tmp_path: Path) -> None:
    """A few kilobytes may hold pictures of 16384 x 320 px, which nobody's window needs whole."""
    path = _write_lossless(tmp_path / "a.mp4", _noise(2, 320, 4096))
    height, width = decode_video(path)[:].shape[2:]
    assert height * width <= MAX_PIXELS + width
    assert width / height == pytest.approx(4096 / 320, rel=0.01)
    path = _write_lossless(tmp_path / "b.mp4", _noise(2, 100, 1000))
    assert decode_video(path)[:].shape[2:] == (100, 1000)
