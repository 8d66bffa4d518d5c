"""Untrimmed synthetic footage: a camera that watches while actors come, act and go.

Every actor, every box and every action in it is known, so that detection in time and space can
be measured where no annotated footage is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lilliput.data.spans import ActionSpan
from lilliput.data.synthetic.actors import STAGED, Ground, Part, passer_by, staged
from lilliput.data.synthetic.motion import FPS
from lilliput.data.synthetic.plan import KNOWN, Recording, plan_recording
from lilliput.data.synthetic.render import flicker
from lilliput.data.synthetic.scene import KINDS, SIDE, Scene, look_at_part
from lilliput.data.synthetic.shapes import Array, draw
from lilliput.errors import DataError

Boxes = npt.NDArray[np.intp]

_FIRST_SCENE = 9000  # cameras that filmed no clip
_LEAD_IN = 2 * FPS  # nobody is there at first
_QUIET = 0.1  # share of the footage in the middle of which nobody is there either
_APART = 8  # px between two actors
_VISIBLE = 6  # px of an actor must be in the picture
_ATTEMPTS = 40  # for each actor, to find room in space and time
_PASSERS_BY = 0.45  # share of the actors
_FRAMES_AT_ONCE = 12
_GRAIN_SHIFT = 64


@dataclass(frozen=True)
class ActorTruth:
    """Where one actor is and what it does; a pair, or a person at a door, is one actor.

    Attributes:
        first_frame: Where it is first seen.
        boxes: Left, top, right, bottom in px in every frame from then on, (T, 4); right and
            bottom lie outside. They hold all that is drawn of the actor.
        spans: Its actions.
    """

    first_frame: int
    boxes: Boxes
    spans: tuple[ActionSpan, ...]


@dataclass(frozen=True)
class FootagePlan:
    """All that determines one recording.

    Attributes:
        recording: How it is filmed.
        size: Width and height of the picture, px.
        num_frames: Length at 30 fps.
        actors: What each of them does, part by part.
        seed: Of the light and the noise.
    """

    recording: Recording
    size: tuple[int, int]
    num_frames: int
    actors: tuple[tuple[Part, ...], ...]
    seed: tuple[int, int]


def plan_footage(
    seed: int, number: int = 0, *, seconds: float = 30.0, size: tuple[int, int] = (480, 360)
) -> FootagePlan:
    """Plans a recording; the same seed and number give the same one.

    Two to six actors come in half a minute. They never overlap in the picture, though in time.

    Args:
        seed: Of the whole set of recordings.
        number: Of this recording in the set.
        seconds: Its length.
        size: Width and height of the picture, px; even numbers.

    Raises:
        DataError: It is too short or too small for anybody to appear in.
    """
    if seconds < 10 or min(size) < 200 or any(side % 2 for side in size):
        raise DataError(
            f"synthetic footage of {seconds:g} s and {size[0]}x{size[1]} px: needs 10 s or more,"
            " and even sides of 200 px or more"
        )
    rng = np.random.default_rng([seed, _FIRST_SCENE, number])
    num_frames = round(seconds * FPS)
    weights = np.array([KNOWN.kinds[kind] for kind in KINDS], float)
    kind = str(rng.choice(list(KINDS), p=weights / weights.sum()))
    scene = Scene(seed, _FIRST_SCENE + number, kind)
    recording = plan_recording(rng, f"synthetic-{number:04d}", scene, KNOWN)
    ground = Ground(*size, unit=float(rng.uniform(0.09, 0.145) * size[1]))
    actors = _plan_actors(rng, ground, num_frames, recording.blur_px)
    return FootagePlan(recording, size, num_frames, actors, (seed, number))


def truth(plan: FootagePlan) -> list[ActorTruth]:
    """Every actor's boxes and actions, in the order of appearance."""
    known = [_true(parts, plan.size, plan.recording.blur_px) for parts in plan.actors]
    return sorted(known, key=lambda actor: actor.first_frame)


def render_footage(plan: FootagePlan) -> Iterator[npt.NDArray[np.uint8]]:
    """Renders frame after frame as the camera saw it, ``(H, W, 3)`` RGB, before compression."""
    recording, (width, height) = plan.recording, plan.size
    rng = np.random.default_rng([*plan.seed, 2])
    gains = recording.brightness * flicker(rng, recording, plan.num_frames)
    tint = np.array(recording.tint, np.float32)
    # One field of noise, looked at from ever other places, is as good as many and far quicker.
    grain = recording.noise * rng.standard_normal(
        (height + _GRAIN_SHIFT, width + _GRAIN_SHIFT), dtype=np.float32
    )
    for first, canvas in _composed(plan):
        for offset in range(canvas.shape[1]):
            picture = canvas[:, offset]
            x, y = rng.integers(0, _GRAIN_SHIFT, 2)
            noise = grain[y : y + height, x : x + width] * (0.5 + 0.5 * picture[1])
            lit = picture * (255 * gains[first + offset] * tint)[:, None, None] + noise
            np.clip(lit, 0, 255, out=lit)
            yield np.ascontiguousarray(lit.astype(np.uint8).transpose(1, 2, 0))


def _composed(plan: FootagePlan) -> Iterator[tuple[int, Array]]:
    """Stretches of the footage in even daylight: the first frame, and ``(3, T, H, W)``."""
    blur = plan.recording.blur_px
    empty = empty_view(plan)
    for first in range(0, plan.num_frames, _FRAMES_AT_ONCE):
        last = min(first + _FRAMES_AT_ONCE, plan.num_frames)
        canvas = np.repeat(empty[:, None], last - first, axis=1)
        for part in (part for parts in plan.actors for part in parts):
            start = max(first, part.first_frame)
            stop = min(last, part.first_frame + part.num_frames)
            if start < stop:
                shown = slice(start - part.first_frame, stop - part.first_frame)
                for shape in part.shapes:
                    draw(canvas[:, start - first : stop - first], shape.at(shown), blur)
        yield first, canvas


def empty_view(plan: FootagePlan) -> Array:
    """The scene without actors in even daylight, RGB in 0..1, ``(3, H, W)``."""
    width, height = plan.size
    part = SIDE / max(plan.size)
    extent = (width * part, height * part)
    corner = ((SIDE - extent[0]) / 2, (SIDE - extent[1]) / 2)
    recording = plan.recording
    return look_at_part(recording.scene, corner, extent, plan.size, recording.blur_px)


def _plan_actors(
    rng: np.random.Generator, ground: Ground, num_frames: int, blur: float
) -> tuple[tuple[Part, ...], ...]:
    """Draws actors and keeps those for whom there is room."""
    wanted = max(2, round(rng.uniform(2, 6) * num_frames / (30 * FPS)))
    middle = rng.uniform(0.3, 0.7) * num_frames
    quiet = range(int(middle - _QUIET / 2 * num_frames), int(middle + _QUIET / 2 * num_frames))
    size = (ground.width, ground.height)
    kept: list[tuple[Part, ...]] = []
    places: list[ActorTruth] = []
    for _ in range(_ATTEMPTS * wanted):
        first = int(rng.integers(_LEAD_IN, num_frames))
        if rng.random() < _PASSERS_BY:
            parts: list[Part] | None = passer_by(rng, ground, first)
        else:
            parts = staged(rng, ground, first, str(rng.choice(STAGED)))
        if parts is None or parts[-1].first_frame + parts[-1].num_frames > num_frames:
            continue
        place = _true(tuple(parts), size, blur)
        if _meets(place, quiet) or any(_collide(place, other) for other in places):
            continue
        kept.append(tuple(parts))
        places.append(place)
        if len(kept) == wanted:
            break
    return tuple(kept)


def _true(parts: tuple[Part, ...], size: tuple[int, int], blur: float) -> ActorTruth:
    """Boxes and spans of what lies within the picture."""
    boxes = np.concatenate([_boxes(part, blur) for part in parts])
    boxes = np.clip(boxes, 0, [*size, *size])
    seen = np.flatnonzero((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= _VISIBLE)
    first, last = parts[0].first_frame + int(seen[0]), parts[0].first_frame + int(seen[-1])
    spans = []
    for part in parts:
        start, end = max(first, part.first_frame), part.first_frame + part.num_frames - 1
        if start <= min(end, last):
            spans += [ActionSpan(start, min(end, last), label) for label in sorted(part.labels)]
    return ActorTruth(first, boxes[seen[0] : seen[-1] + 1], tuple(spans))


def _boxes(part: Part, blur: float) -> Boxes:
    """The pixels that the part's shapes touch in each frame, ``(T, 4)``."""
    low = np.min([shape.center - shape.reach() for shape in part.shapes], axis=0) - blur / 2
    high = np.max([shape.center + shape.reach() for shape in part.shapes], axis=0) + blur / 2
    return np.concatenate([np.floor(low), np.ceil(high)], axis=1).astype(np.intp)


def _meets(actor: ActorTruth, frames: range) -> bool:
    return actor.first_frame < frames.stop and frames.start < actor.first_frame + len(actor.boxes)


def _collide(one: ActorTruth, other: ActorTruth) -> bool:
    """Whether two actors come close to each other at any moment."""
    start = max(one.first_frame, other.first_frame)
    stop = min(one.first_frame + len(one.boxes), other.first_frame + len(other.boxes))
    if start >= stop:
        return False
    a, b = (
        actor.boxes[start - actor.first_frame : stop - actor.first_frame] for actor in (one, other)
    )
    apart = np.maximum(a[:, :2] - b[:, 2:], b[:, :2] - a[:, 2:]).max(axis=1)
    return bool((apart < _APART).any())
