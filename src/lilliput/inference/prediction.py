"""What was recognised. Free of torch, so that whoever only writes it down starts quickly."""

from dataclasses import dataclass

import numpy as np

from lilliput.task import Task


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
        scores: (K,) of each class the highest score over all windows; or the mean, where a video
            has one label.
        labels: Names of the classes that the video is given, best first; where it has one label,
            that one, or none if it is unknown.
        windows: One per stretch; a short video has one.
        warning: None, or what is wrong with the file (its readable part was used).
        task: How many labels a video has.
    """

    source: str
    class_names: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]
    windows: tuple[Window, ...]
    warning: str | None = None
    task: Task = "multi"

    @property
    def probability(self) -> float | None:
        """That of the one label that a video has; None where it is unknown, or has several."""
        if self.task == "multi" or not self.labels:
            return None
        return float(self.scores[self.class_names.index(self.labels[0])])

    @property
    def labels_in_words(self) -> str:
        """The labels for people to read."""
        nothing = "unknown" if self.task == "single" else "none"
        return ", ".join(self.labels) or nothing

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; where a video has one label, with its probability."""
        document: dict[str, object] = {
            "source": self.source,
            "task": self.task,
            "labels": list(self.labels),
        }
        if self.task == "single":
            probability = self.probability
            document["probability"] = None if probability is None else round(probability, 4)
        return document | {
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
