"""What moves, by background subtraction; runs many times faster than real time."""

import cv2
import numpy as np

from lilliput.watch.scene import Box, Detection, Frame

WORKING_SIDE = 288  # px; pictures whose shorter side exceeds it are scaled down
MEMORY_SECONDS = 60.0  # time constant of learning
LONGEST_LESSON = 5.0  # seconds; in a longer gap nothing was seen, and nothing is learnt
BACKGROUND_SHARE = 0.7  # what stands still is background after -ln(0.7) of the memory: 21 s
WARM_UP_SECONDS = 1.0  # of learning before the first detections
START_SECONDS = 10.0  # of learning fast, so that whoever was there at first leaves no ghost
MAX_CHANGED = 0.6  # share of the picture; above it the light or the camera has changed
MAX_GAIN = 1.25  # brighter or darker in all; beyond, it is another light, and learnt anew
MIN_AREA = 0.001  # of what moves, as a share of the picture
MIN_CONTRAST = 25.0  # squared distance from the background in its variances
MIN_VARIANCE = 16.0  # of the background, grey levels squared; MOG2's 4 takes clouds for people
DARKEST_SHADOW = 0.7  # in brightnesses of the ground; MOG2's 0.5 takes grey clothes for shadow
_SHADOW = 127  # OpenCV's mark in the mask
_BLACK, _WHITE = 16, 250  # grey levels that tell nothing of the light


class MotionDetector:
    """Compares each frame with a background that it learns as it goes.

    The background is a mixture of Gaussians per pixel that knows shadows: Z. Zivkovic, F. van der
    Heijden, Efficient adaptive density estimation per image pixel for the task of background
    subtraction, Pattern Recognition Letters 27 (2006).
    """

    def __init__(self) -> None:
        self._background = cv2.createBackgroundSubtractorMOG2(varThreshold=MIN_CONTRAST)
        self._background.setBackgroundRatio(BACKGROUND_SHARE)
        self._background.setVarMin(MIN_VARIANCE)
        self._background.setShadowThreshold(DARKEST_SHADOW)
        self._num_frames = 0
        self._learning_since = 0.0
        self._last_seconds = 0.0

    def __call__(self, frame: Frame) -> list[Detection] | None:
        """Boxes around what moves; None while the background is being learnt."""
        height, width = frame.pixels.shape[:2]
        shrink = min(1.0, WORKING_SIDE / min(height, width))
        small = cv2.resize(frame.pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (3, 3), 0)
        steady = self._in_steady_light(small) if self._num_frames > 0 else small
        mask = self._background.apply(steady, learningRate=self._learning_rate(frame.seconds))
        is_changed = frame.is_cut or np.count_nonzero(mask) > MAX_CHANGED * mask.size
        if self._num_frames > 1 and is_changed:
            self._background.apply(small, learningRate=1.0)  # forgets all but this picture
            self._num_frames = 1
            self._learning_since = frame.seconds
        if frame.seconds - self._learning_since < WARM_UP_SECONDS:
            return None
        scale = np.array([width / small.shape[1], height / small.shape[0]] * 2)
        return [Detection(Box(*(box * scale).tolist())) for box in _find_boxes(mask > _SHADOW)]

    def _in_steady_light(self, picture: np.ndarray) -> np.ndarray:
        """As bright as the background: exposure controls hunt, and lamps hum.

        The gain is the median one of the brighter half, whose grey levels are the finer steps.
        """
        sparse = slice(None, None, max(1, min(picture.shape[:2]) // 72))
        now, usual = picture[sparse, sparse], self._background.getBackgroundImage()[sparse, sparse]
        known = (usual >= max(_BLACK, float(np.median(usual)))) & (now < _WHITE)
        if not known.any():
            return picture
        gain = float(np.median(now[known] / usual[known]))
        if not 1 / MAX_GAIN < gain < MAX_GAIN:
            return picture
        return cv2.convertScaleAbs(picture, alpha=1 / gain)

    def _learning_rate(self, seconds: float) -> float:
        if self._num_frames == 0:
            self._learning_since = seconds
        elapsed = max(0.0, seconds - self._last_seconds)  # clocks of cameras may jump back
        elapsed = min(elapsed, LONGEST_LESSON)
        self._last_seconds = seconds
        self._num_frames += 1
        rate = min(1.0, elapsed / MEMORY_SECONDS)
        if seconds - self._learning_since < START_SECONDS:
            rate = max(rate, 1 / self._num_frames)
        return rate


def _find_boxes(moving: np.ndarray) -> list[np.ndarray]:
    """Boxes (left, top, right, bottom) of the connected regions, fragments put together."""
    mask: np.ndarray = moving.astype(np.uint8)
    side = min(mask.shape)
    if side >= 32:  # below, the filter would take people for noise
        mask = cv2.medianBlur(mask, 3)
    # Taller than wide: it joins the head and the legs of one person rather than two people.
    reach = 2 * round(side / 288) + 1, 2 * max(1, round(side / 48)) + 1
    mask = cv2.morphologyEx(
        mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, reach)
    )
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    regions = stats[1:]
    large = regions[regions[:, cv2.CC_STAT_AREA] >= max(4, MIN_AREA * mask.size)]
    corners = large[:, :2]
    boxes = np.unique(np.hstack([corners, corners + large[:, 2:4]]), axis=0)
    within = (boxes[:, None, :2] >= boxes[None, :, :2]) & (boxes[:, None, 2:] <= boxes[None, :, 2:])
    return list(boxes[within.all(2).sum(1) == 1])  # each lies in itself; those in others are parts
