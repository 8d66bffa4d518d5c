"""A recogniser without a network, for drawn footage: it tells bright actors from dark ones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lilliput.checkpoint import Description
from lilliput.config import Config
from lilliput.data import LabelSet
from lilliput.inference.windows import SourceFrame
from lilliput.video.encode import write_video
from lilliput.video.normalisation import KINETICS
from lilliput.watch.scene import Box

GREY = 128
FPS = 10
SIZE = (160, 120)
SIDE = 24  # px of an actor
Draw = Callable[[float], Sequence[tuple[Box, int]]]  # from seconds to actors and their levels


class BrightOrDark:
    """Scores the mean level in the middle of the pictures: 0 at grey, 1 at white or black."""

    windows_at_once = 1
    note = ""

    def __init__(self, config: Config, class_names: Sequence[str] = ("bright", "dark")) -> None:
        self.window_seconds = 1.0
        self.description = Description(
            config=config,
            labels=LabelSet.from_names(class_names),
            normalisation=KINETICS,
            clip_seconds=1.0,
            thresholds=(0.5, 0.5),
        )

    def score_windows(self, windows: Sequence[Sequence[SourceFrame]]) -> np.ndarray:
        """(N, 2)."""
        return np.array([_scores(frames) for frames in windows], dtype=np.float32)


def _scores(frames: Sequence[SourceFrame]) -> tuple[float, float]:
    levels = []
    for frame in frames:
        pixels = frame.read().numpy()
        y, x = pixels.shape[1] // 2, pixels.shape[2] // 2
        levels.append(pixels[:, y - 1 : y + 2, x - 1 : x + 2].mean())
    level = (float(np.mean(levels)) - GREY) / GREY
    return max(0.0, min(1.0, level)), max(0.0, min(1.0, -level))


def write_footage(path: Path, seconds: float, draw: Draw, fps: int = FPS) -> Path:
    """Actors on grey, to the bit but for the colours' rounding."""
    width, height = SIZE
    frames = np.full((round(seconds * fps), height, width, 3), GREY, np.uint8)
    for index, frame in enumerate(frames):
        for box, level in draw(index / fps):
            left, top, right, bottom = (round(side) for side in box)
            frame[max(0, top) : bottom, max(0, left) : right] = level
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, fps=fps, crf=0, preset="ultrafast")
    return path


def whole(*spans: tuple[float, float, int]) -> Draw:
    """The whole picture changes its level."""
    return lambda now: [(Box(0, 0, *SIZE), level) for a, b, level in spans if a <= now < b]


def crossing(start: float, end: float, top: float, level: int, speed: float = 20.0) -> Draw:
    """An actor who walks to the right, or to the left with a speed below 0; px a second."""

    def draw(now: float) -> Sequence[tuple[Box, int]]:
        if not start <= now < end:
            return []
        left = speed * (now - start) + (0 if speed > 0 else SIZE[0] - SIDE)
        return [(Box(left, top, left + SIDE, top + SIDE), level)]

    return draw


def together(*draws: Draw) -> Draw:
    """All of them."""
    return lambda now: [actor for draw in draws for actor in draw(now)]
