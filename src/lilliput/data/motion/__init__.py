"""Motion capture: BVH, ASF/AMC and ``.npz`` files, all as directions of the same fourteen bones."""

from collections.abc import Callable
from pathlib import Path

from lilliput.data.motion.amc import read_amc
from lilliput.data.motion.bvh import read_bvh
from lilliput.data.motion.skeleton import BONES, FPS, Motion
from lilliput.data.motion.unified import read_unified
from lilliput.errors import DataError

__all__ = ["BONES", "FPS", "Motion", "read_motions"]

SUFFIXES = (".amc", ".bvh", ".npz")


def read_motions(source: Path, tell: Callable[[str], None] = lambda _: None) -> list[Motion]:
    """Reads a file, or all files of a folder and the folders in it, in the order of their names.

    What is done in a BVH or AMC file is read from a list beside it, as CMU publishes it
    (``index.txt``: ``02_01 walk`` in each line), or is the file's name.

    Args:
        source: A file, or a folder.
        tell: Given a line for each file that cannot be read; it is left out.

    Raises:
        DataError: There is not one take that can be read.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    motions: list[Motion] = []
    for path in files:
        if path.suffix.lower() not in SUFFIXES:
            continue
        try:
            motions += _read(path)
        except DataError as error:
            tell(f"{error}; left out")
    if not motions:
        raise DataError(
            f"{source}: holds no motion that can be read; give a folder of .bvh or .npz files, or "
            "of .amc files and their .asf"
        )
    return motions


def _read(path: Path) -> list[Motion]:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_unified(path)
    text = _find_text(path)
    return [read_bvh(path, text) if suffix == ".bvh" else read_amc(path, text)]


def _find_text(path: Path) -> str:
    for folder in (path.parent, *path.parents[:3]):
        for index in sorted(folder.glob("*index*.txt")):
            for line in index.read_text(encoding="utf-8", errors="replace").splitlines():
                words = line.split(maxsplit=1)
                if len(words) == 2 and words[0] == path.stem:
                    return words[1].strip()
    return path.stem
