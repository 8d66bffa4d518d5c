"""Several takes in one ``.npz`` file: directions of bones, and the place of the pelvis.

Arrays: ``index`` (JSON: a list of ``{name, text, start, frames}``), ``directions`` (N, 14, 3) in
the order of ``BONES``, ``root`` (N, 3) in leg lengths; 30 frames a second, y up.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from lilliput.data.motion.skeleton import BONES, LENGTHS, Motion, ground, lowest, normalize
from lilliput.errors import DataError

_LEAST_FRAMES = 2
_FLOATS = 0.25  # leg lengths off the ground in the median frame: its height is not to scale


def read_unified(path: Path) -> list[Motion]:
    """Reads all takes of a file.

    Takes whose height is not to scale are put on the ground, frame by frame.

    Raises:
        DataError: The file is no such archive, or an entry does not fit its arrays.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            index = json.loads(str(arrays["index"]))
            directions = arrays["directions"].astype(np.float32)
            root = arrays["root"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path}: not a file of motions ({error}); it needs the arrays index, directions and "
            "root"
        ) from None
    if directions.shape != (len(root), len(BONES), 3) or root.shape[1:] != (3,):
        raise DataError(
            f"{path}: directions {directions.shape} and root {root.shape} do not fit; give "
            f"(N, {len(BONES)}, 3) and (N, 3)"
        )
    if not (np.isfinite(directions).all() and np.isfinite(root).all()):
        raise DataError(f"{path}: holds numbers that are not finite; leave out such takes")
    return [_take(path, entry, normalize(directions), root) for entry in index]


def _take(path: Path, entry: object, directions: np.ndarray, root: np.ndarray) -> Motion:
    try:
        name, text = str(entry["name"]), str(entry["text"])  # type: ignore[index]
        start, frames = int(entry["start"]), int(entry["frames"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        raise DataError(f"{path}: an entry of index lacks name, text, start or frames") from None
    if start < 0 or frames < _LEAST_FRAMES or start + frames > len(root):
        raise DataError(
            f"{path}: take '{name}' lies outside the arrays; correct its start or frames"
        )
    part = slice(start, start + frames)
    motion = Motion(name, text, directions[part], root[part])
    off = lowest(motion, LENGTHS)
    if abs(float(np.median(off))) <= _FLOATS:
        return ground(motion)
    moved = motion.root.copy()
    moved[:, 1] -= off
    return replace(motion, root=moved)
