"""Where the picture is suddenly another: a film's cut, a camera that was turned."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from lilliput.watch.scene import Frame

THUMBNAIL = (32, 18)  # px; noise and people leave it nearly as it was
MAX_LIKENESS = 0.4  # correlation of two thumbnails; above it they show one place
MIN_CHANGE = 20.0  # grey levels in the mean; below it, noise in the dark may be unlike, too


def mark_cuts(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same frames; ``is_cut`` where one shows another place than the one before."""
    before: np.ndarray | None = None
    for frame in frames:
        small = cv2.resize(frame.pixels, THUMBNAIL, interpolation=cv2.INTER_AREA)
        grey = small.mean(axis=2, dtype=np.float64)
        yield frame if before is None or not _differ(before, grey) else replace(frame, is_cut=True)
        before = grey


def _differ(before: np.ndarray, now: np.ndarray) -> bool:
    if np.abs(now - before).mean() < MIN_CHANGE:
        return False
    one, other = before - before.mean(), now - now.mean()
    scale = np.linalg.norm(one) * np.linalg.norm(other)
    return bool((one * other).sum() < MAX_LIKENESS * scale)
