"""Motion capture in Acclaim's files, as CMU publishes it: a skeleton (ASF) and its takes (AMC)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.joints import find_names, to_motion
from lilliput.data.motion.rotation import about_axis
from lilliput.data.motion.skeleton import Motion
from lilliput.errors import DataError

Array = npt.NDArray[np.floating[Any]]
_ROTATIONS = ("rx", "ry", "rz")
_CMU_FPS = 120.0


@dataclass
class _Bone:
    direction: Array = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: Array = field(default_factory=lambda: np.eye(3))  # of its own coordinates
    dof: list[str] = field(default_factory=list)
    parent: str = ""


def read_amc(
    path: Path, text: str = "", *, skeleton: Path | None = None, fps: float = _CMU_FPS
) -> Motion:
    """Reads one take.

    Args:
        path: The AMC file.
        text: What is done in it, if that is known.
        skeleton: Its ASF file; by default that of the subject beside it, or the only one there.
        fps: Frames a second, which the file does not tell.

    Raises:
        DataError: A file is malformed, there is no skeleton, or a joint is not found in it.
    """
    skeleton = skeleton or find_skeleton(path)
    bones = _read_skeleton(skeleton)
    frames = _read_frames(path, bones)
    places = _places(bones, frames)
    names = find_names(skeleton, list(places))
    return to_motion(path.stem, text, {ours: places[name] for ours, name in names.items()}, fps)


def find_skeleton(path: Path) -> Path:
    """The ASF file of a take: ``02.asf`` or ``02_01.asf`` for ``02_01.amc``, or the only one.

    Raises:
        DataError: There is none, or none can be told from the others.
    """
    for stem in (path.stem, path.stem.split("_")[0]):
        if (path.parent / f"{stem}.asf").is_file():
            return path.parent / f"{stem}.asf"
    found = sorted(path.parent.glob("*.asf"))
    if len(found) != 1:
        raise DataError(f"{path}: has no skeleton; put {path.stem.split('_')[0]}.asf beside it")
    return found[0]


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The words of each line with its number, without comments and empty lines."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    split = (
        (number, line.split("#")[0].split()) for number, line in enumerate(text.splitlines(), 1)
    )
    return [(number, words) for number, words in split if words]


def _read_skeleton(path: Path) -> dict[str, _Bone]:
    """All bones, parents first; the root among them."""
    bones = {"root": _Bone(dof=["tx", "ty", "tz", "rx", "ry", "rz"])}
    section, degrees, name, children = "", True, "", []
    for number, words in _lines(path):
        if words[0].startswith(":"):
            section = words[0].lower()
            continue
        try:
            if section == ":units" and words[0] == "angle":
                degrees = words[1].startswith("deg")
            elif section == ":root" and words[0] == "order":
                bones["root"].dof = [word.lower() for word in words[1:]]
            elif section == ":bonedata":
                if words[0] == "name":
                    name = words[1]
                    bones[name] = _Bone()
                elif words[0] not in ("begin", "end", "id"):
                    _read_bone(bones[name], words, degrees)
            elif section == ":hierarchy" and words[0] not in ("begin", "end"):
                for child in words[1:]:
                    bones[child].parent = words[0]
                    children.append(child)
        except (KeyError, ValueError, IndexError):
            raise DataError(
                f"{path}: line {number}: cannot be understood; is it damaged?"
            ) from None
    if not children:
        raise DataError(f"{path}: has no :hierarchy; this is no ASF file, or a damaged one")
    return {name: bones[name] for name in ("root", *children)}


def _read_bone(bone: _Bone, words: list[str], degrees: bool) -> None:
    if words[0] == "direction":
        bone.direction = np.array([float(word) for word in words[1:4]])
    elif words[0] == "length":
        bone.length = float(words[1])
    elif words[0] == "axis":
        angles = np.array([float(word) for word in words[1:4]])
        radians = np.radians(angles) if degrees else angles
        for radian, axis in zip(radians, words[4], strict=True):
            bone.axis = about_axis(radian, "XYZ".index(axis.upper())) @ bone.axis
    elif words[0] == "dof":
        bone.dof = [word.lower() for word in words[1:]]


def _read_frames(path: Path, bones: Mapping[str, _Bone]) -> dict[str, Array]:
    """(T, D) values of the degrees of freedom of each bone that has any; angles in radians."""
    frames: dict[str, list[list[float]]] = {}
    count, degrees = 0, True
    for number, words in _lines(path):
        if words[0].startswith(":"):
            degrees = degrees and words[0].lower() != ":radians"
        elif words[0].isdigit() and len(words) == 1:
            count += 1
        else:
            try:
                values = [float(word) for word in words[1:]]
            except ValueError:
                raise DataError(
                    f"{path}: line {number}: holds no numbers; is it damaged?"
                ) from None
            if words[0] not in bones or len(values) != len(bones[words[0]].dof):
                raise DataError(
                    f"{path}: line {number}: '{words[0]}' with {len(values)} values does not fit "
                    "its skeleton; give the subject's own ASF file"
                )
            frames.setdefault(words[0], []).append(values)
    moving = {name: np.array(values) for name, values in frames.items()}
    if count < 2 or any(len(values) != count for values in moving.values()):
        raise DataError(
            f"{path}: a frame lacks a bone, or there are no two frames; is it cut short?"
        )
    for name, found in moving.items():
        if not np.isfinite(found).all():
            raise DataError(f"{path}: holds a number that is not finite; is it damaged?")
        turning = [dof in _ROTATIONS for dof in bones[name].dof]
        found[:, turning] *= np.pi / 180 if degrees else 1
    return moving


def _places(bones: Mapping[str, _Bone], frames: Mapping[str, Array]) -> dict[str, Array]:
    """(T, 3) of where each bone begins; where one ends that has no other behind it, as nameEnd."""
    count = len(next(iter(frames.values())))
    turns: dict[str, Array] = {}
    starts: dict[str, Array] = {}
    ends: dict[str, Array] = {}
    for name, bone in bones.items():
        own, moved = np.broadcast_to(np.eye(3), (count, 3, 3)), np.zeros((count, 3))
        for column, dof in enumerate(bone.dof if name in frames else ()):
            values = frames[name][:, column]
            if dof in _ROTATIONS:  # about fixed axes: the later one is applied last
                own = about_axis(values, _ROTATIONS.index(dof)) @ own
            elif dof in ("tx", "ty", "tz"):
                moved[:, ("tx", "ty", "tz").index(dof)] = values
        turn = bone.axis @ own @ bone.axis.T
        starts[name] = ends[bone.parent] if bone.parent else moved
        turns[name] = turns[bone.parent] @ turn if bone.parent else turn
        ends[name] = starts[name] + turns[name] @ (bone.direction * bone.length)
    parents = {bone.parent for bone in bones.values()}
    return starts | {f"{name}End": end for name, end in ends.items() if name not in parents}
