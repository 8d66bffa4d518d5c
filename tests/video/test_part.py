from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lilliput.errors import VideoError
from lilliput.video import decode
from lilliput.video.decode import VideoReader, decode_video, probe
from lilliput.video.part import Part


@pytest.fixture(scope="module")
def video(
    tmp_path_factory: pytest.TempPathFactory, write_lossless: Callable[..., Path]
) -> tuple[Path, np.ndarray]:
    """Fifty frames at 10 a second, 20 x 30 px."""
    frames = np.random.default_rng(0).integers(0, 256, (50, 20, 30, 3), dtype=np.uint8)
    path = write_lossless(tmp_path_factory.mktemp("part") / "a.mp4", frames)
    return path, frames.transpose(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [(0.0, 0.1, 0, 1), (0.95, 2.05, 10, 21), (1.0, 2.0, 10, 20), (4.5, 9.0, 45, 50)],
)
def test_seconds(
    video: tuple[Path, np.ndarray], start: float, end: float, first: int, last: int
) -> None:
    path, frames = video
    part = Part(start, end)
    np.testing.assert_array_equal(decode_video(path, part)[:].numpy(), frames[first:last])
    assert abs(probe(path, part).num_frames - (last - first)) <= 1
    with VideoReader(path, part) as reader:
        assert len(list(reader)) == last - first
        assert reader.damage is None


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((0.5, 0.25, 0.7, 0.75), (5, 15), (13, 23)),  # 6 x 10 px: a square of 10 about (18, 10)
        ((0.0, 0.25, 0.2, 0.75), (5, 15), (0, 10)),  # shifted into the picture
        ((0.0, 0.0, 1.0, 0.99), (0, 20), (5, 25)),  # as large as the shorter side at most
    ],
)
def test_the_square_about_a_box(
    video: tuple[Path, np.ndarray],
    box: tuple[float, float, float, float],
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> None:
    path, frames = video
    part = Part(0.0, 0.3, box)
    expected = frames[:3, :, slice(*rows), slice(*columns)]
    np.testing.assert_array_equal(decode_video(path, part)[:].numpy(), expected)
    assert (probe(path, part).height, probe(path, part).width) == expected.shape[2:]


def test_large_pictures_are_scaled_by_what_is_cut(
    video: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_SHORT_SIDE", 10)
    path, frames = video
    part = Part(0.0, 0.3, (0.5, 0.25, 0.7, 0.75))
    assert decode_video(path, part)[:].shape == (3, 3, 10, 10)
    assert decode_video(path, Part(0.0, 0.3))[:].shape == (3, 3, 10, 15)
    with VideoReader(path, full_size=True) as reader:
        np.testing.assert_array_equal(next(iter(reader)), frames[0])


def test_seconds_after_the_end(video: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(
        VideoError, match=r"a\.mp4: has no frame from 7 s to 8 s.*; check the times"
    ):
        decode_video(video[0], Part(7.0, 8.0))


@pytest.mark.parametrize(
    "part",
    [
        Part(1.0, 1.0),
        Part(-1.0, 1.0),
        Part(0.0, float("nan")),
        Part(0.0, float("inf")),
        Part(0.0, 1.0, (0.5, 0.0, 0.5, 1.0)),
        Part(0.0, 1.0, (0.0, 0.0, 1.0, 1.1)),
    ],
)
def test_parts_that_are_none(part: Part) -> None:
    assert not part.is_valid
