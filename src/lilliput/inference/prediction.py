"""What was recognised. Free of torch, so that whoever only writes it down starts quickly."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """The scores of one stretch of a video.

    Attributes:
        start_seconds: Where it begins.
        end_seconds: Where it ends.
        scores: (K,) in [0, 1].
    """

    start_seconds: float
    end_seconds: float
    scores: np.ndarray


@dataclass(frozen=True)
class Prediction:
    """What was recognised in one video.

    Attributes:
        source: The file, or a name for frames that came from memory.
        class_names: (K,) names.
        scores: (K,) the highest score of each class over all windows.
        labels: Names of the classes whose score exceeds its threshold, best first.
        windows: One per stretch; a short video has one.
        warning: None, or what is wrong with the file (its readable part was used).
    """

    source: str
    class_names: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]
    windows: tuple[Window, ...]
    warning: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "source": self.source,
            "labels": list(self.labels),
            "scores": self._named(self.scores),
            "windows": [
                {
                    "start_seconds": round(window.start_seconds, 3),
                    "end_seconds": round(window.end_seconds, 3),
                    "scores": self._named(window.scores),
                }
                for window in self.windows
            ],
            "warning": self.warning,
        }

    def _named(self, scores: np.ndarray) -> dict[str, float]:
        return {
            name: round(float(score), 4)
            for name, score in zip(self.class_names, scores, strict=True)
        }
