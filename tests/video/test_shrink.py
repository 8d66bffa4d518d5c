import math

import numpy as np
import pytest

from lilliput.video.shrink import Shrink, area_weights, gaussian_weights


def _picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_whole_ratios_are_means_of_blocks() -> None:
    picture = _picture(24, 32)
    blocks = picture.reshape(3, 12, 2, 16, 2).mean(axis=(2, 4)).transpose(1, 2, 0)
    small = Shrink((12, 16))(picture, _rng())
    np.testing.assert_allclose(small, blocks, atol=0.5)


@pytest.mark.parametrize(("height", "width", "side"), [(24, 32, (7, 5)), (13, 17, (12, 16))])
def test_other_ratios_weigh_fractions_of_pixels(
    height: int, width: int, side: tuple[int, int]
) -> None:
    picture = _picture(height, width)
    # Every pixel becomes side x side equal ones, so that ratios are whole.
    fine = picture.repeat(side[0], axis=1).repeat(side[1], axis=2)
    means = fine.reshape(3, side[0], height, side[1], width).mean(axis=(2, 4))
    small = Shrink(side)(picture, _rng())
    np.testing.assert_allclose(small, means.transpose(1, 2, 0), atol=0.501)


@pytest.mark.parametrize(("old", "new"), [(240, 12), (7, 3), (5, 5), (320, 17)])
def test_weights_sum_to_one(old: int, new: int) -> None:
    np.testing.assert_allclose(area_weights(old, new).sum(axis=1), 1)
    np.testing.assert_allclose(area_weights(old, new).sum(axis=0), new / old)


def test_blur_is_a_gaussian() -> None:
    weights = gaussian_weights(40, 1.3)
    density = [math.exp(-((i - 20) ** 2) / (2 * 1.3**2)) / (1.3 * math.tau**0.5) for i in range(40)]
    np.testing.assert_allclose(weights[20], density, atol=1e-9)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    flat = np.full((3, 20, 20), 99, np.uint8)
    assert (Shrink(10, blur=2)(flat, _rng()) == 99).all()


def test_noise_has_its_deviation_and_its_seed() -> None:
    flat = np.full((3, 200, 200), 128, np.uint8)
    shrink = Shrink((100, 100), noise=5.0)
    noisy = shrink(flat, _rng())
    assert np.std(noisy.astype(float)) == pytest.approx(5, rel=0.05)
    assert np.mean(noisy) == pytest.approx(128, abs=0.2)
    np.testing.assert_array_equal(noisy, shrink(flat, _rng()))


@pytest.mark.parametrize(
    ("side", "size"),
    [((12, 16), (12, 16)), (12, (12, 16)), (10, (10, 13)), (48, (24, 32)), ((48, 16), (24, 16))],
)
def test_sizes_never_grow(side: tuple[int, int] | int, size: tuple[int, int]) -> None:
    assert Shrink(side).size(24, 32) == size
