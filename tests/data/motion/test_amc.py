from pathlib import Path

import pytest

from lilliput.data.motion.amc import find_skeleton, read_amc
from lilliput.errors import DataError
from tests.data.motion.files import write_amc


def test_cmu_takes_are_of_120_frames_a_second(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    frames = path.read_text().splitlines()
    path.write_text("\n".join([*frames, *frames[3:] * 3]))
    assert len(read_amc(path)) == 2  # of eight


def test_the_skeleton_is_found(tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    assert find_skeleton(path) == tmp_path / "02.asf"
    (tmp_path / "02.asf").rename(tmp_path / "someone.asf")
    assert find_skeleton(path) == tmp_path / "someone.asf"
    (tmp_path / "other.asf").touch()
    with pytest.raises(DataError, match=r"has no skeleton; put 02\.asf beside it"):
        find_skeleton(path)


@pytest.mark.parametrize(
    ("found", "put", "fault"),
    [
        ("lradius", "lulna", "line 6: 'lulna' with 1 values does not fit its skeleton"),
        ("lradius -0.0", "lradius 0 1", "line 6: 'lradius' with 2 values does not fit"),
        ("lradius -0.0", "lradius zero", "line 6: holds no numbers"),
        ("lradius -90.0", "", "a frame lacks a bone"),
        ("lradius -90.0", "lradius nan", "not finite"),
    ],
)
def test_a_malformed_take_is_refused(found: str, put: str, fault: str, tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    path.write_text(path.read_text().replace(found, put))
    with pytest.raises(DataError) as caught:
        read_amc(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("found", "put", "fault"),
    [
        ("length 40", "length long", "cannot be understood"),
        ("lfemur ltibia", "lfemur elsewhere", "cannot be understood"),
        (":hierarchy", ":nothing", "has no :hierarchy"),
        ("lowerneck", "middle", "no joint of its skeleton is a neck"),
    ],
)
def test_a_malformed_skeleton_is_refused(found: str, put: str, fault: str, tmp_path: Path) -> None:
    path = write_amc(tmp_path)
    skeleton = tmp_path / "02.asf"
    skeleton.write_text(skeleton.read_text().replace(found, put).replace("thorax", "trunk"))
    with pytest.raises(DataError) as caught:
        read_amc(path)
    assert str(caught.value).startswith(f"{skeleton}: ")
    assert fault in str(caught.value)
