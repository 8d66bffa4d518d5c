"""What a session of watching is asked to write, and what it tells of each camera."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lilliput.errors import ConfigError
from lilliput.watch.events import Step
from lilliput.watch.uncertain import UncertainClips
from lilliput.watch.writers import WRITERS


class Channel(Protocol):
    """Where news goes as it happens: a database, a message broker, the terminal."""

    def write(self, step: Step) -> None:
        """Takes one more step, of any camera."""

    def close(self) -> None:
        """Passes on what is left."""


@dataclass(frozen=True)
class Outputs:
    """What is written.

    Attributes:
        folder: Every camera gets a folder in it.
        formats: Keys of ``WRITERS``; the log is always written.
        channels: What hears of every event that is not in the log yet.
        resume: Go on where an earlier run was stopped: what was watched to its end is left out,
            and a file that was not is watched again, without telling its events twice.
        blur: Hide people in every picture.
        uncertain: Takes the clips the model is unsure of; None for nobody.
    """

    folder: Path
    formats: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    resume: bool = False
    blur: bool = False
    uncertain: UncertainClips | None = None

    def __post_init__(self) -> None:
        for name in self.formats:
            if name not in WRITERS:
                raise ConfigError(f"--write {name}: no such format; there are {', '.join(WRITERS)}")
        if self.blur and self.uncertain is not None:
            raise ConfigError(
                "--blur and --save-crops exclude each other: a model learns nothing from people "
                "who cannot be seen; leave out one of them"
            )


@dataclass
class Watched:
    """How the watching of one camera goes, and what came of it.

    Attributes:
        camera: Its name.
        source: The file, device or address, without its password.
        seconds: How much of the footage was watched.
        duration_seconds: Its length, where it is known.
        elapsed_seconds: How long that took.
        num_events: Events in its log.
        num_dropped: Frames of a live source that were left out.
        paths: The files that were written.
        notes: Damage, losses and returns.
        error: Why it could not be watched; None where it could.
        was_finished: It had been watched before, and nothing was done.
    """

    camera: str
    source: str
    seconds: float = 0.0
    duration_seconds: float | None = None
    elapsed_seconds: float = 0.0
    num_events: int = 0
    num_dropped: int = 0
    paths: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    was_finished: bool = False

    @property
    def speed(self) -> float:
        """Seconds of footage watched per second."""
        return self.seconds / self.elapsed_seconds if self.elapsed_seconds else 0.0
