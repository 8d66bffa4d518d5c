"""What every topic is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_QUICK = 0.1  # share of the time


@dataclass(frozen=True)
class Context:
    """The terms of a run.

    Attributes:
        folder: For generated files; removed after the run.
        quick: A tenth of the time, for trying the code out.
        data: A TinyVIRAT-v2 folder to measure on besides the synthetic clips, or None.
        footage: A recording to watch instead of a rendered one, or None.
        limits: What the machine was measured to do, by name: operations or bytes per second.
    """

    folder: Path
    quick: bool
    data: Path | None
    footage: Path | None
    limits: Mapping[str, float]

    def seconds(self, full: float) -> float:
        """The time for a part of a topic."""
        return full * _QUICK if self.quick else full

    def count(self, full: int, quick: int) -> int:
        """A number of clips or rounds."""
        return quick if self.quick else full
