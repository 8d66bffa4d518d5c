"""One annotated activity: what, when and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lilliput.errors import DataError

Sides = tuple[float, float, float, float]  # left, top, right, bottom, px
_MOST_FRAMES = 10_000_000  # four days at 30 fps; more is a mistake, and would fill the memory


@dataclass(frozen=True)
class Activity:
    """One activity of one or more actors in one recording.

    Attributes:
        name: As the annotations have it.
        start_frame: Its first frame that has a box, counted as the annotations do.
        boxes: (T, 4) left, top, right, bottom in every frame from there on, px: the smallest box
            that holds all its actors.
    """

    name: str
    start_frame: int
    boxes: np.ndarray

    @property
    def end_frame(self) -> int:
        """Its last frame, which still belongs to it."""
        return self.start_frame + len(self.boxes) - 1


class ActorBoxes(NamedTuple):
    """Where one actor is known to be, and from when to when it takes part."""

    boxes: Mapping[int, Sides]
    first_frame: int
    last_frame: int


def through_actors(name: str, actors: Sequence[ActorBoxes]) -> Activity | None:
    """The activity of some actors; None if no box of them is known while they take part.

    Between frames in which an actor's box is known it moves in a straight line, as annotators'
    keyframes mean it.

    Raises:
        DataError: The frames reach too far to be true.
    """
    present = [actor for actor in map(_limit, actors) if actor is not None]
    if not present:
        return None
    start = min(actor.first_frame for actor in present)
    num_frames = max(actor.last_frame for actor in present) - start + 1
    if num_frames > _MOST_FRAMES:
        raise DataError(f"'{name}' lasts {num_frames} frames; correct its frame numbers")
    sides = np.full((num_frames, 4), np.nan)
    for actor in present:
        part = sides[actor.first_frame - start : actor.last_frame - start + 1]
        dense = _interpolate(actor)
        part[:, :2] = np.fmin(part[:, :2], dense[:, :2])  # ignores what is not a number
        part[:, 2:] = np.fmax(part[:, 2:], dense[:, 2:])
    known = np.flatnonzero(~np.isnan(sides[:, 0]))
    every = np.arange(num_frames)
    filled = [np.interp(every, known, side[known]) for side in sides.T]
    return Activity(name, start, np.stack(filled, axis=1))


def _limit(actor: ActorBoxes) -> ActorBoxes | None:
    """Takes part no longer than its boxes reach; None if that leaves nothing."""
    if not actor.boxes:
        return None
    first = max(actor.first_frame, min(actor.boxes))
    last = min(actor.last_frame, max(actor.boxes))
    return actor._replace(first_frame=first, last_frame=last) if first <= last else None


def _interpolate(actor: ActorBoxes) -> np.ndarray:
    known = sorted(actor.boxes)
    sides = np.array([actor.boxes[frame] for frame in known], dtype=np.float64)
    every = np.arange(actor.first_frame, actor.last_frame + 1)
    return np.stack([np.interp(every, known, side) for side in sides.T], axis=1)
