"""What every reader returns: clips on disk with labels, grouped in splits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lilliput.data.frames import PackedClip, PackedFrames
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError, VideoError
from lilliput.video.decode import DecodedVideo, VideoInfo, decode_video, probe
from lilliput.video.part import Part

# VIRAT_S_040003_04_…: the first four digits are the scene. MEVA: ….school.G330 ends in the camera.
_CAMERAS = (re.compile(r"^(\w+_S_\d{4})"), re.compile(r"\.(G\d{3,4})\b"))


@dataclass(frozen=True)
class Clip:
    """One labelled video file or a part of one, or what a pack keeps of it.

    Attributes:
        clip_id: Unique within its split.
        path: The video file; a packed clip was read from it.
        labels: Class indices, or None where the labels are withheld.
        recording: The recording it was cut from; clips of one recording are not independent.
        packed: Where a pack keeps its frames; None reads the file.
        part: The labelled part of a longer video; None where the file is the clip.
    """

    clip_id: str
    path: Path
    labels: tuple[int, ...] | None
    recording: str
    packed: PackedClip | None = field(default=None, compare=False, repr=False)
    part: Part | None = None

    def read(self) -> DecodedVideo | PackedFrames:
        """Opens it: ``frames[picks]`` converts or copies the picked frames, ``frames[:]`` all.

        Raises:
            VideoError: It cannot be read.
        """
        if self.packed is None:
            return decode_video(self.path, self.part)
        if self.packed.frames is None:
            raise VideoError(str(self.packed.error))
        return self.packed.frames

    def probe(self) -> VideoInfo:
        """Size and length as the file's header has them.

        Raises:
            VideoError: The file cannot be opened, or it has no frames.
        """
        if self.packed is None:
            return probe(self.path, self.part)
        if self.packed.info is None:
            raise VideoError(str(self.packed.error))
        return self.packed.info

    @property
    def camera(self) -> str:
        """The camera or scene, read from the recording's name; else the recording itself."""
        for pattern in _CAMERAS:
            if found := pattern.search(self.recording):
                return found.group(1)
        return self.recording


@dataclass(frozen=True)
class VideoDataset:
    """A data set on disk, described but not decoded.

    Attributes:
        root: Where it lies.
        layout: Which reader understood it, such as ``TinyVIRAT-v2``.
        labels: Its classes.
        splits: Clips of each split, in the order of the source.
        problems: Entries that were left out, one line each.
    """

    root: Path
    layout: str
    labels: LabelSet
    splits: Mapping[str, Sequence[Clip]]
    problems: tuple[str, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any clip was rendered; the names of those recordings say so."""
        return any(
            clip.recording.startswith("SYNTHETIC_")
            for clips in self.splits.values()
            for clip in clips
        )

    def split(self, name: str, *, labelled: bool = True) -> Sequence[Clip]:
        """The clips of one split.

        Raises:
            DataError: There is no such split, it is empty, or its labels are withheld.
        """
        if name not in self.splits:
            known = ", ".join(self.splits)
            raise DataError(
                f"{self.root}: has no split '{name}'; it has: {known}; name one of these, or "
                "divide the clips with `lilliput data split`"
            )
        clips = self.splits[name]
        if not clips:
            raise DataError(
                f"{self.root}: split '{name}' holds no clips; add some, or divide the clips with "
                "`lilliput data split`"
            )
        if labelled and any(clip.labels is None for clip in clips):
            raise DataError(
                f"{self.root}: the labels of split '{name}' are withheld; "
                "use a labelled split, or `lilliput submit` for this one"
            )
        return clips


def targets_matrix(clips: Sequence[Clip], num_classes: int) -> np.ndarray:
    """(N, K) bool: which clip has which label; a withheld label counts as absent."""
    targets = np.zeros((len(clips), num_classes), dtype=bool)
    for row, clip in enumerate(clips):
        targets[row, list(clip.labels or ())] = True
    return targets
