"""Real clips of people, cut as watching cuts them: a square around wherever the person was.

From gmdcsa24 (people at home), ARID (people at night) and PETS 2009 S2L1 (a campus); none of them
is part of Lilliput. Boxes come from a public YOLOX network, or from the truth.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from lilliput.video.decode import VideoReader

Array = npt.NDArray[np.floating[Any]]
Frames = npt.NDArray[np.uint8]  # (T, H, W, 3) RGB

FRAMES, SIDE = 16, 64  # of every clip that is cut
WINDOW_SECONDS, HOP_SECONDS = 2.0, 1.0
CONTEXT = 1.2  # side of a square, in sides of what it is around
_LABELS = {"walking": "walk", "sitting": "sit", "standing": "stand", "lying": "lie"}
_FALL_SECONDS = 1.8  # after which someone lies


@dataclass(frozen=True)
class RealClip:
    """A clip with its one label.

    Attributes:
        name: Of its recording.
        label: What is done.
        frames: What is seen.
        empty: The same square without anyone, where that can be had.
    """

    name: str
    label: str
    frames: Frames
    empty: Frames | None = None


class Yolox:
    """Finds the person that a YOLOX network is surest of."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options)
        self._input = self._session.get_inputs()[0]
        self._side = int(self._input.shape[-1])
        cells = [(self._side // step, step) for step in (8, 16, 32)]
        grids = [
            np.stack(np.meshgrid(np.arange(n), np.arange(n)), -1).reshape(-1, 2) for n, _ in cells
        ]
        self._grid = np.concatenate(grids)
        self._step = np.concatenate([np.full((n * n, 1), step) for n, step in cells])

    def __call__(self, picture: Frames, least: float = 0.2) -> Array | None:
        """(4,) left, top, right, bottom in px; None where there is nobody.

        Dark pictures are made brighter first.
        """
        pixels = picture[..., ::-1].astype(np.float32)
        pixels = np.clip(pixels * max(1.0, 110 / max(float(pixels.mean()), 4.0)), 0, 255)
        ratio = self._side / max(picture.shape[:2])
        size = round(picture.shape[1] * ratio), round(picture.shape[0] * ratio)
        padded = np.full((self._side, self._side, 3), 114, np.float32)
        padded[: size[1], : size[0]] = cv2.resize(pixels, size)
        (rows,) = self._session.run(None, {self._input.name: padded.transpose(2, 0, 1)[None]})[0]
        scores = rows[:, 4] * rows[:, 5]
        best = int(scores.argmax())
        if scores[best] < least:
            return None
        middle = (rows[best, :2] + self._grid[best]) * self._step[best]
        half = np.exp(rows[best, 2:4]) * self._step[best] / 2
        return np.concatenate([middle - half, middle + half]) / ratio


def read(path: Path) -> tuple[Frames, float]:
    """All frames, and how many a second."""
    with VideoReader(path) as reader:
        return np.stack([frame.transpose(1, 2, 0) for frame in reader]), reader.fps


def find_boxes(detect: Yolox, frames: Frames, fps: float) -> Array | None:
    """(T, 4) boxes, found five times a second and interpolated; None where nobody is found."""
    at = range(0, len(frames), max(1, round(fps / 5)))
    found = [(frame, box) for frame in at if (box := detect(frames[frame])) is not None]
    if not found:
        return None
    moments, boxes = [frame for frame, _ in found], np.array([box for _, box in found])
    columns = [np.interp(range(len(frames)), moments, boxes[:, side]) for side in range(4)]
    return np.stack(columns, axis=1)


def cut(frames: Frames, boxes: Array) -> tuple[Frames, slice, slice]:
    """(FRAMES, SIDE, SIDE, 3) of the square around all boxes, and which rows and columns it is."""
    height, width = frames.shape[1:3]
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = min(round(float((high - low).max()) * CONTEXT), height, width)
    corner = ((low + high) / 2 - side / 2).round().clip(0, (width - side, height - side))
    left, top = corner.astype(int)
    rows, columns = slice(top, top + side), slice(left, left + side)
    return shrink(frames[:, rows, columns]), rows, columns


def shrink(frames: Frames, size: tuple[int, int] = (SIDE, SIDE)) -> Frames:
    """As many frames as a clip has, of a size (width, height)."""
    picks = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    small = [cv2.resize(frames[pick], size, interpolation=cv2.INTER_AREA) for pick in picks]
    return np.stack(small).astype(np.uint8)


def gmdcsa24(root: Path, detect: Yolox) -> Iterator[RealClip]:
    """Windows of 2 s: walk, sit, stand, lie, fall."""
    intervals: Mapping[str, list[tuple[float, float, str]]] = defaultdict(list)
    with (root / "actions.csv").open() as file:
        for row in csv.DictReader(file):
            span = float(row["start_seconds"]), float(row["end_seconds"])
            intervals[row["recording"]].append((*span, row["action"]))
    for name, spans in sorted(intervals.items()):
        frames, fps = read(root / f"{name}.mp4")
        boxes = find_boxes(detect, frames, fps)
        if boxes is None:
            continue
        room = np.median(frames[:: max(1, len(frames) // 25)], axis=0).astype(np.uint8)
        for start, end, label in _windows(spans, len(frames) / fps):
            first, stop = round(start * fps), min(round(end * fps), len(frames))
            clip, rows, columns = cut(frames[first:stop], boxes[first:stop])
            empty = shrink(np.repeat(room[None, rows, columns], FRAMES, axis=0))
            yield RealClip(name, label, clip, empty)


def _windows(
    spans: Sequence[tuple[float, float, str]], seconds: float
) -> Iterator[tuple[float, float, str]]:
    for start, end, action in spans:
        end = min(end, seconds)
        if action == "falling":
            yield max(0.0, start - 0.3), min(start + WINDOW_SECONDS - 0.3, end), "fall"
            yield from _slide(start + _FALL_SECONDS, end, "lie", shortest=1.2)
        elif action in _LABELS:
            yield from _slide(start, end, _LABELS[action], shortest=0.8)


def _slide(
    start: float, end: float, label: str, shortest: float
) -> Iterator[tuple[float, float, str]]:
    while end - start >= shortest:
        yield start, min(start + WINDOW_SECONDS, end), label
        start, shortest = start + HOP_SECONDS, 1.2


def arid(root: Path, split: str, detect: Yolox | None) -> Iterator[RealClip]:
    """The clips of a split, whole without a detector; turning is left out."""
    for path in sorted((root / split).glob("*/*.mp4")):
        if path.parent.name == "Turn":
            continue
        frames, fps = read(path)
        boxes = find_boxes(detect, frames, fps) if detect else None
        clip = shrink(frames, (80, 60)) if boxes is None else cut(frames, boxes)[0]
        yield RealClip(path.stem, path.parent.name.lower(), clip)


def pets(video: Path, truth: Path) -> Iterator[RealClip]:
    """Windows of 2 s of the true boxes: ``move``, or ``stay`` below 0.6 heights of way."""
    frames, fps = read(video)
    tracks: Mapping[str, dict[int, list[float]]] = defaultdict(dict)
    with truth.open() as file:
        for row in csv.reader(file):
            left, top, width, height = map(float, row[2:6])
            tracks[row[1]][int(float(row[0])) - 1] = [left, top, left + width, top + height]
    length = round(WINDOW_SECONDS * fps)
    for track, boxes in tracks.items():
        for start in range(min(boxes), max(boxes) - length + 2, length):
            window = [boxes[frame] for frame in range(start, start + length) if frame in boxes]
            if len(window) < length:
                continue
            there = np.array(window)
            middles = (there[:, :2] + there[:, 2:]) / 2
            way = np.linalg.norm(middles[-1] - middles[0]) / np.ptp(there[:, 1::2], axis=1).mean()
            clip = cut(frames[start : start + length], there)[0]
            yield RealClip(track, "move" if way > 0.6 else "stay", clip)
