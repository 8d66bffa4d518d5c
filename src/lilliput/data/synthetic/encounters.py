"""People with things: trolleys, doors, parcels, vehicles at rest, bicycles, balls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lilliput.data.synthetic.colours import any_colour
from lilliput.data.synthetic.motion import (
    HANGING,
    Action,
    Gait,
    eased,
    either,
    embody,
    seconds,
    stand,
    walk_along,
)
from lilliput.data.synthetic.objects import Paint, bicycle, cart, doorway, vehicle_from_the_side
from lilliput.data.synthetic.shapes import Array, Shape, box, disc, point


def pushing(rng: np.random.Generator, num_frames: int) -> Action:
    """A person walks behind a trolley.

    Pulling is the same with time reversed: who pulls backwards looks at the trolley too, so no
    single frame tells which it is.
    """
    side = either(rng)
    path = point(side * seconds(num_frames) * rng.uniform(0.5, 0.8), 0)
    gait = walk_along(path, 0.6 * side, lift=0.03)
    hands = point(0.3 * side, 0.2)
    trolley = cart(path + point(0.65 * side, 0.02), any_colour(rng), -side)
    return Action({"Push", "activity_walking"}, trolley + embody(rng, gait, hands, hands))


def opening(rng: np.random.Generator, num_frames: int) -> Action:
    """A door swings open, mostly in somebody's hand. Closing is the same with time reversed."""
    hinge = either(rng)
    opened = eased(num_frames, rng.uniform(0.1, 0.35), rng.uniform(0.65, 0.9))
    shapes = doorway(any_colour(rng), opened, hinge)
    if rng.random() < 0.3:
        return Action({"Opening"}, shapes)
    gait = stand(num_frames, -hinge * 0.5, hinge * 0.7)
    gait = replace(gait, feet=gait.feet + point(0, 0.08))
    hand = point(hinge * (0.16 + 0.2 * opened), 0.2 - 0.04 * opened)
    return Action({"Opening", "activity_standing"}, shapes + embody(rng, gait, HANGING, hand))


def entering(rng: np.random.Generator, num_frames: int) -> Action:
    """Somebody walks into a doorway or a vehicle. Exiting is the same with time reversed."""
    side = either(rng)
    arrived = eased(num_frames, -0.2, rng.uniform(0.65, 0.95))
    feet = point(-side * rng.uniform(0.6, 1.0) * (1 - arrived), 0.14 * (1 - arrived))
    # Legs that hardly bend look the same backwards.
    gait = walk_along(feet, 0.5 * side, lift=0.03)
    person = embody(rng, gait, HANGING, HANGING, opacity=_fading(arrived, 0.85))
    if rng.random() < 0.6:
        ajar = np.full(num_frames, rng.uniform(0.75, 1))
        stage = doorway(any_colour(rng), ajar, side)
    else:
        stage = _parked(rng, num_frames, side * rng.uniform(-0.1, 0.3), either(rng))
    return Action({"Entering", "activity_walking"}, stage + person)


def loading(rng: np.random.Generator, num_frames: int) -> Action:
    """A parcel goes from a person's hands into a vehicle and is gone."""
    side = either(rng)
    vehicle = _parked(rng, num_frames, side * 1.15, side)
    moved = eased(num_frames, rng.uniform(0.15, 0.35), rng.uniform(0.6, 0.85))
    hand = point(side * (0.12 + 0.25 * moved), 0.24 - 0.12 * moved)
    person = embody(rng, stand(num_frames, 0.0, side * 0.9), hand, hand)
    parcel = box(
        point(side * (0.2 + 0.35 * moved), -0.52 - 0.05 * moved),
        rng.uniform(0.1, 0.16, 2),
        any_colour(rng),
        radius=0.02,
        opacity=_fading(moved, 0.9),
    )
    return Action({"Loading", "activity_standing"}, [*vehicle, *person, parcel])


def riding(rng: np.random.Generator, num_frames: int) -> Action:
    """A cyclist, with turning wheels and pedalling legs."""
    side = either(rng)
    way = seconds(num_frames) * rng.uniform(1.0, 1.7)
    ground = point(side * way, 0)
    pedals = Gait(ground - point(side * 0.08, 0.1), side, way / 0.4, swing=0.55, lift=0.16)
    hands = point(0.33 * side, 0.16)
    rider = embody(rng, pedals, hands, hands)
    return Action({"Riding"}, bicycle(ground, any_colour(rng), side) + rider)


def throwing(rng: np.random.Generator, num_frames: int) -> Action:
    """Miscellany: somebody throws a ball, over and over."""
    side = either(rng)
    flight = (seconds(num_frames) / rng.uniform(0.7, 1.0) + rng.uniform(0, 1)) % 1
    ball = point(side * (0.25 + 0.9 * flight), -0.95 + 1.3 * (flight - 0.3) ** 2)
    drawn_back = np.clip(1 - 4 * flight, 0, 1)
    raised = np.clip(2 - 5 * flight, 0, 1)
    hand = point(side * (0.25 - 0.3 * drawn_back), 0.1 - 0.3 * raised)
    person = embody(rng, stand(num_frames, 0.0, 0.8 * side), HANGING, hand)
    return Action({"Misc", "activity_standing"}, [*person, disc(ball, 0.06, any_colour(rng))])


def _fading(progress: Array, start: float) -> Array:
    """Opacity that falls from 1 at ``start`` to 0 shortly before the end."""
    opacity: Array = np.clip(1 - (progress - start) / (0.99 - start), 0, 1)
    return opacity


def _parked(rng: np.random.Generator, num_frames: int, x: float, side: int) -> list[Shape]:
    """A vehicle at rest, to the scale of people."""
    length = 1.9
    path = np.zeros((num_frames, 2)) + point(x / length, 0)
    vehicle = vehicle_from_the_side(Paint.draw(rng), path, side)
    return [shape.placed(point(0, 0), length) for shape in vehicle]
