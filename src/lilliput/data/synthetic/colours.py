"""Random colours of clothes, paint and ground."""

from __future__ import annotations

import numpy as np

from lilliput.data.synthetic.shapes import Colour


def any_colour(rng: np.random.Generator, brightest: float = 0.95) -> Colour:
    """A random, rather unsaturated colour."""
    grey = rng.uniform(0.05, brightest)
    red, green, blue = np.clip(grey + rng.uniform(-0.12, 0.12, 3), 0.02, 0.98)
    return float(red), float(green), float(blue)


def shaded(colour: Colour, factor: float) -> Colour:
    """A darker or lighter one."""
    red, green, blue = (min(1.0, factor * part) for part in colour)
    return red, green, blue
