import json
from pathlib import Path

import numpy as np
import pytest

from lilliput.data.motion.skeleton import LENGTHS, lowest
from lilliput.data.motion.unified import read_unified
from lilliput.data.people.poses import SIT_CHAIR, STAND, pose_directions
from lilliput.errors import DataError

_INDEX = [
    {"name": "one", "text": "stand", "start": 0, "frames": 3},
    {"name": "two", "text": "sit", "start": 3, "frames": 2},
]


def _write(path: Path, index: object = _INDEX, **arrays: np.ndarray) -> Path:
    poses = np.stack([STAND] * 3 + [SIT_CHAIR] * 2)
    content = {
        "directions": (1.001 * pose_directions(poses)).astype(np.float16),
        "root": np.ones((5, 3), np.float16),
    }
    with path.open("wb") as file:
        np.savez(file, index=np.array(json.dumps(index)), **{**content, **arrays})
    return path


def test_takes_and_their_texts(tmp_path: Path) -> None:
    one, two = read_unified(_write(tmp_path / "set.npz"))
    assert (one.name, one.text, len(one)) == ("one", "stand", 3)
    assert (two.name, two.text, len(two)) == ("two", "sit", 2)
    np.testing.assert_allclose(np.linalg.norm(one.directions, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(two.directions[0], pose_directions(SIT_CHAIR[None])[0], atol=2e-3)


def test_a_take_that_floats_is_put_on_the_ground(tmp_path: Path) -> None:
    root = np.ones((5, 3), np.float16)
    root[3:, 1] = [3, 4]
    _, two = read_unified(_write(tmp_path / "set.npz", root=root))
    np.testing.assert_allclose(lowest(two, LENGTHS), 0, atol=1e-5)
    assert two.root[:, [0, 2]].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("index", "arrays", "fault"),
    [
        ([{"name": "x", "text": "", "start": 4, "frames": 2}], {}, "'x' lies outside the arrays"),
        ([{"name": "x"}], {}, "lacks name, text, start or frames"),
        ([7], {}, "lacks name, text, start or frames"),
        (_INDEX, {"root": np.ones((4, 3))}, "do not fit"),
        (_INDEX, {"root": np.full((5, 3), np.nan)}, "not finite"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    index: object, arrays: dict[str, np.ndarray], fault: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=fault):
        read_unified(_write(tmp_path / "set.npz", index, **arrays))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="not a file of motions"):
        read_unified(tmp_path / "set.npz")
