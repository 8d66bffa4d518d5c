"""Where the picture is suddenly another: a film's cut, a camera that was turned."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from lilliput.watch.scene import Frame

THUMBNAIL = (32, 18)  # px; noise and people leave it nearly as it was
MIN_LIKENESS = 0.6  # correlation of two thumbnails of one shot
MAX_LIKENESS = 0.4  # across a cut
MIN_CHANGE = 20.0  # grey levels in the mean; below it, noise in the dark may be unlike, too


def mark_cuts(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same frames; ``is_cut`` where one shows another place than the ones before.

    Frames that are all unlike each other, as of noise or a flickering light, have no cuts.
    """
    before: np.ndarray | None = None
    was_alike = False
    for frame in frames:
        small = cv2.resize(frame.pixels, THUMBNAIL, interpolation=cv2.INTER_AREA)
        grey = small.mean(axis=2, dtype=np.float64)
        likeness = change = 0.0
        if before is not None:
            likeness, change = _likeness(before, grey), np.abs(grey - before).mean()
        is_cut = was_alike and likeness < MAX_LIKENESS and change >= MIN_CHANGE
        yield replace(frame, is_cut=True) if is_cut else frame
        was_alike = likeness >= MIN_LIKENESS
        before = grey


def _likeness(before: np.ndarray, now: np.ndarray) -> float:
    """Their correlation; 1 where a picture is all of one grey."""
    one, other = before - before.mean(), now - now.mean()
    scale = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / scale) if scale > 0 else 1.0
