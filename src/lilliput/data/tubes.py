"""Annotated actions with boxes: what ``lilliput evaluate-events --boxes`` compares with.

A CSV with a line for each frame in which an actor's box is known (in between it moves in a straight
line); rows of one recording, actor and action are one tube::

    recording,actor,frame,left,top,right,bottom,action

or the ``tubelets.json`` of ``lilliput data footage``. Frames count from 0, boxes are px of the
recording.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lilliput.data.class_map import read_json
from lilliput.errors import DataError
from lilliput.scoring.arrays import FloatArray

COLUMNS = ("recording", "actor", "frame", "left", "top", "right", "bottom", "action")
_MOST_FRAMES = 10_000_000


@dataclass(frozen=True)
class ActionTube:
    """One action of one actor.

    Attributes:
        action: Its name.
        start_frame: Its first frame.
        boxes: (T, 4) left, top, right, bottom in every frame from there on.
    """

    action: str
    start_frame: int
    boxes: FloatArray


def read_tubes(path: Path) -> dict[str, list[ActionTube]]:
    """Reads the annotated tubes of each recording.

    Raises:
        DataError: The file is of neither format, or a row makes no sense.
    """
    try:
        return _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _read_csv(path: Path) -> dict[str, list[ActionTube]]:
    known: dict[tuple[str, str, str], dict[int, tuple[float, ...]]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise DataError(
                    f"{path}: lacks the column '{min(missing)}'; needs {','.join(COLUMNS)}"
                )
            for row in reader:
                frame, box = _read_row(f"{path}: line {reader.line_num}", row)
                boxes = known.setdefault((row["recording"], row["action"], row["actor"]), {})
                if frame in boxes:
                    raise DataError(
                        f"{path}: line {reader.line_num}: a second box in frame {frame}; give "
                        "another actor another name"
                    )
                boxes[frame] = box
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None
    tubes: dict[str, list[ActionTube]] = {}
    for (recording, action, _), boxes in known.items():
        tubes.setdefault(recording, []).append(_through(path, action, boxes))
    return tubes


def _read_row(where: str, row: dict[str, str]) -> tuple[int, tuple[float, ...]]:
    try:
        frame = int(row["frame"])
        left, top, right, bottom = box = tuple(float(row[side]) for side in COLUMNS[3:7])
    except (TypeError, ValueError):
        frame, box = -1, ()
        left = top = right = bottom = math.nan
    if frame < 0 or not (left < right < math.inf and top < bottom < math.inf) or not row["action"]:
        raise DataError(
            f"{where}: needs a frame from 0, a box with left before right and top before bottom, "
            "and an action"
        )
    return frame, box


def _through(path: Path, action: str, boxes: dict[int, tuple[float, ...]]) -> ActionTube:
    frames = sorted(boxes)
    if frames[-1] - frames[0] >= _MOST_FRAMES:
        raise DataError(f"{path}: '{action}' lasts too many frames; correct its frame numbers")
    every = np.arange(frames[0], frames[-1] + 1)
    sides = np.array([boxes[frame] for frame in frames]).T
    return ActionTube(
        action, frames[0], np.stack([np.interp(every, frames, side) for side in sides], axis=1)
    )


def _read_json(path: Path) -> dict[str, list[ActionTube]]:
    content = read_json(path)
    try:
        return {
            recording: [tube for actor in actors for tube in _tubes_of(actor)]
            for recording, actors in content["recordings"].items()
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise DataError(
            f"{path}: not as `lilliput data footage` writes it; give its tubelets.json or a CSV "
            f"with {','.join(COLUMNS)}"
        ) from None


def _tubes_of(actor: Any) -> list[ActionTube]:
    first, boxes = int(actor["first_frame"]), np.array(actor["boxes"], dtype=np.float64)
    tubes = []
    for action in actor["actions"]:
        start, end = int(action["start_frame"]), int(action["end_frame"])
        part = boxes[start - first : end + 1 - first]
        if start < first or part.shape != (end + 1 - start, 4):
            raise ValueError
        tubes.append(ActionTube(str(action["action"]), start, part))
    return tubes
