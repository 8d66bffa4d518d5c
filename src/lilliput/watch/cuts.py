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
        likeness = 1.0 if before is None else _likeness(before, grey)
        yield replace(frame, is_cut=True) if was_alike and likeness < MAX_LIKENESS else frame
        was_alike = before is not None and likeness >= MIN_LIKENESS
        before = grey


def _likeness(before: np.ndarray, now: np.ndarray) -> float:
    """Their correlation; 1 where hardly anything has changed, or nothing can be told."""
    one, other = before - before.mean(), now - now.mean()
    scale = np.linalg.norm(one) * np.linalg.norm(other)
    if scale == 0 or np.abs(now - before).mean() < MIN_CHANGE:
        return 1.0
    return float((one * other).sum() / scale)
