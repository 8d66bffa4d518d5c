"""Which clips are cut from a recording (thesis section 4.1.2).

TinyVIRAT's clips are square, at the recording's own resolution, of 10 to 128 px, and have several
labels; MEVA's activities are cut into consecutive clips of 64 frames. We found no code of its
authors, so the rest is settled here:

- Each activity is cut into consecutive clips from its first frame on. A rest that is too short is
  left out; a whole activity never is.
- A clip shows the smallest square around the boxes of its activity in all of its frames. It is
  moved into the picture where it reaches over the edge, and never scaled: what is larger or smaller
  than wanted is left out.
- A clip has the label of every activity that is under way in it, by a quarter of the clip or half
  of the activity, and of which half or more lies in its square meanwhile.
- Of clips that show the same, by half or more of their frames and of their squares, one is cut; it
  has the labels of all.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lilliput.data.cutting import lies_inside
from lilliput.data.surveillance.activity import Activity

_SAME = 0.5
_SEEN = 0.5

TOO_LARGE = "clips too large"
TOO_SMALL = "clips too small"
OUTSIDE = "clips outside the picture"
MERGED = "clips that show the same as another"
RESTS = "short ends of activities"


@dataclass(frozen=True)
class CutRule:
    """What is cut.

    Attributes:
        num_frames: Length of a clip; the last one of an activity may be shorter.
        min_frames: The least that is left of an activity for another clip.
        min_side: Least side of the square, px.
        max_side: Greatest side, px.
    """

    num_frames: int = 64
    min_frames: int = 16
    min_side: int = 10
    max_side: int = 128


class Square(NamedTuple):
    """A part of the picture, px; its side is even, as H.264 wants it."""

    left: int
    top: int
    side: int


@dataclass(frozen=True)
class ClipPlan:
    """One clip to cut.

    Attributes:
        first_frame: Its first frame in the recording.
        last_frame: Its last one, which still belongs to it.
        square: Which part of the picture.
        labels: Its classes' names.
    """

    first_frame: int
    last_frame: int
    square: Square
    labels: frozenset[str]

    @property
    def num_frames(self) -> int:
        """Its length."""
        return self.last_frame - self.first_frame + 1


def plan_clips(
    activities: Sequence[Activity],
    class_of: Mapping[str, str],
    size: tuple[int, int],
    rule: CutRule,
) -> tuple[list[ClipPlan], Counter[str]]:
    """Decides what is cut from one recording.

    Args:
        activities: All of them.
        class_of: The class of each activity's name; activities of other names are not looked at.
        size: Width and height of the picture, px.
        rule: What is wanted.

    Returns:
        The clips in the order of their first frames, and how many were left out for what.
    """
    wanted = [activity for activity in activities if activity.name in class_of]
    left_out: Counter[str] = Counter()
    planned: list[ClipPlan] = []
    for activity in wanted:
        for first, last in _pieces(activity, rule, left_out):
            square = _square(_part(activity, first, last), size, rule, left_out)
            if square is not None:
                clip = ClipPlan(first, last, square, frozenset({class_of[activity.name]}))
                planned.append(clip)
    planned.sort(key=lambda clip: (clip.first_frame, -clip.last_frame, clip.square))
    labelled = [
        replace(clip, labels=clip.labels | {class_of[a.name] for a in wanted if _is_seen(a, clip)})
        for clip in planned
    ]
    kept = _merge(labelled)
    left_out[MERGED] += len(labelled) - len(kept)
    return kept, +left_out


def _pieces(activity: Activity, rule: CutRule, left_out: Counter[str]) -> "list[tuple[int, int]]":
    starts = range(activity.start_frame, activity.end_frame + 1, rule.num_frames)
    pieces = [(start, min(start + rule.num_frames - 1, activity.end_frame)) for start in starts]
    if len(pieces) > 1 and pieces[-1][1] - pieces[-1][0] + 1 < rule.min_frames:
        left_out[RESTS] += 1
        pieces.pop()
    return pieces


def _square(
    boxes: np.ndarray, size: tuple[int, int], rule: CutRule, left_out: Counter[str]
) -> Square | None:
    """The square around all boxes; None, and the reason counted, where it is not wanted."""
    limit = np.array(size, dtype=np.float64)
    low = np.clip(boxes[:, :2].min(axis=0), 0, limit)
    high = np.clip(boxes[:, 2:].max(axis=0), 0, limit)
    if (high <= low).any():
        left_out[OUTSIDE] += 1
        return None
    side = math.ceil((high - low).max() / 2) * 2
    if side < rule.min_side:
        left_out[TOO_SMALL] += 1
        return None
    if side > min(rule.max_side, *size):
        left_out[TOO_LARGE] += 1
        return None
    corner = np.clip(np.floor((low + high - side) / 2), 0, limit - side).astype(int)
    return Square(int(corner[0]), int(corner[1]), side)


def _is_seen(activity: Activity, clip: ClipPlan) -> bool:
    """Whether a clip shows this activity."""
    first = max(activity.start_frame, clip.first_frame)
    last = min(activity.end_frame, clip.last_frame)
    if first > last or not lies_inside(
        activity.start_frame, activity.end_frame, clip.first_frame, clip.last_frame
    ):
        return False
    boxes = _part(activity, first, last)
    corner = np.array(clip.square[:2], dtype=np.float64)
    shared = np.minimum(boxes[:, 2:], corner + clip.square.side) - np.maximum(boxes[:, :2], corner)
    seen = np.maximum(shared, 0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return bool(seen.sum() >= _SEEN * areas.sum() > 0)


def _part(activity: Activity, first: int, last: int) -> np.ndarray:
    return activity.boxes[first - activity.start_frame : last - activity.start_frame + 1]


def _merge(clips: Sequence[ClipPlan]) -> list[ClipPlan]:
    """Keeps the first of those that show the same, with the labels of all."""
    kept: list[ClipPlan] = []
    current = 0  # the first of those kept that may still reach into the next clip
    for clip in clips:
        while current < len(kept) and kept[current].last_frame < clip.first_frame:
            current += 1
        same = (i for i in range(current, len(kept)) if _show_the_same(kept[i], clip))
        if (index := next(same, None)) is None:
            kept.append(clip)
        else:
            kept[index] = replace(kept[index], labels=kept[index].labels | clip.labels)
    return kept


def _show_the_same(one: ClipPlan, other: ClipPlan) -> bool:
    last, first = min(one.last_frame, other.last_frame), max(one.first_frame, other.first_frame)
    in_time = last - first + 1
    if in_time < _SAME * (one.num_frames + other.num_frames - in_time):
        return False
    a, b = one.square, other.square
    width = min(a.left + a.side, b.left + b.side) - max(a.left, b.left)
    height = min(a.top + a.side, b.top + b.side) - max(a.top, b.top)
    shared = max(width, 0) * max(height, 0)
    return shared >= _SAME * (a.side**2 + b.side**2 - shared)
