"""Windows of footage, as the model would be given them while watching: a sample of bounded size."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from lilliput.errors import VideoError
from lilliput.inference.recognizer import Recognizer
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.events import WindowScores
from lilliput.watch.footage import open_footage
from lilliput.watch.pipeline import Watcher
from lilliput.watch.windows import TrackWindow


class WindowSample:
    """Every window is in it with the same probability (reservoir sampling; Vitter, 1985).

    Args:
        recognizer: The model.
        size: How many windows are kept.
        seed: Decides which.

    Attributes:
        seen: How many windows there were.
    """

    def __init__(self, recognizer: Recognizer, size: int, seed: int = 0) -> None:
        self.seen = 0
        self._recognizer = recognizer
        self._size = size
        self._rng = np.random.default_rng(seed)
        self._kept: list[torch.Tensor] = []

    def clips(self) -> torch.Tensor:
        """(N, 3, T, S, S) of the windows that were kept; of several clips each, the first."""
        return torch.stack(self._kept) if self._kept else torch.empty(0)

    def watch(
        self, cameras: Iterable[CameraSettings], tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """Adds the windows of files.

        Args:
            cameras: Files, with how people are found in them.
            tell: Given a line for each file that cannot be read, or is damaged.

        Raises:
            VideoError: A source is live: it has no end.
        """
        for camera in cameras:
            watcher = Watcher(self._recognizer, camera, inspect=self._add)
            try:
                with open_footage(watcher.camera) as footage:
                    if footage.is_live:
                        raise VideoError(f"{camera.source}: has no end; record some of it first")
                    for _ in watcher.watch(footage):
                        pass
                    for note in footage.notes:
                        tell(f"{camera.source}: {note}")
            except VideoError as error:
                tell(f"left out: {error}")

    def _add(self, window: TrackWindow, _scores: WindowScores) -> None:
        self.seen += 1
        place = len(self._kept) if len(self._kept) < self._size else self._rng.integers(self.seen)
        if place >= self._size:
            return
        clip = self._recognizer.prepare(window.sources)[0]
        if place == len(self._kept):
            self._kept.append(clip)
        else:
            self._kept[place] = clip
