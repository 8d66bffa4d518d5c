from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.errors import VideoError
from lilliput.video.decode import VideoReader
from lilliput.video.screening import NotVideoError, TooLongError, screen_video
from tests.server.conftest import write_black, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """2 seconds of 64x48 px at 10 fps."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_black(path, 64, 48, 20, 10)
    return path.read_bytes()


def test_counts_rather_than_believes(tmp_path: Path, clip: bytes):
    (tmp_path / "x").write_bytes(clip)
    seen = screen_video(tmp_path / "x", 2.0, 64 * 48)
    assert (seen.width, seen.height, seen.num_frames, seen.fps) == (64, 48, 20, 10.0)
    assert seen.duration_seconds == pytest.approx(2.0)


def test_limits_are_exact(tmp_path: Path, clip: bytes):
    (tmp_path / "x").write_bytes(clip)
    with pytest.raises(TooLongError, match=r"1\.8 seconds"):
        screen_video(tmp_path / "x", 1.8, 64 * 48)
    with pytest.raises(TooLongError, match="64x48"):
        screen_video(tmp_path / "x", 2.0, 64 * 48 - 1)


def test_a_header_that_lies(tmp_path: Path, clip: bytes):
    """The duration in the header says next to nothing; the frames tell."""
    at = clip.index(b"mvhd") + 4 + 12 + 4
    lying = clip[:at] + (1).to_bytes(4, "big") + clip[at + 4 :]
    (tmp_path / "x").write_bytes(lying)
    with pytest.raises(TooLongError):
        screen_video(tmp_path / "x", 1.0, 64 * 48)


def test_frames_without_end_in_no_time(tmp_path: Path):
    """A thousand frames a second are more than anyone means."""
    write_video(tmp_path / "fast.mkv", np.zeros((600, 16, 16, 3), np.uint8), 1000)
    with pytest.raises(TooLongError):
        screen_video(tmp_path / "fast.mkv", 1.0, 256)


@pytest.mark.parametrize("content", [b"", b"text"])
def test_nothing_to_see(tmp_path: Path, content: bytes):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(NotVideoError if content else VideoError):
        screen_video(tmp_path / "x", 1.0, 256)


def test_a_stream_that_grows_beyond_8k_is_decoded_up_to_there(tmp_path: Path):
    write_black(tmp_path / "small.h264", 64, 48, 100, 10)
    write_black(tmp_path / "large.h264", 8000, 6000, 1, 10)
    grown = tmp_path / "grown.h264"
    grown.write_bytes(
        (tmp_path / "small.h264").read_bytes() + (tmp_path / "large.h264").read_bytes()
    )
    with av.open(str(grown)) as container:  # without a limit it does grow
        assert {frame.width for frame in container.decode(video=0)} == {64, 8000}
    with VideoReader(grown) as reader:
        assert {frame.size for frame in reader.iter_lazy()} == {(64, 48)}
        assert reader.damage


def test_pictures_beyond_8k_are_refused_at_once(tmp_path: Path):
    write_black(tmp_path / "large.mp4", 8000, 6000, 1, 10)
    with pytest.raises(VideoError, match="8000x6000"):
        VideoReader(tmp_path / "large.mp4")
