"""Trajectories on clips of known motion."""

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the extra lilliput[idt] is not installed")

from lilliput.models.idt.extraction import TrajectoryExtractor
from lilliput.models.idt.flow import camera_flow, dense_flow
from lilliput.models.idt.trajectories import Trajectories, follow, is_motion, steps_beside

SIDE, FRAMES = 56, 12


def texture(side: int, seed: int = 0) -> np.ndarray:
    """Blurred noise: structure everywhere, at the scale that flow sees."""
    noise = np.random.default_rng(seed).normal(size=(side, side))
    spectrum = np.fft.fft2(noise) * np.exp(-200 * np.add.outer(*[np.fft.fftfreq(side) ** 2] * 2))
    smooth = np.fft.ifft2(spectrum).real
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return (255 * smooth).astype(np.uint8)


def moving_square(step: tuple[int, int], size: int = 20, background: int = 40) -> np.ndarray:
    """A textured square that moves by whole pixels x and y over a plain ground."""
    square = texture(size, seed=1) // 2 + 120
    frames = np.full((FRAMES, SIDE, SIDE), background, np.uint8)
    for number, frame in enumerate(frames):
        x, y = 6 + step[0] * number, 6 + step[1] * number
        frame[y : y + size, x : x + size] = square
    return frames


def moving_camera(step: tuple[int, int]) -> np.ndarray:
    whole = texture(2 * SIDE)
    return np.stack(
        [
            whole[step[1] * n : step[1] * n + SIDE, step[0] * n : step[0] * n + SIDE]
            for n in range(FRAMES)
        ]
    )


@pytest.mark.parametrize("method", ["farneback", "dis"])
@pytest.mark.parametrize("step", [(2, 1), (1, 2)])
def test_trajectories_follow_a_square(method: str, step: tuple[int, int]) -> None:
    frames = moving_square(step)
    flow = dense_flow(frames, method)
    found = follow(frames, flow, length=6, step=2)
    x, y = (found.paths[:, 0] - np.array(step) * found.starts[:, None] - 6).T
    inside = (x > 4) & (x < 16) & (y > 4) & (y < 16)
    assert inside.sum() > 15
    way = found.paths[inside, -1] - found.paths[inside, 0]
    np.testing.assert_allclose(np.median(way, axis=0), 6 * np.array(step), atol=1)
    assert (np.abs(way - 6 * np.array(step)).max(axis=1) < 2).mean() > 0.8


def test_along_a_given_flow_they_are_exact() -> None:
    frames = np.stack([texture(32)] * 6)
    flow = np.broadcast_to(np.array([0.5, -0.25], np.float32), (5, 32, 32, 2))
    found = follow(frames, flow, length=3, step=4)
    expected = found.paths[:, :1] + np.arange(4)[:, None] * np.array([0.5, -0.25])
    np.testing.assert_allclose(found.paths, expected)
    assert len(found) > 20
    assert set(found.starts) <= {0, 1, 2}
    assert found.paths.min() >= 0
    assert np.rint(found.paths).max() <= 31
    np.testing.assert_allclose(found.sample(flow), np.diff(found.paths, axis=1))


def test_no_point_starts_where_one_is_or_where_the_picture_is_flat() -> None:
    frames = np.full((5, 32, 32), 90, np.uint8)
    frames[:, 12:20, 12:20] = texture(8, seed=2)
    found = follow(frames, np.zeros((4, 32, 32, 2), np.float32), length=2, step=4)
    starts = found.paths[found.starts == 0, 0]
    assert ((starts > 9) & (starts < 22)).all()
    # Points stand still, so that their cells are taken until they end in frame 2.
    assert set(found.starts) == {0, 2}


def test_a_clip_of_one_brightness_has_none() -> None:
    described = TrajectoryExtractor(length=4)(np.full((8, 28, 28), 7, np.uint8))
    assert len(described) == 0
    assert described.descriptors["hof"].shape == (0, 108)


def test_the_cameras_motion_is_found_and_taken_out() -> None:
    frames = moving_camera((2, 1))
    flow = dense_flow(frames)
    camera = camera_flow(frames, flow)
    inner = np.s_[:, 8:-8, 8:-8]
    np.testing.assert_allclose(np.median(camera[inner], axis=(0, 1, 2)), [-2, -1], atol=0.15)
    assert np.abs(flow - camera)[inner].mean() < 0.15 * np.abs(flow)[inner].mean()
    settings = {"length": 6, "scales": 1}
    plain = TrajectoryExtractor(**settings, compensate_camera=False)(frames)
    improved = TrajectoryExtractor(**settings)(frames)
    assert len(plain) > 50
    assert len(improved) < 0.2 * len(plain)


def test_what_moves_beside_the_camera_is_kept() -> None:
    frames = moving_camera((1, 0))
    for number, frame in enumerate(frames):
        frame[20:36, 4 + 2 * number : 18 + 2 * number] = texture(16, seed=3)[:, :14]
    described = TrajectoryExtractor(length=6, scales=1)(frames)
    assert len(described) > 5
    rows = described.centers[:, 1] * SIDE
    assert ((rows > 14) & (rows < 42)).mean() > 0.9
    steps = described.descriptors["shape"].reshape(-1, 6, 2).sum(axis=1)
    assert np.median(steps[:, 0]) > 0.8  # nearly all of the way is to the right


def test_a_still_camera_is_left_alone() -> None:
    frames = np.stack([texture(SIDE)] * 4)
    camera = camera_flow(frames, dense_flow(frames))
    np.testing.assert_allclose(camera, 0, atol=0.05)
    flat = np.full((4, SIDE, SIDE), 9, np.uint8)
    assert not camera_flow(flat, np.ones((3, SIDE, SIDE, 2), np.float32)).any()


def test_what_counts_as_motion() -> None:
    still = np.zeros((5, 2))
    walk = np.tile([1.0, 0.0], (5, 1))
    jump = np.array([[0.0, 0], [0, 0], [20, 0], [0, 0], [0.1, 0]])
    drift = np.tile([16.0, 0.0], (5, 1)) * np.array([1, 1, 1, 1, 1])[:, None]
    steps = np.stack([still, walk, jump, drift * 3])
    assert is_motion(steps, 100, min_motion=0.007).tolist() == [False, True, False, False]
    assert is_motion(steps[:1], 100, min_motion=0.0).all()


def test_steps_beside_a_camera() -> None:
    paths = np.cumsum(np.tile([2.0, 1.0], (1, 4, 1)), axis=1).astype(np.float32)
    camera = np.broadcast_to(np.array([0.5, 1.0], np.float32), (3, 16, 16, 2))
    steps = steps_beside(Trajectories(np.array([0]), paths), camera)
    np.testing.assert_allclose(steps, np.tile([1.5, 0.0], (1, 3, 1)))
