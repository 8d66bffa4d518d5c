import numpy as np
import pytest

from lilliput.data.motion.skeleton import FPS, LENGTHS, find_joints
from lilliput.data.people.falls import fall
from lilliput.data.people.keyed import Span, Take


def _heads(take: Take) -> np.ndarray:
    joints = find_joints(take.motion, LENGTHS)
    heights: np.ndarray = joints["head"][:, 1] - np.min([at[:, 1] for at in joints.values()], 0)
    return heights


def _falling(take: Take) -> Span:
    (span,) = [span for span in take.spans if span.label == "falling"]
    return span


@pytest.mark.parametrize("seed", range(60))
def test_a_fall_goes_from_upright_or_a_seat_to_the_ground(seed: int) -> None:
    take = fall(np.random.default_rng(seed))
    heads, span = _heads(take), _falling(take)
    assert heads[: span.start].max() > 1.1  # m: at least seated on a chair
    assert heads[span.stop :].max() < 1.05  # sitting on the ground at most
    assert 0.5 < (span.stop - span.start) / FPS < 1.9


def test_falls_differ() -> None:
    takes = [fall(np.random.default_rng(seed)) for seed in range(80)]
    last = np.array([_heads(take)[-1] for take in takes])
    assert (last < 0.45).mean() > 0.6  # lying
    assert (last > 0.55).any()  # half upright
    before = {span.label for take in takes for span in take.spans if span.start == 0}
    assert before == {"standing", "walking", "sitting"}
