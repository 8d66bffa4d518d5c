import numpy as np
import pytest

from lilliput.data.motion.skeleton import BONES, LENGTHS, Motion, find_joints
from lilliput.data.people import poses as keyed
from lilliput.data.people.poses import ANGLES, LYING, pose, pose_directions


def _joints(one: np.ndarray) -> dict[str, np.ndarray]:
    motion = Motion("", "", pose_directions(one[None]), np.zeros((1, 3)))
    found = {name: places[0] for name, places in find_joints(motion, LENGTHS).items()}
    low = min(place[1] for place in found.values())
    return {name: place - [0, low, 0] for name, place in found.items()}


def _bone(one: np.ndarray, name: str) -> list[float]:
    bone: list[float] = pose_directions(one[None])[0, list(BONES).index(name)].tolist()
    return bone


@pytest.mark.parametrize(
    ("angles", "bone", "direction"),
    [
        ({}, "spine", (0, 1, 0)),
        ({}, "left_upper_arm", (0, -1, 0)),
        ({"tilt": 90}, "spine", (0, 0, 1)),  # onto the face
        ({"tilt": -90}, "spine", (0, 0, -1)),
        ({"roll": 90}, "spine", (1, 0, 0)),  # onto the left side
        ({"turn": 90}, "hips", (0, 0, -1)),
        ({"bow": 90}, "head", (0, 0, 1)),
        ({"bow": 90}, "left_thigh", (0, -1, 0)),  # the legs stay
        ({"arms_forward": 90}, "left_forearm", (0, 0, 1)),
        ({"arms_out": 90}, "left_upper_arm", (1, 0, 0)),
        ({"arms_out": 90}, "right_upper_arm", (-1, 0, 0)),
        ({"arms_elbow": 90}, "right_forearm", (0, 0, 1)),
        ({"arms_out": 90, "arms_elbow": 90, "arms_twist": -90}, "left_forearm", (0, 1, 0)),
        ({"arms_out": 90, "arms_elbow": 90, "arms_twist": -90}, "right_forearm", (0, 1, 0)),
        ({"legs_knee": 90}, "left_shin", (0, 0, -1)),
        ({"legs_forward": 90, "legs_knee": 90}, "right_shin", (0, -1, 0)),
    ],
)
def test_what_an_angle_does(
    angles: dict[str, float], bone: str, direction: tuple[float, float, float]
) -> None:
    assert _bone(pose(**angles), bone) == pytest.approx(direction, abs=1e-6)


def test_both_sides_are_mirror_images() -> None:
    rng = np.random.default_rng(0)
    given = {f"{limb}_{part}": float(rng.uniform(-90, 90))
             for limb, parts in (("arms", ("forward", "out", "elbow", "twist")),
                                 ("legs", ("forward", "out", "knee", "twist")))
             for part in parts}  # fmt: skip
    at = _joints(pose(**given))
    for joint in ("wrist", "elbow", "knee", "ankle"):
        flipped = at[f"right_{joint}"] * [-1, 1, 1]
        assert at[f"left_{joint}"].tolist() == pytest.approx(flipped.tolist(), abs=1e-5)


def test_the_keyed_poses_are_what_they_are_called() -> None:
    upright = _joints(keyed.STAND)
    assert upright["head"][1] > 1.55
    assert _joints(keyed.SIT_CHAIR)["pelvis"][1] == pytest.approx(0.5, abs=0.1)
    assert _joints(keyed.SIT_FLOOR)["pelvis"][1] < 0.35
    assert _joints(keyed.BEND)["head"][1] < 1.1 < upright["head"][1]
    assert _joints(keyed.REACH_DOWN)["left_wrist"][1] < 0.3
    assert _joints(keyed.CROUCH)["pelvis"][1] < 0.5
    for one in LYING.values():
        assert max(place[1] for place in _joints(one).values()) < 0.6


def test_a_pose_that_starts_from_another_changes_only_what_is_given() -> None:
    changed = pose(keyed.STAND, nod=30)
    assert np.flatnonzero(changed != keyed.STAND).tolist() == [ANGLES.index("nod")]
    with pytest.raises(KeyError):
        pose(arms_knee=3)
