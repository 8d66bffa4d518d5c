"""Who or what is in a frame: one file per kind of detector, and their names.

The camera's setting ``detector = "none"`` has no entry here: then the whole frame is one track.
"""

from collections.abc import Callable
from typing import Protocol

from lilliput.errors import ConfigError
from lilliput.watch.detectors.motion import MotionDetector
from lilliput.watch.detectors.people import PeopleDetector
from lilliput.watch.scene import Detection, Frame


class Detector(Protocol):
    """Finds what is worth looking at; one per camera, fed with its frames in order."""

    def __call__(self, frame: Frame) -> list[Detection] | None:
        """Boxes in px of the full frame, inside it; None while it cannot tell."""
        ...


DETECTORS: dict[str, Callable[[], Detector]] = {
    "motion": MotionDetector,
    "people": PeopleDetector,
}


def build_detector(name: str) -> Detector:
    """The detector of that name.

    Raises:
        ConfigError: There is none, or it needs a package that is not installed.
    """
    if name not in DETECTORS:
        raise ConfigError(f"detector '{name}' is not known; take one of {', '.join(DETECTORS)}")
    return DETECTORS[name]()
