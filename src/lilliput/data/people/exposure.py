"""What a camera makes of a scene: light, lens, sensor, interlacing; the file compresses it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import Light
from lilliput.data.people.scenery import clouds

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sensor:
    """How a clip is filmed.

    Attributes:
        light: What the scene is lit by; thermal cameras see warmth.
        gain: Factor on the scene's brightness.
        contrast: Factor on what differs from the mean.
        noise: Standard deviation, of 1.
        edge: Width of an edge, px: the lens.
        smear: Frames' worth of time in one exposure, 0 to 1: motion blur.
        grey: Whether colors are lost.
        interlaced: Whether every other row is a moment late.
        shake: Of the camera, px.
        flicker: Of the light, as a share.
        crf: Of the compression.
    """

    light: Light
    gain: float
    contrast: float
    noise: float
    edge: float
    smear: bool
    grey: bool
    interlaced: bool
    shake: float
    flicker: float
    crf: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Sensor":
        """Any camera, by day or at night."""
        light: Light = str(  # type: ignore[assignment]
            rng.choice(["day", "night", "infrared", "thermal"], p=[0.55, 0.2, 0.13, 0.12])
        )
        dark = light == "night"
        return cls(
            light=light,
            gain=float(rng.uniform(0.12, 0.5) if dark else rng.uniform(0.55, 1.2)),
            contrast=float(np.exp(rng.uniform(np.log(0.4), np.log(1.3)))),
            noise=float(rng.uniform(0, 0.03) * (0.5 if dark else 1.0)),
            edge=float(rng.uniform(1.0, 2.4)),
            smear=bool(rng.random() < 0.25),
            grey=light in ("infrared", "thermal") or bool(rng.random() < 0.35),
            interlaced=bool(rng.random() < 0.06),
            shake=float(rng.uniform(0.2, 1.5)) if rng.random() < 0.12 else 0.0,
            flicker=float(rng.uniform(0, 0.03)),
            crf=int(rng.integers(16, 36)),
        )

    def expose(self, rng: np.random.Generator, canvas: Array) -> npt.NDArray[np.uint8]:
        """(T, S, S, 3) in 0 to 1 to what the file holds."""
        frames, size = canvas.shape[:2]
        if self.grey:
            canvas = np.repeat(canvas @ np.array([[0.3], [0.59], [0.11]], np.float32), 3, axis=3)
        else:
            canvas = canvas * rng.uniform(0.85, 1.15, 3).astype(np.float32)
        if self.light == "infrared":  # the lamp at the camera
            at = (np.arange(size) + 0.5) / size - rng.uniform(0.3, 0.7, 2)[:, None]
            canvas = canvas * np.exp(-rng.uniform(0.5, 3) * (at[0] ** 2 + at[1][:, None] ** 2))[
                None, :, :, None
            ].astype(np.float32)
        if self.light == "thermal" and rng.random() < 0.3:  # black is hot
            canvas = 1 - canvas
        mean = canvas.mean()
        factor = 1 + self.flicker * np.cumsum(rng.normal(0, 0.5, frames))
        canvas = (mean + self.contrast * (canvas - mean)) * (self.gain * factor)[
            :, None, None, None
        ].astype(np.float32)
        if self.shake:
            canvas = _shaken(rng, canvas, self.shake)
        if self.interlaced:
            canvas[1:, 1::2] = canvas[:-1, 1::2]
        grain = rng.standard_normal((frames, size, size, 1), dtype=np.float32) * self.noise
        fixed = clouds(rng, size, max(2, size // 3))[None, :, :, None] * self.noise / 2
        lit = canvas + grain + fixed
        return (np.clip(lit, 0, 1) * 255).astype(np.uint8)


def _shaken(rng: np.random.Generator, canvas: Array, pixels: float) -> Array:
    """Whole frames moved by fractions of a pixel; edges are repeated."""
    steps = np.cumsum(rng.normal(0, pixels / 2, (canvas.shape[0], 2)), axis=0)
    steps -= steps.mean(axis=0)
    size, moved = canvas.shape[1], canvas.copy()
    for frame, (down, right) in enumerate(steps):
        for axis, step in ((0, down), (1, right)):
            at = np.clip(np.arange(size) + step, 0, size - 1)
            low = np.minimum(at.astype(int), size - 2)
            weight = (at - low).astype(np.float32)
            weight = weight[:, None, None] if axis == 0 else weight[None, :, None]
            picture = moved[frame]
            moved[frame] = (
                picture.take(low, axis) * (1 - weight) + picture.take(low + 1, axis) * weight
            )
    return moved
