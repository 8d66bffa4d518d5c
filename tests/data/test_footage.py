"""Untrimmed synthetic footage: what is said to be in it is what is drawn."""

import json
from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pytest

from lilliput.data.spans import find_recordings, read_spans
from lilliput.data.synthetic import TINYVIRAT_CLASSES
from lilliput.data.synthetic.actions import ACTIONS
from lilliput.data.synthetic.actors import STAGED
from lilliput.data.synthetic.footage import plan_footage, render_footage, truth
from lilliput.data.synthetic.write_footage import write_footage
from lilliput.errors import DataError

SECONDS = 12.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("footage") / "made"
    write_footage(out, 1, seed=3, seconds=SECONDS)
    return out


def without_noise(plan):
    return replace(plan, recording=replace(plan.recording, noise=0.0, flicker=0.0))


def inside(actors, shape, frame):
    """The pixels that the true boxes hold."""
    mask = np.zeros(shape, bool)
    for actor in actors:
        if 0 <= frame - actor.first_frame < len(actor.boxes):
            left, top, right, bottom = actor.boxes[frame - actor.first_frame]
            mask[top:bottom, left:right] = True
    return mask


def test_boxes_hold_all_that_differs_from_the_empty_scene():
    plan = without_noise(plan_footage(5, seconds=SECONDS))
    actors = truth(plan)
    assert len(actors) >= 2
    empty = next(iter(render_footage(replace(plan, actors=()))))
    for frame, picture in enumerate(render_footage(plan)):
        changed = (picture != empty).any(axis=2)
        present = [a for a in actors if 0 <= frame - a.first_frame < len(a.boxes)]
        # Of whoever is only just coming into the picture, a few columns are not told yet.
        border = np.zeros_like(changed)
        border[:, :6] = border[:, -6:] = True
        assert not (changed & ~inside(present, changed.shape, frame) & ~border).any()


def test_boxes_are_tight():
    plan = without_noise(plan_footage(5, seconds=SECONDS))
    empty = next(iter(render_footage(replace(plan, actors=())))).astype(int)
    pictures = list(render_footage(plan))
    for actor in truth(plan):
        start, end = actor.spans[0].start_frame, actor.spans[-1].end_frame
        ratios = []
        for frame in np.linspace(start, end, 8).astype(int):
            left, top, right, bottom = actor.boxes[frame - actor.first_frame]
            part = slice(top, bottom), slice(left, right)
            rows, columns = np.nonzero(
                (np.abs(pictures[frame][part].astype(int) - empty[part]) > 3).any(axis=2)
            )
            drawn = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            ratios.append(drawn / ((bottom - top) * (right - left)))
        assert np.median(ratios) > 0.7


def test_the_same_seed_gives_the_same_footage():
    one, other, another = (plan_footage(seed, seconds=SECONDS) for seed in (7, 7, 8))
    frames = [next(iter(render_footage(plan))) for plan in (one, other, another)]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])
    assert [a.spans for a in truth(one)] == [a.spans for a in truth(other)]
    assert all(
        np.array_equal(a.boxes, b.boxes) for a, b in zip(truth(one), truth(other), strict=True)
    )


@pytest.mark.parametrize("number", range(6))
def test_actors_keep_apart_and_within_the_footage(number):
    plan = plan_footage(2, number)
    actors = truth(plan)
    occupied = np.zeros(plan.num_frames, int)
    for frame in range(0, plan.num_frames, 5):
        masks = [inside([actor], plan.size[::-1], frame) for actor in actors]
        assert sum(masks).max() <= 1
    assert 2 <= len(actors) <= 6
    for actor in actors:
        last = actor.first_frame + len(actor.boxes) - 1
        occupied[actor.first_frame : last + 1] += 1
        assert last < plan.num_frames
        assert (actor.boxes >= 0).all() and (actor.boxes[:, [2, 3]] <= plan.size).all()
        assert actor.spans
        for span in actor.spans:
            assert span.action in TINYVIRAT_CLASSES
            assert actor.first_frame <= span.start_frame <= span.end_frame <= last
    assert not occupied[:60].any()
    # Somewhere in the middle, too, nobody is there for a while.
    busy = np.flatnonzero(occupied[90:-90])
    assert max(b - a for a, b in pairwise([-1, *busy, len(occupied) - 180])) > 60


def test_every_class_occurs():
    assert set(STAGED) < set(ACTIONS)
    seen = {
        span.action
        for number in range(60)
        for actor in truth(plan_footage(1, number))
        for span in actor.spans
    }
    assert seen == set(TINYVIRAT_CLASSES)


def test_written_truth_is_read_back(folder):
    plan = plan_footage(3, seconds=SECONDS)
    spans = read_spans(folder / "spans.csv")
    name = plan.recording.name
    assert spans == {name: [span for actor in truth(plan) for span in actor.spans]}
    content = json.loads((folder / "tubelets.json").read_text())
    assert content["synthetic"] is True and content["fps"] == 30
    for written, actor in zip(content["recordings"][name], truth(plan), strict=True):
        assert written["first_frame"] == actor.first_frame
        assert written["boxes"] == actor.boxes.tolist()
        assert written["actions"] == [vars(span) for span in actor.spans]


def test_written_video_shows_what_was_rendered(folder):
    plan = plan_footage(3, seconds=SECONDS)
    path = find_recordings(folder, [plan.recording.name])[plan.recording.name]
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 30
    assert len(decoded) == plan.num_frames == 360
    for frame, picture in enumerate(render_footage(plan)):
        if frame % 60 == 59:
            error = np.abs(decoded[frame].astype(int) - picture)
            assert error.mean() < 6


def test_a_folder_with_something_in_it_is_left_alone(folder):
    with pytest.raises(DataError, match="holds something"):
        write_footage(folder, 1)


@pytest.mark.parametrize(("seconds", "size"), [(9, (480, 360)), (30, (100, 360)), (30, (481, 360))])
def test_footage_without_room_for_anybody_is_refused(seconds, size):
    with pytest.raises(DataError, match="needs 10 s"):
        plan_footage(1, seconds=seconds, size=size)
