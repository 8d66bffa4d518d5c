"""One clip: who does what, seen from where, by what camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.motion.skeleton import FPS
from lilliput.data.people.body import Body, Light, Solid
from lilliput.data.people.camera import Camera, draw_camera, draw_path, follow_path
from lilliput.data.people.captured import Captured
from lilliput.data.people.distractors import distract
from lilliput.data.people.drawing import paint, project
from lilliput.data.people.exposure import Sensor
from lilliput.data.people.join import turn
from lilliput.data.people.performing import choose_window, draw_take, sample
from lilliput.data.people.scenery import background, occlude
from lilliput.data.people.things import hold, support

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator

# How often each is what a clip is about; the empty name is people who do none of these.
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "standing": 9, "walking": 14, "running": 7, "sitting": 8, "sitting_down": 6,
        "standing_up": 6, "lying": 7, "falling": 8, "bending": 4, "picking_up": 4, "crouching": 4,
        "crawling": 3, "jumping": 5, "waving": 5, "pointing": 3, "carrying": 4, "pushing": 3,
        "hitting": 4, "kicking": 4, "throwing": 4, "climbing": 3, "talking_on_phone": 3, "": 3,
    }
)  # fmt: skip
PEOPLE_CLASSES = tuple(name for name in SHARES if name)
_CHANCES = np.array(list(SHARES.values())) / sum(SHARES.values())
_EYES = np.array([0.0, 1.0, 0.0])
_NOBODY = 0.12  # of all clips


@dataclass(frozen=True)
class RenderedClip:
    """A clip with what happens in it.

    Attributes:
        frames: (T, S, S, 3) uint8 RGB.
        fps: Frames a second.
        labels: In the order of ``PEOPLE_CLASSES``.
        crf: Of the compression it is to be stored with.
    """

    frames: npt.NDArray[np.uint8]
    fps: float
    labels: tuple[str, ...]
    crf: int


@dataclass(frozen=True)
class _Scene:
    solids: Sequence[Solid]
    points: Array  # (N, 3) joints of the one who is framed
    labels: frozenset[str]


def render_clip(rng: Rng, captured: Captured) -> RenderedClip:
    """Draws everything and renders it.

    Args:
        rng: Decides every pixel.
        captured: Motion capture beside the keyed actions; it may be empty.
    """
    sensor = Sensor.draw(rng)
    size, frames, seconds = _draw_size(rng), int(rng.integers(14, 25)), rng.uniform(1.4, 3.0)
    times = frames * (2 if sensor.smear else 1)
    light = np.array([rng.uniform(-0.8, 0.8), -1.0]) * rng.uniform(0.4, 1)
    if rng.random() < _NOBODY:
        scene = _Scene((), rng.normal(0, 1, (8, 3)) + _EYES, frozenset())
    else:
        scene = _draw_scene(rng, captured, seconds, times, sensor.light)
    wide = bool(rng.random() < 0.06)
    camera = draw_camera(rng, scene.points, size, wide=wide)
    path = draw_path(rng, times, size)
    margin = int(np.ceil(np.abs(path).max()))
    behind = background(rng, size + 2 * margin, camera.horizon() + margin, sensor.light)
    canvas = follow_path(behind, path, size)
    if not scene.solids or rng.random() < 0.05:
        for number in range(int(rng.integers(0, 3))):
            tracked = not (scene.solids or number) and rng.random() < 0.8
            distract(rng, canvas, light, tracked=tracked)
    if scene.solids:
        _cast_shadows(rng, canvas, scene.solids, camera, path, sensor)
        shading = 0.0 if sensor.light == "mask" else rng.uniform(0.1, 0.4)
        paint(canvas, project(scene.solids, camera, path), sensor.edge, light, shading)
    if rng.random() < 0.07:
        occlude(rng, canvas)
    if sensor.smear:
        canvas = (canvas[::2] + canvas[1::2]) / 2
    labels = tuple(name for name in PEOPLE_CLASSES if name in scene.labels)
    return RenderedClip(sensor.expose(rng, canvas), frames / seconds, labels, sensor.crf)


def _draw_size(rng: Rng) -> int:
    """Even, because video chroma is halved."""
    kind = rng.random()
    low, high = (20, 48) if kind < 0.55 else (48, 80) if kind < 0.87 else (10, 20)
    if kind > 0.94:
        low, high = 80, 128
    return 2 * round(rng.uniform(low, high) / 2)


def _draw_scene(rng: Rng, captured: Captured, seconds: float, times: int, light: Light) -> _Scene:
    """One person, now and then two or three; the first one is framed."""
    people = 1 if rng.random() < 0.93 else int(rng.integers(2, 4))
    solids: list[Solid] = []
    labels: set[str] = set()
    points: list[Array] = []
    for person in range(people):
        wanted = str(rng.choice(list(SHARES), p=_CHANCES))
        take = draw_take(rng, captured, wanted, round(seconds * FPS))
        motion = take.motion.mirrored() if take.held is None and rng.random() < 0.5 else take.motion
        if person:
            motion = turn(motion, rng.uniform(0, 2 * np.pi))
        moments, done = choose_window(
            rng, take, wanted, seconds * FPS * rng.uniform(0.8, 1.2), times
        )
        body = Body.draw(rng, light)
        at = _place(body.joints(motion), 0.45 if take.support == "bed" else 0.0)
        first = {name: sample(places, moments) for name, places in at.items()}
        shift = np.zeros(3, np.float32)
        if person:  # beside the first one, wherever the take itself was
            aside = rng.uniform(0.7, 2.5) * _unit(rng)
            shift = (points[0].mean(axis=0) + aside - first["pelvis"].mean(axis=0)) * [1, 0, 1]
        worn = body.solids(at)
        if take.held:
            worn += hold(rng, take.held, at)
        if take.support and rng.random() < 0.8:
            worn += support(rng, take.support, at, take.spans)
        solids += _sampled(worn, moments, shift)
        labels |= done
        points.append(np.concatenate(list(first.values())) + shift)
    whole = people > 1 and rng.random() < 0.6
    return _Scene(solids, np.concatenate(points) if whole else points[0], frozenset(labels))


def _place(at: Mapping[str, Array], raised: float) -> Mapping[str, Array]:
    """On the ground, or so many m above it; a body of other lengths would float or sink."""
    low = float(np.percentile(np.min([places[:, 1] for places in at.values()], axis=0), 5))
    down = np.array([0, raised - low if low < 0.4 else raised, 0], np.float32)
    return {name: places + down for name, places in at.items()}


def _sampled(solids: Sequence[Solid], moments: Array, shift: Array) -> list[Solid]:
    """The solids at the moments, moved."""
    ends = np.stack([end for solid in solids for end in (solid.start, solid.end)], axis=1)
    ends = (sample(ends, moments) + shift).astype(np.float32)
    return [
        replace(solid, start=ends[:, 2 * number], end=ends[:, 2 * number + 1])
        for number, solid in enumerate(solids)
    ]


def _unit(rng: Rng) -> Array:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), 0, np.sin(angle)])


def _cast_shadows(
    rng: Rng, canvas: Array, solids: Sequence[Solid], camera: Camera, path: Array, sensor: Sensor
) -> None:
    """On the ground, away from the sun or under the lamp."""
    strength = rng.uniform(-0.2, 0.5)
    if strength < 0.05 or sensor.light in ("thermal", "mask"):
        return
    lean = rng.normal(0, 0.8, 2)
    flat = np.array([[1, 0, 0], [lean[0], 0, lean[1]], [0, 0, 1]], np.float32)
    shadows = [
        Solid(solid.start @ flat, solid.end @ flat, solid.radii, (0.02, 0.02, 0.03), strength)
        for solid in solids
        if max(solid.radii) > 0.055
    ]
    if shadows:
        paint(canvas, project(shadows, camera, path), 2 * sensor.edge, np.zeros(2), 0.0)
