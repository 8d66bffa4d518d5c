"""What is seen at one moment: a frame, and the boxes in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A rectangle in a frame, px from its top left corner; right and bottom lie outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Px."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Px."""
        return self.bottom - self.top

    @property
    def foot(self) -> tuple[float, float]:
        """Where it stands: the middle of its lower edge, which decides what zone it is in."""
        return (self.left + self.right) / 2, self.bottom

    def union(self, other: "Box") -> "Box":
        """The smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    Attributes:
        index: Its number in the footage from 0; frames that were dropped are counted.
        seconds: Since the beginning of the footage.
        pixels: (H, W, 3) uint8 RGB at the camera's full size.
        taken_at: The wall clock, with its time zone; None where nothing tells it.
        is_cut: It shows another place than the frame before.
    """

    index: int
    seconds: float
    pixels: np.ndarray
    taken_at: datetime | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class Detection:
    """Something worth looking at.

    Attributes:
        box: Where.
        score: The detector's confidence in [0, 1].
    """

    box: Box
    score: float = 1.0


@dataclass(frozen=True)
class TrackedBox:
    """Where a track is in one frame.

    Attributes:
        track: Its number; no two tracks of a footage share one.
        box: Where; the last place, while it is not seen.
        is_seen: False while it is hidden, or gone.
    """

    track: int
    box: Box
    is_seen: bool = True


@dataclass(frozen=True)
class Scene:
    """A frame and who is in it.

    Attributes:
        frame: The frame.
        tracks: The tracks in it.
        detections: What the detector found, tracked or not, in ignored places too; None while it
            cannot tell, as at the beginning.
    """

    frame: Frame
    tracks: tuple[TrackedBox, ...]
    detections: tuple[Detection, ...] | None = ()
