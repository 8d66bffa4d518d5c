"""What a camera makes of a scene: light, lens, sensor, interlacing; the file compresses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.body import Light
from lilliput.data.people.scenery import clouds

Array = npt.NDArray[np.floating[Any]]

# How often each; a mask is what is left of a scene when a camera gives the moving parts alone.
_LIGHTS: Mapping[Light, float] = MappingProxyType(
    {"day": 0.66, "night": 0.14, "infrared": 0.08, "thermal": 0.06, "mask": 0.06}
)


@dataclass(frozen=True)
class Sensor:
    """How a clip is filmed.

    Attributes:
        light: What the scene is lit by; thermal cameras see warmth.
        brightness: Mean of the picture, of 1, as automatic exposure holds it; it cannot at night.
        contrast: Factor on what differs from the mean.
        noise: Standard deviation, of 1.
        lamps: How many light the scene; 0 is even light.
        edge: Width of an edge, px: the lens.
        smear: Frames' worth of time in one exposure, 0 to 1: motion blur.
        grey: Whether colors are lost.
        interlaced: Whether every other row is a moment late.
        flicker: Of the light, as a share.
        crf: Of the compression.
    """

    light: Light
    brightness: float
    contrast: float
    noise: float
    lamps: int
    edge: float
    smear: bool
    grey: bool
    interlaced: bool
    flicker: float
    crf: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Sensor":
        """Any camera, by day or at night."""
        light: Light = str(  # type: ignore[assignment]
            rng.choice(list(_LIGHTS), p=list(_LIGHTS.values()))
        )
        dark, mask = light == "night", light == "mask"
        noise = 0.0 if mask else min(float(rng.exponential(0.004 if dark else 0.01)), 0.04)
        return cls(
            light=light,
            brightness=float(np.exp(rng.uniform(-3.4, -1.4)) if dark else rng.uniform(0.22, 0.65)),
            contrast=1.0 if mask else float(np.exp(rng.uniform(np.log(0.55), np.log(1.35)))),
            noise=noise,
            lamps=int(rng.integers(1, 5)) if dark else int(rng.random() < 0.15),
            edge=float(rng.uniform(0.8, 1.9)),
            smear=bool(rng.random() < 0.25),
            grey=light in ("infrared", "thermal", "mask") or bool(rng.random() < 0.3),
            interlaced=bool(rng.random() < 0.06),
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
            canvas = canvas * _lamp(rng, size, (0.3, 0.7), (0.5, 3))
        if self.lamps:
            lamps = [_lamp(rng, size, (-0.3, 1.3), (1, 9)) for _ in range(self.lamps)]
            canvas = canvas * (rng.uniform(0.1, 0.5) + np.maximum.reduce(lamps))
        if self.light in ("thermal", "mask") and rng.random() < 0.3:  # black is hot
            canvas = 1 - canvas
        if self.light != "mask":
            mean = canvas.mean()
            factor = 1 + self.flicker * np.cumsum(rng.normal(0, 0.5, frames))
            gain = (self.brightness / max(float(mean), 0.02) * factor).astype(np.float32)
            canvas = (mean + self.contrast * (canvas - mean)) * gain[:, None, None, None]
        if self.interlaced:
            canvas[1:, 1::2] = canvas[:-1, 1::2]
        grain = rng.standard_normal((frames, size, size, 1), dtype=np.float32) * self.noise
        fixed = clouds(rng, size, max(2, size // 3))[None, :, :, None] * self.noise / 2
        lit = canvas + grain + fixed
        return (np.clip(lit, 0, 1) * 255).astype(np.uint8)


def _lamp(
    rng: np.random.Generator, size: int, place: tuple[float, float], narrow: tuple[float, float]
) -> Array:
    """(1, S, S, 1) the light of one lamp, 1 where it is brightest."""
    at = (np.arange(size) + 0.5) / size - rng.uniform(*place, 2)[:, None]
    light = np.exp(-rng.uniform(*narrow) * (at[0] ** 2 + at[1][:, None] ** 2))
    lit: Array = light.astype(np.float32)[None, :, :, None]
    return lit
