"""Descriptors against hand-made pictures and loops."""

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the extra lilliput[idt] is not installed")

from lilliput.models.idt.descriptors import (
    _pool,
    describe_shape,
    describe_surroundings,
    descriptor_sizes,
    direction_maps,
)
from lilliput.models.idt.trajectories import Trajectories


def still_trajectories(length: int = 6, place: tuple[int, int] = (16, 16)) -> Trajectories:
    return Trajectories(np.array([0]), np.full((1, length + 1, 2), place, np.float32))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (2.0, 0.0, {0: 2.0}),
        (0.0, 1.0, {2: 1.0}),
        (-3.0, 0.0, {4: 3.0}),
        (0.0, -1.0, {6: 1.0}),
        (np.cos(np.pi / 8), np.sin(np.pi / 8), {0: 0.5, 1: 0.5}),  # between two
        (np.cos(-np.pi / 8), np.sin(-np.pi / 8), {7: 0.5, 0: 0.5}),
    ],
)
def test_directions(x: float, y: float, expected: dict[int, float]) -> None:
    maps = direction_maps(np.array([x]), np.array([y]))[0]
    np.testing.assert_allclose(maps, [expected.get(bin_, 0) for bin_ in range(8)], atol=1e-6)


def test_slow_pixels_count_as_still() -> None:
    maps = direction_maps(np.array([0.1, 1.0]), np.zeros(2), still=0.4)
    np.testing.assert_allclose(maps, [[0] * 8 + [1], [1] + [0] * 8])


def test_an_edge_has_its_direction_in_hog() -> None:
    frames = np.zeros((7, 32, 32), np.uint8)
    frames[:, :, 16:] = 200  # brighter to the right: direction 0
    flow = np.zeros((6, 32, 32, 2), np.float32)
    hog = describe_surroundings(frames, flow, still_trajectories(), patch=8)["hog"]
    by_direction = hog.reshape(3, 2, 2, 8).sum(axis=(0, 1, 2))
    assert by_direction.argmax() == 0
    assert by_direction[1:].max() == 0
    turned = describe_surroundings(frames.transpose(0, 2, 1), flow, still_trajectories(), patch=8)[
        "hog"
    ].reshape(3, 2, 2, 8)
    assert turned.sum(axis=(0, 1, 2)).argmax() == 2


def test_translation_has_no_motion_boundary_but_hof() -> None:
    frames = np.zeros((7, 32, 32), np.uint8)
    flow = np.broadcast_to(np.array([1.5, 0], np.float32), (6, 32, 32, 2))
    described = describe_surroundings(frames, flow, still_trajectories(), patch=8)
    assert not described["mbh_x"].any()
    assert not described["mbh_y"].any()
    assert described["hof"].reshape(12, 9)[:, 0].min() > 0.28  # root of 1 / 12, nearly
    assert not described["hof"].reshape(12, 9)[:, 1:].any()
    moving = flow.copy()
    moving[:, :, 16:] = 0  # a boundary in x: horizontal flow falls to the right
    described = describe_surroundings(frames, moving, still_trajectories(), patch=8)
    assert described["mbh_x"].reshape(12, 8).sum(axis=0).argmax() == 4
    assert not described["mbh_y"].any()


def test_pooling_against_loops() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((9, 20, 24, 5)).astype(np.float32)
    paths = rng.uniform([0, 0], [23, 19], (4, 8, 2)).astype(np.float32)
    starts = np.array([0, 1, 2, 0])
    pooled = _pool(maps, Trajectories(starts, paths), patch=6)
    expected = np.zeros_like(pooled)
    for m in range(4):
        for period, steps in enumerate(((0, 1), (2, 3), (4, 5, 6))):
            for i in (0, 1):
                for j in (0, 1):
                    values = []
                    for step in steps:
                        x, y = np.rint(paths[m, step]).astype(int)
                        top, left = min(max(y - 3, 0), 14), min(max(x - 3, 0), 18)
                        cell = maps[
                            starts[m] + step,
                            top + 3 * i : top + 3 * i + 3,
                            left + 3 * j : left + 3 * j + 3,
                        ]
                        values.append(cell.mean(axis=(0, 1)))
                    expected[m, period, i, j] = np.mean(values, axis=0)
    np.testing.assert_allclose(pooled, expected, rtol=1e-3, atol=1e-5)


def test_shape_is_steps_over_the_way() -> None:
    steps = np.array([[[3.0, 4.0], [0.0, 5.0]]])
    np.testing.assert_allclose(describe_shape(steps), [[0.3, 0.4, 0.0, 0.5]])
    assert not describe_shape(np.zeros((1, 3, 2))).any()


def test_sizes_are_the_papers() -> None:
    assert sum(descriptor_sizes(15).values()) == 30 + 96 + 108 + 96 + 96
