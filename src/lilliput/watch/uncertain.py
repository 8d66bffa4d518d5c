"""Clips that the model is unsure of, for someone to label: from footage to a better model.

``manifest.csv`` proposes the labels that the model would give. Once a person has corrected them,
``lilliput train RECIPE --data FOLDER/manifest.csv`` learns from them.
"""

import csv
import hashlib
from pathlib import Path

import numpy as np

from lilliput.checkpoint import Description
from lilliput.data.class_map import write_class_map
from lilliput.errors import ConfigError
from lilliput.video.encode import write_video
from lilliput.watch.events import WindowScores
from lilliput.watch.settings import EventSettings
from lilliput.watch.windows import TrackWindow

_HEADER = ("path", "labels", "split", "group", "id", "uncertain")
_LOSSLESS = 0
_VAL_SHARE = 5  # every fifth track is for validation


class UncertainClips:
    """Saves windows that are close to another label.

    Where there is any number of labels, a score lies close to its threshold. Where there is one,
    either the most likely class does, or the next one is nearly as likely (margin sampling;
    Scheffer et al., IDA 2001).

    Of windows that overlap, one is saved; all of a track are in one split.

    Args:
        folder: Where the clips and their manifest go; one that is there is gone on with.
        model: The model.
        settings: Which of its thresholds are others.
        margin: How close is uncertain.

    Attributes:
        num_saved: Clips saved so far.
    """

    def __init__(
        self, folder: Path, model: Description, settings: EventSettings, *, margin: float = 0.1
    ) -> None:
        self.num_saved = 0
        self._folder = folder
        self._names = model.labels.class_names
        self._onsets = np.array(settings.onsets_of(self._names, model.thresholds))
        self._task = model.task
        self._margin = margin
        if bad := [name for name in self._names if "|" in name or name != name.strip()]:
            raise ConfigError(
                f"class '{bad[0]}' cannot stand in a manifest; rename it without | or blanks"
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._manifest = folder / "manifest.csv"
        if not self._manifest.exists():
            write_class_map(folder / "class_map.json", model.labels)
            self._append(_HEADER)
        with self._manifest.open(newline="", encoding="utf-8") as file:
            self._ids = {row["id"] for row in csv.DictReader(file)}

    def of(self, camera: str) -> "CameraClips":
        """Takes the windows of one camera or file."""
        return CameraClips(self, camera)

    def offer(self, camera: str, window: TrackWindow, scores: np.ndarray) -> bool:
        """Saves a window that is uncertain; returns whether it was."""
        distance, unsure = self._nearest_change(scores)
        side = [length // 2 * 2 for length in window.crops()[0].shape[:2]]
        if distance > self._margin or 0 in side:  # H.264 wants even sides
            return False
        actor = f"{camera}/{window.track}"
        clip_id = f"{actor}/{window.frames[0].index}"
        path = self._folder / "clips" / f"{clip_id}.mp4"
        if clip_id in self._ids:
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures = np.stack([crop[: side[0], : side[1]] for crop in window.crops()])
        fps = len(pictures) / max(window.end_seconds - window.start_seconds, 1e-3)
        write_video(path, pictures, fps=max(1.0, fps), crf=_LOSSLESS)
        proposed = [self._names[label] for label in self._propose(scores)]
        digest = hashlib.blake2b(actor.encode(), digest_size=4).digest()
        split = "val" if int.from_bytes(digest) % _VAL_SHARE == 0 else "train"
        place = path.relative_to(self._folder).as_posix()
        row = (place, "|".join(proposed) or "|", split, actor, clip_id, self._names[unsure])
        self._append(row)
        self._ids.add(clip_id)
        self.num_saved += 1
        return True

    def _nearest_change(self, scores: np.ndarray) -> tuple[float, int]:
        """How far the scores are from another label, and the class that is in question."""
        distance = np.abs(scores - self._onsets)
        if self._task == "multi":
            return float(distance.min()), int(distance.argmin())
        best, second = (int(label) for label in np.argsort(-scores, kind="stable")[:2])
        lead = float(scores[best] - scores[second])
        return min((lead, second), (float(distance[best]), best))

    def _propose(self, scores: np.ndarray) -> list[int]:
        """The labels to be corrected; a clip that has one is never proposed without."""
        if self._task == "single":
            return [int(scores.argmax())]
        return np.flatnonzero(scores > self._onsets).tolist()

    def _append(self, row: tuple[str, ...]) -> None:
        with self._manifest.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


class CameraClips:
    """The uncertain clips of one camera; called with each window and its scores."""

    def __init__(self, clips: UncertainClips, camera: str) -> None:
        self._clips = clips
        self._camera = camera
        self._until: dict[int, float] = {}  # end of the last saved window, by track

    def __call__(self, window: TrackWindow, scores: WindowScores) -> None:
        """Saves it if it is uncertain and shows something new."""
        if window.start_seconds < self._until.get(window.track, 0.0):
            return
        if self._clips.offer(self._camera, window, scores.scores):
            self._until[window.track] = window.end_seconds
