"""Who passes through untrimmed footage, and what they do there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lilliput.data.synthetic.actions import ACTIONS
from lilliput.data.synthetic.hands import DOINGS, perform
from lilliput.data.synthetic.motion import FPS, either, stand, walk_along
from lilliput.data.synthetic.person import Look
from lilliput.data.synthetic.shapes import Array, Shape, bounds, point

# What passers-by do on a spot.
_ON_THE_SPOT = ("nothing", "wave", "text", "call", "hammer", "squat")
# What needs more than one person, or a thing, comes as it is in a clip.
STAGED = (
    "activity_running", "activity_carrying", "Talking", "Interacts", "Transport_HeavyCarry",
    "Misc", "Riding", "Loading", "Push", "Pull", "Opening", "Closing", "Entering", "Exiting",
    "vehicle_moving", "vehicle_starting", "vehicle_stopping", "vehicle_turning_left",
    "vehicle_turning_right",
)  # fmt: skip
_VEHICLE_LENGTH = 1.9  # in heights of a person
_FADE = 10  # frames in which what is staged appears, and vanishes


@dataclass(frozen=True)
class Part:
    """A stretch of an actor's stay, during which the same classes hold.

    Attributes:
        first_frame: Its place in the footage.
        labels: The classes; none where something only appears or vanishes.
        shapes: Placed in pixels, back to front.
    """

    first_frame: int
    labels: frozenset[str]
    shapes: list[Shape]

    @property
    def num_frames(self) -> int:
        """Its length."""
        return len(self.shapes[0].center)


@dataclass(frozen=True)
class Ground:
    """Where actors may be.

    Attributes:
        width: Of the picture, px.
        height: Likewise.
        unit: Height of a person halfway down the picture, px.
    """

    width: int
    height: int
    unit: float

    def scale(self, y: float) -> float:
        """Height in px of a person with the feet at ``y`` px: nearer is lower and larger."""
        return self.unit * (0.7 + 0.6 * y / self.height)

    def anywhere(self, rng: np.random.Generator) -> float:
        """A random line to stand on, px from the top."""
        return float(rng.uniform(0.45, 0.97) * self.height)


def passer_by(rng: np.random.Generator, ground: Ground, first_frame: int) -> list[Part]:
    """One person walks in from a side, stops once or twice to do something, and walks out."""
    y = ground.anywhere(rng)
    scale = ground.scale(y)
    look, width = Look.draw(rng), ground.width / scale
    side = either(rng)  # where the person comes from
    here = width / 2 + side * (width / 2 + 0.4)
    parts: list[Part] = []

    def then(labels: set[str], shapes: list[Shape]) -> None:
        start = parts[-1].first_frame + parts[-1].num_frames if parts else first_frame
        parts.append(Part(start, frozenset(labels), _placed(shapes, point(0, -y / scale), scale)))

    for _ in range(rng.integers(1, 3)):
        there = float(np.clip(here - side * rng.uniform(1.5, 4.0), 0.6, width - 0.6))
        then({"activity_walking"}, _way(rng, look, here, there))
        doing = str(rng.choice(_ON_THE_SPOT))
        gait = stand(int(FPS * rng.uniform(2.5, 5.0)), there, rng.uniform(-1, 1))
        label = DOINGS[doing].label
        labels = {"activity_standing"} | (set() if label is None else {label})
        then(labels, perform(rng, gait, doing, look))
        here = there
    out = either(rng)
    there = width / 2 + out * (width / 2 + 0.4)
    then({"activity_walking"}, _way(rng, look, here, there))
    return parts


def staged(
    rng: np.random.Generator, ground: Ground, first_frame: int, subject: str
) -> list[Part] | None:
    """A scene of the synthetic clips, somewhere in the picture; it appears and vanishes softly.

    None if it is too large for the picture.
    """
    num_frames = int(rng.integers(60, 91))
    action = ACTIONS[subject](rng, num_frames)
    low, high = bounds(action.shapes)
    y = ground.anywhere(rng)
    scale = ground.scale(y) * (_VEHICLE_LENGTH if subject.startswith("vehicle") else 1)
    width, height = (high - low) * scale
    if width > ground.width - 8 or height > y - 4:
        return None
    left = rng.uniform(4, ground.width - width - 4)
    shapes = _placed(action.shapes, low - point(left, y - height) / scale, scale)
    rising = np.linspace(0, 1, _FADE + 2, dtype=np.float32)[1:-1]
    return [
        Part(first_frame, frozenset(), _still(shapes, 0, rising)),
        Part(first_frame + _FADE, frozenset(action.labels), shapes),
        Part(first_frame + _FADE + num_frames, frozenset(), _still(shapes, -1, rising[::-1])),
    ]


def _way(rng: np.random.Generator, look: Look, here: float, there: float) -> list[Shape]:
    """Walks from one place to another."""
    speed = rng.uniform(0.6, 0.95)  # heights a second, as in the clips
    num_frames = max(2, round(abs(there - here) / speed * FPS))
    path = point(np.linspace(here, there, num_frames), 0)
    facing = float(np.sign(there - here) * rng.uniform(0.75, 1))
    return perform(rng, walk_along(path, facing, swing=0.42), "nothing", look)


def _placed(shapes: list[Shape], origin: Array, scale: float) -> list[Shape]:
    """In pixels, and all of one length: what never moves may have come with a single frame."""
    num_frames = max(len(shape.center) for shape in shapes)
    every = np.arange(num_frames)
    return [
        shape.placed(origin.astype(np.float32), scale).at(np.minimum(every, len(shape.center) - 1))
        for shape in shapes
    ]


def _still(shapes: list[Shape], frame: int, opacity: Array) -> list[Shape]:
    """One frame held, at an opacity that changes."""
    held = [shape.at(np.full(len(opacity), frame, np.intp)) for shape in shapes]
    return [replace(shape, opacity=shape.opacity * opacity) for shape in held]
