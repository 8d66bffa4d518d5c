"""Falls, keyed by hand: forward, backward, sideways, through the knees, off a chair.

Few fall stiffly: knees give way, hands reach for the ground, and who lies there at last is bent in
many ways.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lilliput.data.people.join import follow
from lilliput.data.people.keyed import Key, Take, play
from lilliput.data.people.poses import ANGLES, CROUCH, FOURS, KNEEL, LIE_FRONT, SIT_FLOOR, pose
from lilliput.data.people.postures import (
    approach,
    busy,
    keep,
    lying_pose,
    sitting_pose,
    standing_pose,
)

Array = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator
_LIMBS = [number for number, name in enumerate(ANGLES) if "_arm_" in name or "_leg_" in name]
_SECONDS = (0.55, 1.6)  # from losing balance to lying


def fall(rng: Rng) -> Take:
    """From standing, from a walk or off a chair."""
    seated = rng.random() < 0.15
    start = sitting_pose(rng, chair=True) if seated else standing_pose(rng)
    way = _WAYS[rng.integers(len(_WAYS))] if not seated else _slide
    stages = way(rng, start)
    keys = [
        Key(start, hold=rng.uniform(0.2, 1.2), staying=("sitting" if seated else "standing",)),
        *_unsteady(rng, start, seated=seated),
        *_down(rng, stages),
        keep(_settled(rng, stages[-1]), rng, "lying", "lying"),
    ]
    take = play(rng, keys, support="chair" if seated and rng.random() < 0.7 else None)
    if seated or rng.random() < 0.5:
        return take
    return follow(approach(rng), take, within=0.15)


def _unsteady(rng: Rng, start: Array, *, seated: bool) -> list[Key]:
    """Some sway, or hold their head or chest, before they fall."""
    if rng.random() < 0.5:
        return []
    held = busy(rng, pose(start, bow=rng.uniform(5, 45), side=rng.normal(0, 12)))
    doing = "sitting" if seated else "standing"
    return [Key(held, rng.uniform(0.3, 0.8), (doing,), rng.uniform(0, 0.5), (doing,))]


def _down(rng: Rng, stages: Sequence[Array]) -> list[Key]:
    """The stages of a fall, faster and faster; its last one ends on the ground."""
    seconds = rng.uniform(*_SECONDS)
    shares = rng.uniform(0.6, 1.4, len(stages)) * np.linspace(1.3, 0.7, len(stages))
    shares /= shares.sum()
    keys = [
        Key(stage, float(seconds * share), ("falling",), ease="smooth")
        for stage, share in zip(stages[:-1], shares[:-1], strict=True)
    ]
    return [*keys, Key(stages[-1], float(seconds * shares[-1]), ("falling",), 0.1, ("falling",))]


def _settled(rng: Rng, fallen: Array) -> Array:
    """The same a moment later: limbs give way, or move a little."""
    settled = fallen.copy()
    settled[_LIMBS] += rng.normal(0, 8, len(_LIMBS)).astype(np.float32)
    return settled


def _forward(rng: Rng, start: Array) -> list[Array]:
    """Hands reach ahead; many land on hands and knees first."""
    pitched = pose(
        start,
        tilt=rng.uniform(15, 50),
        bow=rng.uniform(5, 45),
        legs_knee=rng.uniform(10, 70),
        **_arms(rng, forward=(50, 130), out=(5, 40), elbow=(0, 50)),
    )
    on_fours = pose(FOURS, bow=rng.uniform(0, 30), **_arms(rng, (60, 110), (5, 30), (0, 60)))
    fallen = pose(lying_pose(rng, "front"), **_arms(rng, (-10, 60), (10, 110), (0, 110)))
    return [pitched, on_fours, fallen] if rng.random() < 0.5 else [pitched, fallen]


def _backward(rng: Rng, start: Array) -> list[Array]:
    """Onto the seat, hands behind; many stay half upright or keep their knees up."""
    toppling = pose(
        start,
        tilt=-rng.uniform(8, 35),
        bow=rng.uniform(5, 40),
        legs_forward=rng.uniform(15, 60),
        legs_knee=rng.uniform(20, 90),
        **_arms(rng, forward=(-50, 90), out=(10, 70), elbow=(0, 60)),
    )
    seated = pose(
        SIT_FLOOR,
        tilt=-rng.uniform(10, 45),
        legs_knee=rng.uniform(10, 90),
        **_arms(rng, forward=(-60, 20), out=(10, 40), elbow=(0, 40)),
    )
    if rng.random() < 0.25:  # stays sitting there, propped on the hands
        return [toppling, seated]
    fallen = lying_pose(rng, "back")
    return [toppling, seated, fallen] if rng.random() < 0.6 else [toppling, fallen]


def _sideways(rng: Rng, start: Array) -> list[Array]:
    way = float(rng.choice([-1, 1]))
    leaning = pose(
        start,
        roll=way * rng.uniform(15, 50),
        side=way * rng.uniform(0, 25),
        legs_knee=rng.uniform(10, 80),
        **_arms(rng, forward=(-20, 90), out=(10, 90), elbow=(0, 60)),
    )
    return [leaning, lying_pose(rng, "side", way)]


def _collapse(rng: Rng, start: Array) -> list[Array]:
    """The knees give way first."""
    del start
    low = CROUCH if rng.random() < 0.5 else KNEEL
    knees = pose(low, bow=rng.uniform(10, 60), side=rng.normal(0, 20), **_arms(rng))
    if rng.random() < 0.3:
        return [knees, pose(SIT_FLOOR, side=rng.normal(0, 15), **_arms(rng)), lying_pose(rng)]
    return [knees, lying_pose(rng)]


def _topple(rng: Rng, start: Array) -> list[Array]:
    """Nearly stiff: those who faint."""
    lying = lying_pose(rng)
    between = rng.uniform(0.3, 0.6)
    middle = (1 - between) * start + between * lying
    return [pose(middle, legs_knee=rng.uniform(5, 45), **_arms(rng)), lying]


def _slide(rng: Rng, start: Array) -> list[Array]:
    """Off a chair, ahead or aside."""
    lying = lying_pose(rng)
    if rng.random() < 0.4:
        return [pose(start, bow=rng.uniform(40, 80), **_arms(rng)), FOURS, LIE_FRONT]
    return [pose((start + lying) / 2, side=rng.normal(0, 20)), lying]


def _arms(
    rng: Rng,
    forward: tuple[float, float] = (-20, 110),
    out: tuple[float, float] = (5, 80),
    elbow: tuple[float, float] = (0, 90),
) -> Mapping[str, float]:
    """Each arm by itself."""
    reach = {"forward": forward, "out": out, "elbow": elbow}
    return {
        f"{side}_arm_{angle}": float(rng.uniform(*span))
        for side in ("left", "right")
        for angle, span in reach.items()
    }


_WAYS: tuple[Callable[[Rng, Array], list[Array]], ...] = (
    _forward,
    _backward,
    _sideways,
    _collapse,
    _topple,
)
