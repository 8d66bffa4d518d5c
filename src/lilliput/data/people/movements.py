"""Bending, crouching, jumping, crawling and climbing, keyed by hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from lilliput.data.people import gait
from lilliput.data.people.falls import fall
from lilliput.data.people.join import follow
from lilliput.data.people.keyed import Key, Take, play
from lilliput.data.people.poses import BEND, CROUCH, KNEEL, REACH_DOWN, SQUAT_DOWN, STAND, pose
from lilliput.data.people.postures import approach, keep, standing_pose

Rng = np.random.Generator


def bend(rng: Rng) -> Take:
    """Bowing down, staying so, for a while; also at a table or to tie a shoe."""
    down = pose(BEND, bow=rng.uniform(55, 105), arms_forward=rng.uniform(20, 100))
    down = pose(down, legs_knee=rng.uniform(3, 40), arms_elbow=rng.uniform(0, 60))
    keys = [
        Key(standing_pose(rng), hold=rng.uniform(0.1, 0.8), staying=("standing",)),
        Key(down, rng.uniform(0.5, 1.2), ("bending",), rng.uniform(0.4, 2.5), ("bending",)),
        Key(
            standing_pose(rng),
            rng.uniform(0.5, 1.2),
            ("bending",),
            rng.uniform(0.2, 1),
            ("standing",),
        ),
    ]
    return play(rng, keys)


def pick_up(rng: Rng) -> Take:
    """Something is taken from the ground and lifted."""
    down = REACH_DOWN if rng.random() < 0.6 else SQUAT_DOWN
    lifted = pose(
        standing_pose(rng), arms_forward=rng.uniform(15, 50), arms_elbow=rng.uniform(40, 95)
    )
    if rng.random() < 0.4:  # with one hand
        arm = {
            f"left_arm_{angle}": float(value) for angle, value in (("forward", 5), ("elbow", 15))
        }
        down, lifted = pose(down, **arm), pose(lifted, **arm)
    seconds = rng.uniform(0.6, 1.3)
    both = ("picking_up", "bending")
    keys = [
        Key(standing_pose(rng), hold=rng.uniform(0.1, 0.8), staying=("standing",)),
        Key(down, seconds, both, rng.uniform(0.1, 0.5), both),
        Key(lifted, seconds, both, rng.uniform(0.4, 1.5), ("standing",)),
    ]
    take = play(rng, keys, held="lifted")
    return take if rng.random() < 0.6 else follow(approach(rng), take)


def crouch(rng: Rng) -> Take:
    """Squatting or kneeling down, and staying."""
    low = pose(KNEEL, bow=rng.uniform(0, 40)) if rng.random() < 0.3 else CROUCH
    low = pose(low, arms_forward=rng.uniform(10, 80), arms_elbow=rng.uniform(10, 90))
    keys = [Key(low, hold=rng.uniform(1, 2.5), staying=("crouching",))]
    if rng.random() < 0.6:
        keys = [
            Key(standing_pose(rng), hold=rng.uniform(0.2, 1), staying=("standing",)),
            Key(low, rng.uniform(0.6, 1.3), ("crouching",), rng.uniform(1, 3), ("crouching",)),
        ]
    return play(rng, keys)


def jump(rng: Rng) -> Take:
    """Off the ground with both feet, once or again, in place or ahead."""
    height = rng.uniform(0.12, 0.5)
    arms = rng.uniform(-30, 170)
    ready = pose(CROUCH, bow=rng.uniform(15, 45), legs_forward=55, legs_knee=80, arms_forward=-25)
    keys = [Key(STAND, hold=rng.uniform(0.1, 0.5), staying=("standing",))]
    wide = rng.uniform(0, 35) if rng.random() < 0.3 else 3.0  # a jumping jack
    for _ in range(int(rng.integers(1, 6))):
        up = pose(
            STAND, lift=height, arms_forward=arms, legs_out=wide, legs_knee=rng.uniform(5, 60)
        )
        keys += [
            Key(ready, rng.uniform(0.2, 0.35), ("jumping",)),
            Key(pose(STAND, arms_forward=arms / 2), 0.12, ("jumping",), ease="drop"),
            Key(up, 0.16, ("jumping",), ease="fast"),
            Key(pose(ready, legs_forward=35, legs_knee=50), 0.18, ("jumping",), ease="drop"),
        ]
    keys.append(keep(STAND, rng, "jumping", "standing"))
    return play(rng, keys)


def crawl(rng: Rng) -> Take:
    """On hands and knees."""
    return gait.take(gait.crawl(rng, rng.uniform(2.5, 5)), "crawling")


def climb(rng: Rng) -> Take:
    """Up or down a ladder, a fence, a wall."""
    return gait.take(gait.climb(rng, rng.uniform(2.5, 5)), "climbing", support="ladder")


MOVEMENTS: Mapping[str, tuple[Callable[[Rng], Take], ...]] = MappingProxyType(
    {
        "falling": (fall,),
        "bending": (bend,),
        "picking_up": (pick_up,),
        "crouching": (crouch,),
        "crawling": (crawl,),
        "jumping": (jump,),
        "climbing": (climb,),
    }
)
