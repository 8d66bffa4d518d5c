"""Names that look like addresses, and files of several streams."""

import os
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from lilliput.errors import VideoError
from lilliput.video.container import find_picture
from lilliput.video.decode import decode_video
from lilliput.video.screening import screen_video
from lilliput.video.source import Source
from lilliput.video.stream import FootageReader

COVER, DEFAULT = Disposition.attached_pic, Disposition.default


def write(path: Path, *streams: tuple[int, int, Disposition | None]) -> Path:
    """Streams of so many frames, of one level of grey each."""
    with av.open(str(path), "w", format=path.suffix[1:].replace("mkv", "matroska")) as container:
        added = []
        for _, _, disposition in streams:
            stream = container.add_stream("mjpeg" if disposition == COVER else "mpeg4", 10)
            stream.width = stream.height = 16
            stream.pix_fmt = "yuvj420p" if disposition == COVER else "yuv420p"
            if disposition is not None:
                stream.disposition = disposition
            added.append(stream)
        for stream, (count, level, _) in zip(added, streams, strict=True):
            for _ in range(count):
                pixels = np.full((16, 16, 3), level, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
    return path


def levels(path: Path) -> tuple[int, int]:
    """How many frames it has, and their level."""
    with FootageReader(Source.parse(str(path)), max_fps=1000) as reader:
        footage = np.stack([picture.pixels for picture in reader])
    clip = decode_video(path)[:].numpy()
    assert (len(footage), round(footage.mean())) == (len(clip), round(clip.mean()))
    return len(clip), round(clip.mean() / 10) * 10


@pytest.mark.parametrize(
    "name",
    [
        "2024-08-20T13:28:35Z.mp4", "file:short.mp4", "http:x.mp4", "-x.mp4", "a b#?%20.mp4",
        "pipe:0.mp4", "concat:a|b.mp4", os.fsdecode(b"caf\xe9.mp4"),
    ],
)  # fmt: skip
def test_every_file_is_read_under_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plain = write(tmp_path / "a.mp4", (4, 200, None))
    write(tmp_path / "short.mp4", (9, 50, None))
    plain.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert levels(Path(name)) == (4, 200)
    assert screen_video(Path(name), 10, 10_000).num_frames == 4


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.mp4")
    write(tmp_path / "a.mp4", (4, 200, None)).rename(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        decode_video(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([(1, 50, DEFAULT), (9, 200, DEFAULT)], (9, 200)),  # a preview, then the film
        ([(9, 200, DEFAULT), (1, 50, DEFAULT)], (9, 200)),
        ([(12, 50, Disposition(0)), (9, 200, DEFAULT)], (9, 200)),
        ([(5, 200, DEFAULT), (5, 50, DEFAULT)], (5, 200)),
    ],
)
def test_the_stream_that_a_player_shows(
    tmp_path: Path, streams: list[tuple[int, int, Disposition]], expected: tuple[int, int]
) -> None:
    assert levels(write(tmp_path / "a.mkv", *streams)) == expected


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", (1, 50, COVER), (6, 200, DEFAULT))
    with av.open(str(path)) as container:
        film, cover = container.streams.video
        assert cover.disposition & COVER
        assert find_picture([cover, film]) is film
        assert find_picture([film, cover]) is film
    assert levels(path) == (6, 200)


def test_a_cover_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", (1, 50, COVER))
    with pytest.raises(VideoError, match="no video stream"):
        decode_video(path)
