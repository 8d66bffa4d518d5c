"""Orientation and shape of pixels; every pixel goes where the matrix of ISO 14496-12 says."""

import gc
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.video.decode import decode_video
from lilliput.video.display import square_size
from lilliput.video.source import Source
from lilliput.video.stream import FootageReader

MATRICES = [  # a, b, c, d: (x, y) goes to (ax + cy, bx + dy)
    (1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0),
    (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0),
]  # fmt: skip


def write(path: Path, frames: np.ndarray, aspect: Fraction | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", 10, options={"crf": "0"})
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt = "rgb24"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def noise(count: int, height: int, width: int) -> np.ndarray:
    shape = (count, height, width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def read_both(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(T, H, W, 3) by each of the two readers."""
    with FootageReader(Source.parse(str(path)), max_fps=1000) as reader:
        footage = np.stack([picture.pixels for picture in reader])
        assert footage.shape[1:3] == reader.size[::-1]
    return decode_video(path)[:].permute(0, 2, 3, 1).numpy(), footage


def by_matrix(frames: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Every pixel goes where the matrix sends it."""
    a, b, c, d = matrix
    places = {
        (a * x + c * y, b * x + d * y): frames[:, y, x]
        for y in range(frames.shape[1])
        for x in range(frames.shape[2])
    }
    left, top = min(x for x, _ in places), min(y for _, y in places)
    right, bottom = max(x for x, _ in places), max(y for _, y in places)
    rows = [[places[x, y] for x in range(left, right + 1)] for y in range(top, bottom + 1)]
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


@pytest.mark.parametrize("matrix", MATRICES)
def test_pictures_are_turned_and_mirrored(
    tmp_path: Path, matrix: tuple[int, int, int, int]
) -> None:
    frames = noise(3, 24, 16)
    path = write(tmp_path / "a.mp4", frames)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of fields
    a, b, c, d = (side << 16 for side in matrix)
    struct.pack_into(">9i", data, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    expected = by_matrix(frames, matrix)
    for pixels in read_both(path):
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(2), (20, 60)),
        (Fraction(1, 2), (40, 30)),
        (Fraction(16, 15), (20, 32)),
        (Fraction(100), (20, 30)),  # nobody's pixels are like that
    ],
)
def test_pixels_are_made_square(tmp_path: Path, aspect: Fraction, shape: tuple[int, int]) -> None:
    stripes = np.zeros((2, 20, 30, 3), np.uint8)
    stripes[:, :10, :15] = 200  # the upper left quarter, however it is stretched
    for pixels in read_both(write(tmp_path / "a.mkv", stripes, aspect)):
        assert pixels.shape[1:3] == shape
        height, width = shape
        inner = pixels[:, : height // 2 - 2, : width // 2 - 2]
        assert inner.min() >= 198
        assert pixels[:, height // 2 + 2 :].max() <= 2
        assert pixels[:, :, width // 2 + 2 :].max() <= 2


def test_square_sizes_lose_no_pixels() -> None:
    assert square_size(720, 576, 16 / 15) == (768, 576)
    assert square_size(720, 480, 8 / 9) == (720, 540)


def test_frames_are_let_go_of_without_a_search_for_cycles(tmp_path: Path) -> None:
    """A frame in a cycle keeps its picture until Python happens to look for cycles."""
    path = write(tmp_path / "a.mp4", noise(40, 24, 16))
    gc.collect()
    gc.disable()
    try:
        decode_video(path)[:]
        assert gc.collect() < 40
    finally:
        gc.enable()
