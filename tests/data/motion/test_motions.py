"""Folders of motion capture."""

from pathlib import Path

import numpy as np
import pytest

from lilliput.data.motion import read_motions
from lilliput.data.motion.skeleton import LENGTHS, lowest
from lilliput.errors import DataError
from tests.data.motion.files import CMU, write_amc, write_bvh

CAPTURED = Path(__file__).parents[4] / "shared/motion"


def test_a_folder_with_several_formats_and_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "cmu").mkdir()
    write_amc(tmp_path / "cmu")
    write_bvh(tmp_path / "walk.bvh", CMU)
    (tmp_path / "bad.bvh").write_text("nothing")
    (tmp_path / "cmu" / "cmu-mocap-index-text.txt").write_text("Subject #2\n02_01\twalk, turn\n")
    told: list[str] = []
    motions = read_motions(tmp_path, told.append)
    assert [(one.name, one.text) for one in motions] == [("02_01", "walk, turn"), ("walk", "walk")]
    assert len(told) == 1
    assert "bad.bvh: line 1" in told[0]
    assert told[0].endswith("; left out")


def test_a_folder_without_motion_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="holds no motion that can be read; give a folder"):
        read_motions(tmp_path)


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="needs shared/motion beside the clone")
def test_captured_walks_are_as_fast_as_people_walk() -> None:
    walks = [one for one in read_motions(CAPTURED / "cmu.npz") if one.text == "walk"]
    assert len(walks) > 50
    for walk in walks:
        assert abs(np.median(lowest(walk, LENGTHS))) < 0.15
    paces = [np.linalg.norm(one.root[-1] - one.root[0]) / len(one) * 30 for one in walks]
    assert 1.0 < np.median(paces) < 2.0  # leg lengths a second
