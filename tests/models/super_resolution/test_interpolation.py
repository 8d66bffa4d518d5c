"""Interpolation against Pillow's, and against a loop over pixels at the edges."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from lilliput.models.super_resolution.interpolation import Interpolation, Kernel

PILLOW = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
REACH = {"bicubic": 2, "lanczos": 3}


def _picture(height: int = 10, width: int = 12) -> np.ndarray:
    return np.random.default_rng(0).random((height, width), dtype=np.float32)


def _enlarge(picture: np.ndarray, scale: int, kernel: Kernel) -> np.ndarray:
    clips = torch.from_numpy(picture).expand(1, 3, 2, *picture.shape)
    return Interpolation(scale, kernel)(clips)[0, 1, 1].numpy()


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", ["bicubic", "lanczos"])
def test_inside_it_is_what_pillow_gives(scale: int, kernel: Kernel) -> None:
    picture = _picture()
    size = (scale * picture.shape[1], scale * picture.shape[0])
    expected = np.asarray(Image.fromarray(picture).resize(size, PILLOW[kernel]))
    edge = scale * REACH[kernel]  # where Pillow leaves out what lies outside
    inside = (slice(edge, -edge),) * 2
    np.testing.assert_allclose(
        _enlarge(picture, scale, kernel)[inside], expected[inside], atol=1e-6
    )


def test_outside_lies_what_is_at_the_edge() -> None:
    def lanczos(x: float) -> float:
        return float(np.sinc(x) * np.sinc(x / 3)) if abs(x) < 3 else 0.0

    row = _picture(1, 6)[0]
    expected = []
    for new in range(12):
        place = (new + 0.5) / 2 - 0.5
        taps = range(math.floor(place) - 3, math.floor(place) + 5)
        weights = [lanczos(tap - place) for tap in taps]
        values = [row[min(max(tap, 0), 5)] for tap in taps]
        expected.append(np.dot(weights, values) / sum(weights))
    found = _enlarge(np.tile(row, (8, 1)), 2, "lanczos")[7]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_commutes_with_normalisation() -> None:
    clips = torch.rand(1, 3, 2, 5, 6)
    enlarge = Interpolation(2)
    torch.testing.assert_close(enlarge(clips * 3 - 1), enlarge(clips) * 3 - 1)
