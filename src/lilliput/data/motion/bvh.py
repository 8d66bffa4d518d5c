"""Motion capture in Biovision's BVH files."""

from collections.abc import Iterator
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
_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
_SLOWEST, _FASTEST = 1.0, 1000.0  # frames a second


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Array = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path, text: str = "") -> Motion:
    """Reads one take.

    Args:
        path: The file.
        text: What is done in it, if that is known.

    Raises:
        DataError: The file is malformed, or a joint is not found in its skeleton.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    words = _Words(path, lines)
    joints = _read_hierarchy(words)
    values, fps = _read_frames(words, sum(len(joint.channels) for joint in joints))
    places = _places(joints, values)
    names = find_names(path, [joint.name for joint in joints])
    return to_motion(path.stem, text, {ours: places[name] for ours, name in names.items()}, fps)


class _Words:
    """The words of a file, with their lines."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self.line = 0
        self._words: Iterator[str] = self._split(lines)

    def _split(self, lines: list[str]) -> Iterator[str]:
        for self.line, line in enumerate(lines, 1):
            yield from line.split()

    def next(self) -> str:
        """The next word."""
        word = next(self._words, None)
        if word is None:
            raise self.fault("ends too early")
        return word

    def number(self) -> float:
        """The next word as a number."""
        word = self.next()
        try:
            return float(word)
        except ValueError:
            raise self.fault(f"'{word}' is no number") from None

    def expect(self, *expected: str) -> None:
        """Reads these words, whatever their case."""
        for word in expected:
            found = self.next()
            if found.lower() != word.lower():
                raise self.fault(f"'{found}' stands where '{word}' is expected")

    def rest(self) -> list[str]:
        """All words that are left."""
        return list(self._words)

    def fault(self, what: str) -> DataError:
        """The error that names the file and the line."""
        return DataError(
            f"{self.path}: line {self.line}: {what}; this is no BVH file, or a damaged one"
        )


def _read_hierarchy(words: _Words) -> list[_Joint]:
    words.expect("HIERARCHY", "ROOT")
    joints: list[_Joint] = []
    open_joints: list[int] = []
    _open(words, joints, open_joints, words.next())
    while open_joints:
        word = words.next()
        joint = joints[open_joints[-1]]
        if word == "OFFSET":
            joint.offset = np.array([words.number() for _ in range(3)])
        elif word == "CHANNELS":
            joint.channels = [words.next() for _ in range(int(words.number()))]
            for channel in joint.channels:
                if channel not in _CHANNELS:
                    raise words.fault(f"'{channel}' is no channel")
        elif word == "JOINT":
            _open(words, joints, open_joints, words.next())
        elif word == "End":
            words.expect("Site")
            _open(words, joints, open_joints, f"{joint.name}End")
        elif word == "}":
            open_joints.pop()
        else:
            raise words.fault(f"'{word}' stands where a joint is described")
    return joints


def _open(words: _Words, joints: list[_Joint], open_joints: list[int], name: str) -> None:
    words.expect("{")
    joints.append(_Joint(name, open_joints[-1] if open_joints else -1))
    open_joints.append(len(joints) - 1)


def _read_frames(words: _Words, channels: int) -> tuple[Array, float]:
    """(T, C) values of the channels, and frames a second."""
    words.expect("MOTION", "Frames:")
    frames = int(words.number())
    words.expect("Frame", "Time:")
    seconds = words.number()
    if not (seconds > 0 and _SLOWEST <= 1 / seconds <= _FASTEST):
        raise words.fault(f"a frame time of {seconds} s makes no sense")
    try:
        values = np.array(words.rest(), np.float64)
    except ValueError as error:
        raise words.fault(str(error)) from None
    if frames < 2 or values.size != frames * channels:
        raise words.fault(
            f"{frames} frames of {channels} channels are promised, {values.size} values are there"
        )
    if not np.isfinite(values).all():
        raise words.fault("a value is not finite")
    return values.reshape(frames, channels), 1 / seconds


def _places(joints: list[_Joint], values: Array) -> dict[str, Array]:
    """(T, 3) of every joint."""
    turns: list[Array] = []
    places: dict[str, Array] = {}
    ordered: list[Array] = []
    column = 0
    for joint in joints:
        turn = np.broadcast_to(np.eye(3), (len(values), 3, 3))
        place = np.broadcast_to(joint.offset, (len(values), 3)).copy()
        moved = np.zeros_like(place)
        for channel in joint.channels:
            axis = "XYZ".index(channel[0])
            if channel.endswith("rotation"):
                turn = turn @ about_axis(np.radians(values[:, column]), axis)
            else:
                moved[:, axis] = values[:, column]
            column += 1
        if any(channel.endswith("position") for channel in joint.channels):
            # A root's position includes its offset; another joint's replaces it.
            place = moved
        if joint.parent >= 0:
            above = turns[joint.parent]
            place = ordered[joint.parent] + (above @ place[..., None])[..., 0]
            turn = above @ turn
        turns.append(turn)
        ordered.append(place)
        places[joint.name] = place
    return places
