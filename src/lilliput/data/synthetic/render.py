"""From a plan to frames: the scene, the actors in it, and what the camera makes of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lilliput.data.synthetic.actions import ACTIONS
from lilliput.data.synthetic.motion import Action
from lilliput.data.synthetic.plan import ClipPlan, Recording
from lilliput.data.synthetic.scene import look_at
from lilliput.data.synthetic.shapes import Array, Shape, bounds, draw


def stage(plan: ClipPlan) -> Action:
    """What happens in the clip, and all its labels."""
    return ACTIONS[plan.subject](np.random.default_rng([*plan.seed, 0]), plan.num_frames)


def render_clip(plan: ClipPlan, *, actors: bool = True) -> npt.NDArray[np.uint8]:
    """Renders a clip as the camera saw it, before compression.

    Args:
        plan: The clip.
        actors: False leaves the background alone, with the same light and noise.

    Returns:
        RGB frames, ``(T, 3, H, W)``.
    """
    return expose(compose(plan, actors=actors), plan)


def compose(plan: ClipPlan, *, actors: bool = True) -> Array:
    """The clip in even daylight and without noise, RGB in 0..1, ``(3, T, H, W)``."""
    rng = np.random.default_rng([*plan.seed, 1])
    blur = plan.recording.blur_px
    background = look_at(plan.recording.scene, rng, plan.size, blur)
    canvas = np.repeat(background[:, None], plan.num_frames, axis=1)
    if actors:
        for shape in _framed(rng, stage(plan).shapes, plan.size):
            draw(canvas, shape, blur)
    return canvas


def expose(canvas: Array, plan: ClipPlan) -> npt.NDArray[np.uint8]:
    """Adds the light's colour and flicker and the sensor's noise, ``(T, 3, H, W)``."""
    rng = np.random.default_rng([*plan.seed, 2])
    recording = plan.recording
    gain = recording.brightness * flicker(rng, recording, plan.num_frames)
    tint = np.array(recording.tint, np.float32)
    lit = canvas * (255 * tint[:, None] * gain)[:, :, None, None].astype(np.float32)
    grain = rng.standard_normal(canvas.shape[1:], dtype=np.float32)
    # Half the noise is the sensor's own, half grows with the light that falls on it.
    grain *= recording.noise * (0.5 + 0.5 * canvas[1])
    lit += grain
    np.clip(lit, 0, 255, out=lit)
    return np.ascontiguousarray(lit.astype(np.uint8).transpose(1, 0, 2, 3))


def flicker(rng: np.random.Generator, recording: Recording, num_frames: int) -> Array:
    """Mains hum and an exposure control that hunts, as a factor around 1, ``(T,)``."""
    time = np.arange(num_frames)
    hum = np.sin(2 * np.pi * rng.uniform(0.05, 0.45) * time + rng.uniform(0, 2 * np.pi))
    hunting = np.cumsum(rng.normal(0, 0.2, num_frames))
    factor: Array = np.exp(recording.flicker * (0.5 * hum + 0.5 * hunting)).astype(np.float32)
    return factor


def _framed(rng: np.random.Generator, shapes: list[Shape], size: int) -> list[Shape]:
    """Places the scene in a square crop that holds all of it, loosely and not quite centred."""
    low, high = bounds(shapes)
    extent = float((high - low).max())
    side = extent * rng.uniform(1.05, 1.4)
    slack = (side - extent) * rng.uniform(-0.5, 0.5, 2)
    origin = (low + high - side) / 2 + slack
    return [shape.placed(origin.astype(np.float32), size / side) for shape in shapes]
