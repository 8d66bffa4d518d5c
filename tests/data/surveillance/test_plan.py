"""What is cut, by hand and against counted pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.data.surveillance import Activity, CutRule, plan_clips
from lilliput.data.surveillance.plan import (
    MERGED,
    OUTSIDE,
    RESTS,
    TOO_LARGE,
    TOO_SMALL,
    Square,
    _show_the_same,
)

SIZE = (300, 200)
NAMES = {"walk": "activity_walking", "talk": "Talking", "ride": "Riding"}
RULE = CutRule()


def still(name: str, start: int, end: int, box=(20, 30, 40, 70)) -> Activity:
    return Activity(name, start, np.repeat([box], end - start + 1, axis=0).astype(float))


def plan(*activities: Activity, rule: CutRule = RULE):
    return plan_clips(activities, NAMES, SIZE, rule)


@pytest.mark.parametrize(
    ("length", "pieces", "rests"),
    [
        (5, [(7, 11)], 0),  # a short activity, whole
        (64, [(7, 70)], 0),
        (79, [(7, 70)], 1),  # 15 are left, of which no clip is made
        (80, [(7, 70), (71, 86)], 0),
        (200, [(7, 70), (71, 134), (135, 198)], 1),
    ],
)
def test_consecutive_clips(length: int, pieces: list, rests: int) -> None:
    clips, left_out = plan(still("walk", 7, 6 + length))
    assert [(c.first_frame, c.last_frame) for c in clips] == pieces
    assert left_out[RESTS] == rests
    assert {c.labels for c in clips} == {frozenset({"activity_walking"})}


@pytest.mark.parametrize(
    ("box", "square"),
    [
        ((20, 30, 40, 70), (10, 30, 40)),  # centered on the box
        ((0, 30, 20, 70), (0, 30, 40)),  # moved into the picture
        ((280, 160, 300, 200), (260, 160, 40)),
        ((-50, 30, 20, 70), (0, 30, 40)),  # only what the picture shows counts
        ((20, 30, 51, 40), (19, 19, 32)),  # an even side
        ((20, 30, 30, 40), (20, 30, 10)),
        ((0, 0, 128, 128), (0, 0, 128)),
    ],
)
def test_squares(box, square) -> None:
    (clip,), _ = plan(still("walk", 0, 9, box))
    assert clip.square == square


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((20, 30, 28, 38), TOO_SMALL),
        ((0, 0, 129, 10), TOO_LARGE),
        ((300, 0, 320, 10), OUTSIDE),
    ],
)
def test_what_is_left_out(box, reason: str) -> None:
    clips, left_out = plan(still("walk", 0, 9, box))
    assert (clips, dict(left_out)) == ([], {reason: 1})


def test_a_square_holds_a_whole_walk() -> None:
    boxes = np.array([(x, 50, x + 10, 70) for x in range(30)], float)
    (clip,), _ = plan(Activity("walk", 0, boxes))
    assert clip.square == (0, 40, 40)


def test_activities_in_one_box_make_one_clip_of_several_labels() -> None:
    clips, left_out = plan(
        still("walk", 0, 63), still("talk", 5, 63), still("ride", 0, 63, (200, 30, 220, 70))
    )
    assert [c.labels for c in clips] == [
        {"activity_walking", "Talking"},
        {"Riding"},  # elsewhere
    ]
    assert left_out == {MERGED: 1}


def test_a_label_needs_a_quarter_of_the_clip_or_half_of_the_activity() -> None:
    short, rest = still("talk", 60, 69), still("walk", 0, 127)
    clips, _ = plan(rest, short)
    of = {(c.first_frame, c.last_frame): c.labels for c in clips}
    assert of[0, 63] == {"activity_walking"}  # 4 of 10 frames
    assert of[64, 127] == {"activity_walking", "Talking"}  # 6 of 10
    assert of[60, 69] == {"activity_walking", "Talking"}


def test_a_label_needs_half_of_its_box() -> None:
    small, large = still("walk", 0, 63, (0, 0, 20, 20)), still("talk", 0, 63, (0, 0, 100, 100))
    clips, _ = plan(small, large)
    assert [(c.square.side, set(c.labels)) for c in clips] == [
        (20, {"activity_walking"}),
        (100, {"activity_walking", "Talking"}),
    ]


def test_names_without_a_class_are_not_looked_at() -> None:
    clips, _ = plan(still("walk", 0, 63), still("sleep", 0, 63))
    assert [c.labels for c in clips] == [{"activity_walking"}]


box = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(4, 20), st.integers(4, 20))
activities = st.lists(
    st.builds(
        lambda name, start, length, b: still(
            name, start, start + length, (b[0], b[1], b[0] + b[2], b[1] + b[3])
        ),
        st.sampled_from(sorted(NAMES)),
        st.integers(0, 30),
        st.integers(0, 40),
        box,
    ),
    max_size=5,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(activities)
def test_against_painted_pixels(given_activities) -> None:
    """A clip's square covers its own activity; no two clips show the same; labels are seen."""
    rule = CutRule(num_frames=16, min_frames=4, min_side=4, max_side=60)
    clips, _ = plan(*given_activities, rule=rule)
    painted = {}
    for number, a in enumerate(given_activities):
        video = np.zeros((80, 60, 60), bool)
        for frame, (x, y, right, bottom) in enumerate(a.boxes.astype(int), start=a.start_frame):
            video[frame, y:bottom, x:right] = True
        painted[number] = video
    for clip in clips:
        left, top, side = clip.square
        frames = slice(clip.first_frame, clip.last_frame + 1)
        seen = set()
        for number, a in enumerate(given_activities):
            common = painted[number][frames]
            inside = int(common.any(axis=(1, 2)).sum())
            enough = inside >= clip.num_frames / 4 or inside >= len(a.boxes) / 2
            share = common[:, top : top + side, left : left + side].sum() / max(1, common.sum())
            if inside and enough and share >= 0.5:
                seen.add(NAMES[a.name])
        assert seen <= clip.labels
        assert clip.labels
    for index, one in enumerate(clips):
        assert not any(_show_the_same(one, other) for other in clips[:index])
    assert [c.first_frame for c in clips] == sorted(c.first_frame for c in clips)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    *[
        st.tuples(
            st.integers(0, 9),
            st.integers(1, 9),
            st.integers(0, 9),
            st.integers(0, 9),
            st.integers(1, 9),
        )
    ]
    * 2
)
def test_showing_the_same_is_counted(one, other) -> None:
    from lilliput.data.surveillance import ClipPlan

    plans, frames, squares = [], [], []
    for start, length, left, top, side in (one, other):
        plans.append(ClipPlan(start, start + length - 1, Square(left, top, side), frozenset()))
        frames.append(set(range(start, start + length)))
        squares.append({(x, y) for x in range(left, left + side) for y in range(top, top + side)})
    same = all(len(a & b) >= 0.5 * len(a | b) for a, b in (frames, squares))
    assert _show_the_same(*plans) == same
