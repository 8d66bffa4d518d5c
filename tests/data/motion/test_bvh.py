from pathlib import Path

import numpy as np
import pytest

from lilliput.data.motion.amc import read_amc
from lilliput.data.motion.bvh import read_bvh
from lilliput.data.motion.skeleton import BONES, Motion
from lilliput.errors import DataError
from tests.data.motion.files import CMU, MIXAMO, STYLE, write_amc, write_bvh


def _bone(motion: Motion, name: str, frame: int) -> list[float]:
    bone: list[float] = motion.directions[frame, list(BONES).index(name)].tolist()
    return bone


def _check(motion: Motion) -> None:
    """The two frames, by hand."""
    assert len(motion) == 2
    assert _bone(motion, "spine", 0) == pytest.approx([0, 1, 0], abs=1e-5)
    assert _bone(motion, "left_forearm", 0) == pytest.approx([0, -1, 0], abs=1e-5)
    assert _bone(motion, "shoulders", 0) == pytest.approx([1, 0, 0], abs=1e-5)
    assert _bone(motion, "left_foot", 0) == pytest.approx([0, -0.316, 0.949], abs=1e-3)
    # Turned to its left, it faces x; its left is where -z was. The forearm points ahead.
    assert _bone(motion, "shoulders", 1) == pytest.approx([0, 0, -1], abs=1e-5)
    assert _bone(motion, "left_forearm", 1) == pytest.approx([1, 0, 0], abs=1e-5)
    assert _bone(motion, "right_forearm", 1) == pytest.approx([0, -1, 0], abs=1e-5)
    # The pelvis is a leg above the ankles, and these a common body's foot above the toes.
    height = 1 + 0.2 * 0.31622777 / 0.86
    assert motion.root[:, 1].tolist() == pytest.approx([height] * 2, abs=1e-5)


@pytest.mark.parametrize("names", [CMU, MIXAMO, STYLE], ids=["cmu", "mixamo", "100style"])
def test_skeletons_of_three_makers_by_hand(names: dict[str, str], tmp_path: Path) -> None:
    _check(read_bvh(write_bvh(tmp_path / "take.bvh", names), "walk"))


@pytest.mark.parametrize("order", ["XYZ", "YXZ", "ZXY"])
def test_any_order_of_channels(order: str, tmp_path: Path) -> None:
    channels = [f"{axis}rotation" for axis in order]
    _check(read_bvh(write_bvh(tmp_path / "take.bvh", CMU, order=channels)))


def test_z_up_is_found(tmp_path: Path) -> None:
    motion = read_bvh(write_bvh(tmp_path / "take.bvh", CMU, z_up=True))
    assert _bone(motion, "spine", 0) == pytest.approx([0, 1, 0], abs=1e-5)
    assert _bone(motion, "left_foot", 0) == pytest.approx([0, -0.316, 0.949], abs=1e-3)
    assert _bone(motion, "shoulders", 1) == pytest.approx([0, 0, -1], abs=1e-5)


def test_other_rates_become_30_frames_a_second(tmp_path: Path) -> None:
    motion = read_bvh(write_bvh(tmp_path / "take.bvh", CMU, fps=120, frames=9))
    assert len(motion) == 3


def test_both_formats_agree(tmp_path: Path) -> None:
    theirs = read_amc(write_amc(tmp_path), fps=30)
    ours = read_bvh(write_bvh(tmp_path / "take.bvh", CMU))
    np.testing.assert_allclose(theirs.directions, ours.directions, atol=1e-5)
    np.testing.assert_allclose(theirs.root, ours.root, atol=1e-5)


@pytest.mark.parametrize(
    ("found", "put", "fault"),
    [
        ("HIERARCHY", "TREE", "line 1: 'TREE' stands where 'HIERARCHY' is expected"),
        ("OFFSET 10 0 0", "OFFSET ten 0 0", "'ten' is no number"),
        ("Zrotation", "Wrotation", "'Wrotation' is no channel"),
        ("Frames: 2", "Frames: 7", "7 frames of 54 channels are promised, 108 values are there"),
        ("Frame Time: 0.03333333", "Frame Time: 0", "a frame time of 0.0 s makes no sense"),
        ("85", "nan", "a value is not finite"),
        ("85", "many", "could not convert"),
        ("MOTION", "", "stands where"),
        ("LeftForeArm", "Something", "no joint of its skeleton is a left elbow"),
    ],
)
def test_a_malformed_file_is_refused(found: str, put: str, fault: str, tmp_path: Path) -> None:
    path = write_bvh(tmp_path / "take.bvh", CMU)
    path.write_text(path.read_text().replace(found, put))
    with pytest.raises(DataError) as caught:
        read_bvh(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    path = write_bvh(tmp_path / "take.bvh", CMU)
    path.write_text(path.read_text().split("MOTION")[0])
    with pytest.raises(DataError, match="ends too early"):
        read_bvh(path)
