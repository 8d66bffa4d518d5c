"""Which boxes of successive frames are the same actor."""

from collections.abc import Sequence

import norfair
import numpy as np
import torch
from norfair.distances import VectorizedDistance
from torchvision.ops import distance_box_iou

from lilliput.watch.scene import Box, Detection, TrackedBox

MIN_SECONDS = 0.4  # a track counts once it was seen this long
COAST_SECONDS = 1.0  # it is kept this long without being seen
MAX_DISTANCE = 1.3  # 0: the same box; 1: side by side or so; 2: far apart


class Tracker:
    """Follows boxes with a Kalman filter each; ids count from 1 and are never reused.

    Matches by distance IoU, which still tells near from far where small, fast boxes do not
    overlap (Z. Zheng et al., Distance-IoU Loss, AAAI 2020).

    Args:
        fps: Calls per second.
    """

    def __init__(self, fps: float) -> None:
        coasting = max(2, round(COAST_SECONDS * fps))
        self._tracker = norfair.Tracker(
            distance_function="iou",
            distance_threshold=MAX_DISTANCE,
            hit_counter_max=coasting,
            initialization_delay=min(coasting - 1, max(1, round(MIN_SECONDS * fps) - 1)),
            past_detections_length=0,
        )
        # Set afterwards: the constructor would call a function once for each pair.
        self._tracker.distance_function = VectorizedDistance(_distances)
        self._tracked: dict[int, TrackedBox] = {}

    def __call__(self, detections: Sequence[Detection]) -> list[TrackedBox]:
        """The tracks of the next frame, by id; where one is not seen, its last box.

        Args:
            detections: All of this frame; none where there are none.
        """
        found = [
            norfair.Detection(np.array(detection.box, dtype=float).reshape(2, 2))
            for detection in detections
        ]
        tracked: dict[int, TrackedBox] = {}
        for track in self._tracker.update(found):
            assert track.id is not None  # only of those that do not count yet
            box = Box(*np.sort(track.estimate, axis=0).ravel().tolist())
            # The filter would let what is hidden drift on for ever, through walls as well.
            last = self._tracked.get(track.id)
            is_seen = bool(track.live_points.any())
            if not is_seen and last is not None:
                box = last.box
            tracked[track.id] = TrackedBox(track.id, box, is_seen)
        self._tracked = tracked
        return [tracked[number] for number in sorted(tracked)]


def _distances(candidates: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """(N, M) in [0, 2] of boxes (N, 4) and (M, 4)."""
    nearness = distance_box_iou(torch.from_numpy(candidates), torch.from_numpy(tracks))
    # Two boxes without an area have no overlap that is a number.
    return np.asarray(1 - nearness.nan_to_num(-1.0))
