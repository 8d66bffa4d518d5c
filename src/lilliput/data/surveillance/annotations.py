"""The annotations of a folder, and the recordings they belong to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lilliput.data.surveillance.activity import Activity
from lilliput.data.surveillance.kpf import ACTIVITIES, read_kpf
from lilliput.data.surveillance.virat import EVENTS, read_virat
from lilliput.errors import DataError
from lilliput.video.decode import VIDEO_SUFFIXES

NO_BOX = "activities without a box"


@dataclass(frozen=True)
class Annotations:
    """The annotations of one recording.

    Attributes:
        recording: Its name.
        path: The file of its activities.
    """

    recording: str
    path: Path

    def read(self, left_out: Counter[str]) -> list[Activity]:
        """The activities; those without a box are counted in ``left_out``.

        Raises:
            DataError: A file is missing, or not of its format.
        """
        if self.path.name.endswith(EVENTS):
            return read_virat(self.path)
        activities, without = read_kpf(self.path)
        if without:
            left_out[NO_BOX] += without
        return activities


def find_annotations(folder: Path) -> list[Annotations]:
    """All of a folder and those in it, in the order of the recordings' names.

    Raises:
        DataError: There are none.
    """
    found = [
        Annotations(name, path)
        for path in sorted(folder.rglob("*") if folder.is_dir() else ())
        if (name := _recording(path.name)) and path.is_file()
    ]
    if not found:
        raise DataError(
            f"{folder}: holds no annotations; give a folder with KPF's *.{ACTIVITIES} or VIRAT's "
            f"*{EVENTS}"
        )
    return sorted(found, key=lambda annotations: annotations.recording)


class VideoFinder:
    """Finds the video of a recording in a folder and those in it.

    MEVA's files have a release after the name that the annotations use: ``….G330.r13.avi``.

    Raises:
        DataError: The folder holds no video.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: Mapping[str, Path] = dict(reversed(list(_named_videos(folder))))
        if not self._paths:
            raise DataError(f"{folder}: holds no video; give the folder of the recordings")

    def __call__(self, recording: str) -> Path:
        """The file.

        Raises:
            DataError: It is not there.
        """
        if recording not in self._paths:
            raise DataError(
                f"{self._folder}: holds no video of recording '{recording}'; add it, or take its "
                "annotations away"
            )
        return self._paths[recording]


def _named_videos(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*") if folder.is_dir() else ()):
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            yield path.stem, path
            name, _, release = path.stem.rpartition(".")
            if name and release[:1] == "r" and release[1:].isdigit():
                yield name, path


def _recording(file_name: str) -> str:
    """The recording that a file of activities belongs to; empty for other files."""
    if file_name.endswith(EVENTS):
        return file_name.removesuffix(EVENTS)
    name = file_name.removesuffix(ACTIVITIES)
    return name[:-1] if name != file_name and name[-1:] in (".", "-") else ""
