"""People by themselves and with each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lilliput.data.synthetic.colours import any_colour
from lilliput.data.synthetic.hands import DOINGS, perform
from lilliput.data.synthetic.motion import (
    Action,
    Builder,
    Gait,
    eased,
    either,
    embody,
    run,
    seconds,
    stand,
    walk,
    walk_along,
)
from lilliput.data.synthetic.shapes import Shape, box, point


def solo(*doings: str, standing: float) -> Builder:
    """One person doing one of ``doings``, standing with the given probability, else walking."""

    def build(rng: np.random.Generator, num_frames: int) -> Action:
        doing = str(rng.choice(doings))
        if rng.random() < standing:
            gait, labels = stand(num_frames, facing=rng.uniform(-1, 1)), {"activity_standing"}
        else:
            gait, labels = walk(rng, num_frames), {"activity_walking"}
        action = Action(labels | _labels_of(doing), perform(rng, gait, doing))
        return _with_bystander(rng, action, gait)

    return build


def running(rng: np.random.Generator, num_frames: int) -> Action:
    """One person runs."""
    return Action({"activity_running"}, perform(rng, run(rng, num_frames), "nothing"))


def talking(rng: np.random.Generator, num_frames: int) -> Action:
    """Two people face each other, or walk side by side, and speak with their hands."""
    apart = rng.uniform(0.25, 0.4)
    strolling = rng.random() < 0.25
    labels = {"Talking", "activity_walking" if strolling else "activity_standing"}
    pace = walk(rng, num_frames)
    shapes: list[Shape] = []
    for side in (-1, 1):
        doing = str(rng.choice(["talk", "bag", "text", "wave"], p=[0.76, 0.1, 0.08, 0.06]))
        labels |= _labels_of(doing)
        gait = stand(num_frames, side * apart, -side * rng.uniform(0.6, 1))
        if strolling:
            gait = replace(pace, feet=pace.feet + point(side * apart, 0))
        shapes += perform(rng, gait, doing)
    return Action(labels, shapes)


def interacting(rng: np.random.Generator, num_frames: int) -> Action:
    """Two people walk up to each other and touch hands."""
    met = eased(num_frames, 0.0, rng.uniform(0.5, 0.75))
    touch = eased(num_frames, 0.4, rng.uniform(0.75, 0.9))
    shapes: list[Shape] = []
    for side in (-1, 1):
        x = side * (0.24 + rng.uniform(0.5, 0.8) * (1 - met))
        hand = point(-side * 0.24 * touch, 0.36 - 0.26 * touch)
        shapes += embody(rng, walk_along(point(x, 0), -side), hand, hand)
    return Action({"Interacts", "activity_walking"}, shapes)


def carrying_heavily(rng: np.random.Generator, num_frames: int) -> Action:
    """A slow walk with something large, by one person or with a second at its other end."""
    side = either(rng)
    gait = walk_along(
        point(side * seconds(num_frames) * rng.uniform(0.25, 0.4), 0), side, swing=0.3
    )
    labels = {"Transport_HeavyCarry", "activity_walking"}
    if rng.random() < 0.5:
        hands = point(0.24 * side, 0.12)
        load = gait.feet + point(0.42 * side, -0.62)
        thing = box(load, rng.uniform(0.2, 0.28, 2), any_colour(rng), radius=0.03)
        return Action(labels, [*embody(rng, gait, hands, hands), thing])
    apart = rng.uniform(0.5, 0.7)
    hands = point(0.05, 0.34)
    shapes: list[Shape] = []
    for place in (-apart, apart):
        one = replace(gait, feet=gait.feet + point(place, 0))
        shapes += embody(rng, one, hands, hands)
    half = (apart, rng.uniform(0.08, 0.2))
    return Action(labels, [*shapes, box(gait.feet - point(0, 0.46), half, any_colour(rng))])


def _labels_of(doing: str) -> set[str]:
    label = DOINGS[doing].label
    return set() if label is None else {label}


def _with_bystander(rng: np.random.Generator, action: Action, gait: Gait) -> Action:
    """Now and then somebody else stands about, so that two people are no sign of a class."""
    if rng.random() > 0.2:
        return action
    num_frames = len(gait.feet)
    beside = gait.feet[num_frames // 2, 0] + either(rng) * rng.uniform(0.5, 0.8)
    other = perform(rng, stand(num_frames, beside, rng.uniform(-1, 1)), "nothing")
    return Action(action.labels | {"activity_standing"}, other + action.shapes)
