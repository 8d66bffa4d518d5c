"""Frames of a camera, recorded or live."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lilliput.errors import VideoError
from lilliput.video.decode import VIDEO_SUFFIXES
from lilliput.video.source import Source
from lilliput.video.stream import FootageReader
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.live import LiveReader, Patience
from lilliput.watch.scene import Frame

_MAX_NOTES = 1000  # of a source that comes and goes for months

MAX_FPS = 10.0  # enough to follow people, and for models that see a whole window's length


class Footage(ABC):
    """Frames of one camera, at most ``max_fps`` a second; a context manager, iterated once.

    Attributes:
        camera: The camera's name.
        source: The file, device or address, without its password.
        is_live: Whether it goes on until it is closed.
        notes: Damage, losses and returns, one line each.
    """

    is_live: bool

    def __init__(self, camera: CameraSettings, source: Source) -> None:
        self.camera = camera.name
        self.source = source.shown
        self.notes: list[str] = []

    def __enter__(self) -> "Footage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    @abstractmethod
    def fps(self) -> float:
        """Frames per second that it yields."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Width and height of every frame, px."""

    @property
    @abstractmethod
    def duration_seconds(self) -> float | None:
        """Its length, where it is known beforehand."""

    @property
    @abstractmethod
    def starts_at(self) -> datetime | None:
        """The wall clock at its beginning; None where nothing tells it."""

    @property
    @abstractmethod
    def num_dropped(self) -> int:
        """Frames that were left out because whoever iterates was too slow."""

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    @abstractmethod
    def close(self) -> None:
        """Ends iteration, and gives the source back."""


class _Recording(Footage):
    is_live = False

    def __init__(self, camera: CameraSettings, source: Source) -> None:
        super().__init__(camera, source)
        self._reader = FootageReader(source, max_fps=camera.max_fps or MAX_FPS)
        self._starts_at = camera.starts_at or self._reader.recorded_at
        self._zone = camera.zone_info
        if self._starts_at is not None and self._starts_at.tzinfo is None:
            self._starts_at = self._starts_at.replace(tzinfo=self._zone)

    @property
    def fps(self) -> float:
        return self._reader.fps

    @property
    def size(self) -> tuple[int, int]:
        return self._reader.size

    @property
    def duration_seconds(self) -> float | None:
        return self._reader.duration_seconds

    @property
    def starts_at(self) -> datetime | None:
        return self._taken_at(0.0)

    @property
    def num_dropped(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Frame]:
        for picture in self._reader:
            taken_at = self._taken_at(picture.seconds)
            yield Frame(picture.index, picture.seconds, picture.pixels, taken_at)
        self.notes += self._reader.notes

    def _taken_at(self, seconds: float) -> datetime | None:
        if self._starts_at is None:
            return None
        # Time goes on evenly in UTC only: elsewhere an hour is skipped in spring.
        moment = self._starts_at.astimezone(UTC) + timedelta(seconds=seconds)
        return moment.astimezone(self._zone)

    def close(self) -> None:
        self._reader.close()


class _Live(Footage):
    is_live = True

    def __init__(
        self,
        camera: CameraSettings,
        source: Source,
        patience: Patience,
        tell: Callable[[str], None] | None,
    ) -> None:
        super().__init__(camera, source)
        self._tell = tell
        self._zone = camera.zone_info
        self._reader = LiveReader(source, camera.max_fps or MAX_FPS, patience, self._note)

    @property
    def fps(self) -> float:
        return self._reader.format.fps

    @property
    def size(self) -> tuple[int, int]:
        return self._reader.format.size

    @property
    def duration_seconds(self) -> None:
        return None

    @property
    def starts_at(self) -> datetime:
        return datetime.now(self._zone)

    @property
    def num_dropped(self) -> int:
        return self._reader.num_dropped

    def __iter__(self) -> Iterator[Frame]:
        for picture in self._reader:
            taken_at = picture.received_at.astimezone(self._zone)
            yield Frame(picture.index, picture.seconds, picture.pixels, taken_at)

    def _note(self, note: str) -> None:
        self.notes.append(note)
        del self.notes[:-_MAX_NOTES]
        if self._tell is not None:
            self._tell(note)

    def close(self) -> None:
        self._reader.close()


def open_footage(
    camera: CameraSettings,
    *,
    patience: Patience | None = None,
    tell: Callable[[str], None] | None = None,
) -> Footage:
    """Opens a camera's source.

    A live source is connected to in the background: its ``fps`` and ``size``, like its first
    frame, wait for it for as long as it takes.

    Args:
        camera: The camera; without ``max_fps``, of 10 frames per second at most.
        patience: With a live source; None takes the usual.
        tell: Called with every note at once, from another thread; only for a live source.

    Raises:
        VideoError: The file cannot be read, or the address cannot be one.
    """
    try:
        source = Source.parse(camera.source)
    except VideoError as error:
        raise VideoError(f"camera '{camera.name}': {error}") from None
    if source.is_live:
        return _Live(camera, source, patience or Patience(), tell)
    return _Recording(camera, source)


def find_footage(paths: Sequence[str]) -> list[str]:
    """Replaces folders by the videos in them, at any depth; all else passes.

    Raises:
        VideoError: A folder holds no video, or a path is empty.
    """
    found: list[str] = []
    for path in paths:
        if not path:  # which Path takes for the current folder
            raise VideoError("a source is empty; give a video, a folder or an address")
        if "://" in path or not Path(path).is_dir():
            found.append(path)
            continue
        videos = sorted(
            str(file)
            for file in Path(path).rglob("*")
            if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()
        )
        if not videos:
            raise VideoError(f"{path}: a folder without videos; give one that holds some")
        found += videos
    return list(dict.fromkeys(found))
