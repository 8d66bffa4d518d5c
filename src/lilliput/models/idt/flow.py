"""Optical flow between the frames of a clip, and the camera's share of it.

Needs OpenCV, of the extra ``lilliput[idt]``.

Sources: Farneback, Two-Frame Motion Estimation Based on Polynomial Expansion, SCIA 2003; Kroeger
et al., Fast Optical Flow Using Dense Inverse Search, ECCV 2016; Wang and Schmid, Action Recognition
with Improved Trajectories, ICCV 2013.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from lilliput.errors import ConfigError

Flow = Literal["farneback", "dis"]

_EXTRA = "pip install 'lilliput[idt]'"
_SMALLEST_DIS = 16  # px; of less, dense inverse search finds no patch
_MATCH_STEP = 4  # px between points that are matched to find the camera's motion
_MIN_MATCHES = 20  # a homography has eight unknowns
_MIN_INLIERS = 0.5  # of the matches: the background is most of the picture
_TOLERANCE = 1.0  # px between where a homography and the flow move a point
CORNER_QUALITY = 1e-3  # of the best corner: flatter points cannot be followed


def import_cv2() -> Any:
    """OpenCV.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise ConfigError(f"hand-crafted features need OpenCV: {_EXTRA}") from None
    return cv2


def dense_flow(frames: np.ndarray, method: Flow = "farneback") -> np.ndarray:
    """How far each pixel moves from each frame to the next, px; smoothed by a median.

    Args:
        frames: Brightness, uint8.
        method: Farneback's polynomial expansion, or dense inverse search, which is quicker.

    Shape:
        - frames: ``(T, H, W)``
        - Output: ``(T - 1, H, W, 2)`` float32, x and y
    """
    cv2 = import_cv2()
    compute = _farneback(cv2)
    if method == "dis" and min(frames.shape[1:]) >= _SMALLEST_DIS:
        search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        compute = lambda before, after: search.calc(before, after, None)  # noqa: E731
    flow = np.empty((len(frames) - 1, *frames.shape[1:], 2), np.float32)
    for index in range(len(flow)):
        both = compute(frames[index], frames[index + 1])
        for axis in (0, 1):
            flow[index, ..., axis] = cv2.medianBlur(np.ascontiguousarray(both[..., axis]), 3)
    return flow


def _farneback(cv2: Any) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def compute(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        flow: np.ndarray = cv2.calcOpticalFlowFarneback(
            before, after, None, 2**-0.5, 5, 10, 2, 7, 1.5, 0
        )
        return flow

    return compute


def camera_flow(frames: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The part of the flow that a moving camera explains: a homography of the whole picture.

    It is found by RANSAC from the flow at corners. (The paper matches SURF features, too; pictures
    of these sizes have next to none.) Where fewer than half of the corners agree, there is no
    telling, and the camera counts as still.

    Shape:
        - frames: ``(T, H, W)`` uint8
        - flow: ``(T - 1, H, W, 2)``
        - Output: ``(T - 1, H, W, 2)``
    """
    cv2 = import_cv2()
    height, width = frames.shape[1:]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    camera = np.zeros_like(flow)
    for index, step in enumerate(flow):
        points = grid[::_MATCH_STEP, ::_MATCH_STEP][
            corners(frames[index])[::_MATCH_STEP, ::_MATCH_STEP]
        ]
        if len(points) < _MIN_MATCHES:
            continue
        column, row = points.astype(int).T
        homography, inliers = cv2.findHomography(
            points, points + step[row, column], cv2.RANSAC, _TOLERANCE
        )
        if homography is None or inliers.mean() < _MIN_INLIERS:
            continue
        moved = cv2.perspectiveTransform(grid.reshape(1, -1, 2), homography)
        camera[index] = moved.reshape(grid.shape) - grid
    return camera


def corners(frame: np.ndarray) -> np.ndarray:
    """Where a picture (H, W) has structure in two directions: (H, W) bool.

    Source: Shi and Tomasi, Good Features to Track, CVPR 1994.
    """
    strength: np.ndarray = import_cv2().cornerMinEigenVal(frame, 3)
    return strength > CORNER_QUALITY * max(float(strength.max()), 1e-12)
