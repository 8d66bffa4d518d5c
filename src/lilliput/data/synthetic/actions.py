"""What happens in a clip: one scene builder per class.

A builder draws the details of its scene at random and returns the shapes with every label that
is then true, so scenes of one class carry others as well.
"""

from __future__ import annotations

import numpy as np

from lilliput.data.synthetic import driving, encounters, people
from lilliput.data.synthetic.motion import Action, Builder


def _backwards(build: Builder, label: str, instead: str) -> Builder:
    """The reversed scene: the same frames in opposite order, and another label."""

    def build_backwards(rng: np.random.Generator, num_frames: int) -> Action:
        action = build(rng, num_frames)
        labels = (action.labels - {label}) | {instead}
        return Action(labels, [shape.reversed() for shape in action.shapes])

    return build_backwards


ACTIONS: dict[str, Builder] = {
    "activity_standing": people.solo("nothing", standing=1.0),
    "activity_walking": people.solo("nothing", standing=0.0),
    "activity_running": people.running,
    "activity_carrying": people.solo("box", "bag", standing=0.35),
    "activity_gesturing": people.solo("wave", standing=1.0),
    "specialized_texting_phone": people.solo("text", standing=0.7),
    "specialized_talking_phone": people.solo("call", standing=0.6),
    "specialized_using_tool": people.solo("hammer", standing=1.0),
    "specialized_miscellaneous": people.solo("squat", standing=1.0),
    "Talking": people.talking,
    "Interacts": people.interacting,
    "Transport_HeavyCarry": people.carrying_heavily,
    "Misc": encounters.throwing,
    "Riding": encounters.riding,
    "Loading": encounters.loading,
    "Push": encounters.pushing,
    "Pull": _backwards(encounters.pushing, "Push", "Pull"),
    "Opening": encounters.opening,
    "Closing": _backwards(encounters.opening, "Opening", "Closing"),
    "Entering": encounters.entering,
    "Exiting": _backwards(encounters.entering, "Entering", "Exiting"),
    "vehicle_moving": driving.moving,
    "vehicle_starting": driving.starting,
    "vehicle_stopping": driving.stopping,
    "vehicle_turning_left": driving.turning_left,
    "vehicle_turning_right": driving.turning_right,
}
