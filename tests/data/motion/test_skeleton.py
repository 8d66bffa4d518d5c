import numpy as np
import pytest

from lilliput.data.motion.skeleton import (
    BONES,
    JOINTS,
    LENGTHS,
    Motion,
    find_directions,
    find_joints,
    ground,
    lowest,
    resample,
)


def _motion(frames: int = 5) -> Motion:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(frames, 14, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return Motion("take", "tumble", directions, rng.normal(size=(frames, 3)))


def test_joints_and_directions_are_inverse() -> None:
    motion = _motion()
    joints = find_joints(motion, LENGTHS)
    assert set(joints) == set(JOINTS)
    np.testing.assert_allclose(find_directions(joints), motion.directions, atol=1e-9)


def test_a_person_upright_by_hand() -> None:
    up, left, ahead = np.eye(3)[1], np.eye(3)[0], np.eye(3)[2]
    upright = {"spine": up, "head": up, "shoulders": left, "hips": left}
    rows = [upright.get(name, ahead if "foot" in name else -up) for name in BONES]
    joints = find_joints(Motion("", "", np.array([rows]), np.array([[0, 1.0, 0]])), LENGTHS)
    assert joints["pelvis"][0].tolist() == pytest.approx([0, 0.86, 0])
    assert joints["head"][0].tolist() == pytest.approx([0, 0.86 + 0.5 + 0.22, 0])
    assert joints["left_wrist"][0].tolist() == pytest.approx([0.18, 0.86 + 0.5 - 0.61, 0])
    assert joints["right_toe"][0].tolist() == pytest.approx([-0.1, 0, 0.2])


def test_a_mirror_exchanges_the_sides_and_twice_is_nothing() -> None:
    motion = _motion()
    ours, mirrored = (find_joints(one, LENGTHS) for one in (motion, motion.mirrored()))
    flip = np.array([-1, 1, 1])
    np.testing.assert_allclose(mirrored["left_wrist"], ours["right_wrist"] * flip, atol=1e-9)
    np.testing.assert_allclose(mirrored["right_knee"], ours["left_knee"] * flip, atol=1e-9)
    np.testing.assert_allclose(motion.mirrored().mirrored().directions, motion.directions)


def test_resampling_by_hand() -> None:
    values = np.array([[0.0], [4.0], [8.0], [6.0]])
    assert resample(values, 60)[:, 0].tolist() == [0, 8]
    assert resample(values, 15)[:, 0].tolist() == [0, 2, 4, 6, 8, 7, 6]
    assert resample(values, 30) is values


def test_on_the_ground_the_lowest_joint_is_at_zero() -> None:
    assert np.percentile(lowest(ground(_motion(200)), LENGTHS), 2) == pytest.approx(0, abs=1e-9)


def test_a_part_of_a_take() -> None:
    motion = _motion()
    part = motion.cut(slice(1, 3))
    assert len(part) == 2
    assert part.root.tolist() == motion.root[1:3].tolist()
