import numpy as np
import pytest

from lilliput.data.motion.skeleton import FPS, LENGTHS, find_joints, lowest
from lilliput.data.people import gait
from lilliput.data.people.join import follow, heading, turn
from lilliput.data.people.keyed import LEG, Key, Span, move, play
from lilliput.data.people.performing import KEYED
from lilliput.data.people.poses import SIT_CHAIR, STAND, pose
from lilliput.data.people.postures import fiddle


def test_spans_follow_the_keys() -> None:
    keys = [
        Key(STAND, hold=1, staying=("standing",)),
        Key(SIT_CHAIR, 0.5, ("sitting_down",), 2, ("sitting",)),
        Key(SIT_CHAIR, 0.5, ("sitting",)),
    ]
    take = play(np.random.default_rng(0), keys)
    assert take.spans == (
        Span("standing", 0, 30),
        Span("sitting_down", 30, 45),
        Span("sitting", 45, 120),
    )
    assert len(take.motion) == 120


def test_keys_are_reached() -> None:
    keys = [Key(STAND), Key(SIT_CHAIR, 1.0)]
    motion = play(np.random.default_rng(0), keys, manner=0).motion
    assert motion.root[-1, 1] * LEG == pytest.approx(0.52, abs=0.05)
    assert motion.root[0, 1] * LEG == pytest.approx(0.9, abs=0.03)


def test_feet_do_not_slide() -> None:
    bow = np.stack([pose(STAND, bow=angle, legs_forward=angle / 3) for angle in range(60)])
    motion = move(bow)
    joints = find_joints(motion, LENGTHS)
    at = np.stack(list(joints.values()))
    down = at[..., 1].argmin(axis=0)
    for frame in range(1, 60):
        step = at[down[frame], frame] - at[down[frame], frame - 1]
        assert np.abs(step[[0, 2]]).max() < 1e-5
    assert np.abs(lowest(motion, LENGTHS)).max() < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_people_walk_and_run_as_fast_as_people_do(seed: int) -> None:
    for make, low, high in ((gait.walk, 0.8, 2.6), (gait.run, 2.5, 8.0), (gait.crawl, 0.2, 1.0)):
        motion = make(np.random.default_rng(seed), 3.0)
        steps = np.linalg.norm(np.diff(motion.root[:, [0, 2]], axis=0), axis=1)
        assert low < steps.sum() / 3 < high, make.__name__  # leg lengths a second


def test_climbing_rises_or_sinks() -> None:
    heights = [gait.climb(np.random.default_rng(seed), 3).root[[0, -1], 1] for seed in range(6)]
    assert {bool(last > first) for first, last in heights} == {True, False}


@pytest.mark.parametrize("label", sorted(KEYED))
def test_every_action_is_shown_by_its_takes(label: str) -> None:
    for number, make in enumerate(KEYED[label]):
        for seed in range(4):
            take = make(np.random.default_rng([seed, number]))
            assert label in {span.label for span in take.spans}
            assert all(0 <= span.start < span.stop <= len(take.motion) for span in take.spans)
            assert np.isfinite(take.motion.root).all()
            lengths = np.linalg.norm(take.motion.directions, axis=-1)
            np.testing.assert_allclose(lengths, 1, atol=1e-4)


@pytest.mark.parametrize("label", ["waving", "pointing", "throwing", "talking_on_phone"])
def test_hands_do_their_work_sitting_as_well(label: str) -> None:
    (make,) = KEYED[label]
    postures = set()
    for seed in range(20):
        take = make(np.random.default_rng(seed))
        done = {span.label for span in take.spans}
        assert (take.support == "chair") == ("sitting" in done)
        assert not {"sitting", "standing"} <= done
        postures |= done
        low = find_joints(take.motion, LENGTHS)["pelvis"][:, 1].min() / LEG
        assert (low < 0.85) == ("sitting" in done)
    assert {"sitting", "standing"} <= postures


@pytest.mark.parametrize("sitting", [True, False])
def test_hands_that_fiddle_move_and_nothing_else_does(sitting: bool) -> None:
    take = fiddle(np.random.default_rng(2), sitting=sitting)
    assert take.spans == (Span("sitting" if sitting else "standing", 0, len(take.motion)),)
    way = {
        name: np.ptp(places, axis=0).max()
        for name, places in find_joints(take.motion, LENGTHS).items()
    }
    assert max(way["left_wrist"], way["right_wrist"]) > 0.1
    assert max(way["pelvis"], way["left_knee"], way["right_ankle"]) < 0.06


def test_a_take_goes_on_where_the_one_before_ends() -> None:
    rng = np.random.default_rng(3)
    first = gait.take(turn(gait.walk(rng, 2), 1.2), "walking")
    second = gait.take(gait.walk(rng, 2), "walking")
    both = follow(first, second)
    cut = len(first.motion)
    assert both.spans == (Span("walking", 0, cut), Span("walking", cut, 2 * cut))
    jumps = np.linalg.norm(np.diff(both.motion.root, axis=0), axis=1)
    assert jumps[cut - 1] < 0.15
    change = np.abs(np.diff(both.motion.directions, axis=0)).max(axis=(1, 2))
    assert change[cut - 1] < 0.5
    late = heading(second.motion, -1) - heading(second.motion, 0)
    expected = heading(first.motion, -1) + late
    assert np.cos(heading(both.motion, -1) - expected) == pytest.approx(1, abs=1e-4)


def test_people_walk_as_fast_as_people_do() -> None:
    speeds = []
    for seed in range(40):
        motion = gait.walk(np.random.default_rng(seed), 4.0)
        way = np.diff(motion.root[:, [0, 2]], axis=0)
        speeds.append(np.linalg.norm(way, axis=1).mean() * FPS * LEG)
    assert min(speeds) > 0.6 and max(speeds) < 2.2  # m/s
    assert 0.9 < np.median(speeds) < 1.5
