"""Vehicles that drive, start, stop and turn."""

from __future__ import annotations

import numpy as np

from lilliput.data.synthetic.motion import Action, either, seconds
from lilliput.data.synthetic.objects import Paint, vehicle_from_above, vehicle_from_the_side
from lilliput.data.synthetic.shapes import Array, Shape, point


def moving(rng: np.random.Generator, num_frames: int) -> Action:
    """Straight on at constant speed."""
    way = seconds(num_frames) * rng.uniform(0.5, 1.3)
    return Action({"vehicle_moving"}, _straight(rng, way))


def starting(rng: np.random.Generator, num_frames: int) -> Action:
    """Stands, then gathers speed: forwards, or backing out.

    With both gears equally likely, the frames of starting and stopping are the same ones, in
    opposite order.
    """
    gear = either(rng)
    return Action({"vehicle_starting"}, _straight(rng, gear * _gathering(rng, num_frames)))


def stopping(rng: np.random.Generator, num_frames: int) -> Action:
    """Brakes, then stands."""
    gear = either(rng)
    way = _gathering(rng, num_frames)[::-1]
    return Action({"vehicle_stopping"}, _straight(rng, gear * (way[0] - way)))


def turning_left(rng: np.random.Generator, num_frames: int) -> Action:
    """A bend to the driver's left; the right one is its mirror image."""
    how = str(rng.choice(["vehicle_moving", "vehicle_stopping", "vehicle_starting"], p=_HOW))
    way = seconds(num_frames) / seconds(num_frames)[-1]
    if how != "vehicle_moving":
        way = _gathering(rng, num_frames)
        way = way / way[-1]
    if how == "vehicle_stopping":
        way = (1 - way)[::-1]
    length, angle = rng.uniform(0.9, 1.8), np.deg2rad(rng.uniform(60, 110))
    # Straight on, an arc over the middle part, straight on; y points down, so left is negative.
    bend = np.clip((way - 0.15) / 0.7, 0, 1)
    heading = rng.uniform(0, 2 * np.pi) - angle * bend
    steps = np.diff(way, prepend=0)[:, None] * length
    path = np.cumsum(steps * point(np.cos(heading), np.sin(heading)), axis=0)
    shapes = vehicle_from_above(Paint.draw(rng), path, heading)
    return Action({how, "vehicle_turning_left"}, shapes)


_HOW = (0.6, 0.2, 0.2)


def turning_right(rng: np.random.Generator, num_frames: int) -> Action:
    """The mirror image of a bend to the left."""
    action = turning_left(rng, num_frames)
    labels = (action.labels - {"vehicle_turning_left"}) | {"vehicle_turning_right"}
    return Action(labels, [shape.mirrored() for shape in action.shapes])


def _gathering(rng: np.random.Generator, num_frames: int) -> Array:
    """Distance of a vehicle that rests for a part of the clip and then accelerates."""
    rest = rng.uniform(0.2, 0.45)
    moving_time = np.clip(np.linspace(0, 1, num_frames) - rest, 0, None) / (1 - rest)
    return rng.uniform(0.6, 1.5) * moving_time**2


def _straight(rng: np.random.Generator, way: Array) -> list[Shape]:
    """Drives ``way`` vehicle lengths along a random line, from above or from the side."""
    paint = Paint.draw(rng)
    if rng.random() < 0.25:
        side = either(rng)
        path = point(side * way, 0)
        return vehicle_from_the_side(paint, path, side)
    heading = np.full(len(way), rng.uniform(0, 2 * np.pi))
    ahead = point(np.cos(heading), np.sin(heading))
    return vehicle_from_above(paint, way[:, None] * ahead, heading)
