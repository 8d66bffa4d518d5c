"""Tracks of walkers whose way is known."""

import pytest

from lilliput.watch.scene import Box, Detection
from lilliput.watch.tracking import COAST_SECONDS, MIN_SECONDS, Tracker


def walker(left: float, top: float = 20.0, width: float = 8.0) -> Detection:
    return Detection(Box(left, top, left + width, top + 2.5 * width))


def run(tracker: Tracker, moments: list[list[Detection]]) -> list[dict[int, Box]]:
    return [{track.track: track.box for track in tracker(found)} for found in moments]


@pytest.mark.parametrize("fps", [5.0, 10.0, 25.0, 60.0])
def test_a_track_counts_after_a_while_whatever_the_frame_rate(fps: float) -> None:
    tracks = run(Tracker(fps), [[walker(20 * i / fps)] for i in range(round(3 * fps))])
    first = next(i for i, boxes in enumerate(tracks) if boxes)
    assert abs((first + 1) / fps - MIN_SECONDS) <= 1 / fps
    assert all(set(boxes) == {1} for boxes in tracks[first:])
    for i, boxes in enumerate(tracks[first + 3 :], start=first + 3):
        assert boxes[1].left == pytest.approx(20 * i / fps, abs=4)  # half its width
        assert boxes[1].foot[1] == pytest.approx(40, abs=0.5)


def test_what_flashes_up_is_no_track() -> None:
    moments = [[walker(10)] if i % 10 < 2 else [] for i in range(60)]
    assert not any(run(Tracker(10), moments))


def test_a_gap_of_half_a_second_keeps_the_number() -> None:
    moments = [[] if 15 <= i < 20 else [walker(2.0 * i)] for i in range(40)]
    tracks = run(Tracker(10), moments)
    assert all(set(boxes) == {1} for boxes in tracks[5:])


def test_who_is_hidden_stays_where_last_seen_and_then_is_gone() -> None:
    fps = 10
    moments = [[walker(3.0 * i)] if i < 20 else [] for i in range(50)]
    tracks = run(Tracker(fps), moments)
    last_seen = tracks[19][1]
    coasting = [boxes for boxes in tracks[20:] if boxes]
    assert len(coasting) == pytest.approx(COAST_SECONDS * fps, abs=1)
    assert coasting == [{1: last_seen}] * len(coasting)


def test_numbers_are_never_used_again() -> None:
    moments = [[walker(20.0 + i)] if i % 30 < 10 else [] for i in range(120)]
    tracks = run(Tracker(10), moments)
    seen = [number for boxes in tracks for number in boxes]
    assert seen == sorted(seen) and set(seen) == {1, 2, 3, 4}


def test_two_who_pass_each_other_keep_their_numbers() -> None:
    moments = [[walker(2.0 * i, top=20), walker(100 - 2.0 * i, top=32)] for i in range(50)]
    tracks = run(Tracker(10), moments)
    right_bound = next(n for n, box in tracks[5].items() if box.left < 50)
    left_bound = next(n for n, box in tracks[5].items() if box.left > 50)
    for i, boxes in enumerate(tracks[5:], start=5):
        assert set(boxes) == {1, 2}
        assert boxes[right_bound].left == pytest.approx(2.0 * i, abs=2)
        assert boxes[left_bound].left == pytest.approx(100 - 2.0 * i, abs=2)


def test_small_fast_boxes_that_do_not_overlap_are_one_track() -> None:
    moments = [[walker(5.0 * i, width=4)] for i in range(30)]  # 4 px wide, 5 px a frame
    assert all(set(boxes) == {1} for boxes in run(Tracker(10), moments)[5:])


def test_boxes_far_apart_are_two() -> None:
    moments = [[walker(20)] if i < 20 else [walker(90)] for i in range(40)]
    assert set(run(Tracker(10), moments)[-1]) == {2}


def test_trackers_know_nothing_of_each_other() -> None:
    moments = [
        [walker(2.0 * i), *([walker(100 - i, 60)] if i % 20 < 12 else [])] for i in range(60)
    ]
    alone = run(Tracker(10), moments)
    first, second = Tracker(10), Tracker(10)
    together = [(first(found), second(found)) for found in moments]
    assert [{t.track: t.box for t in tracks} for tracks, _ in together] == alone
    assert [{t.track: t.box for t in tracks} for _, tracks in together] == alone


def test_boxes_without_an_area_are_no_trouble() -> None:
    point = Detection(Box(5, 5, 5, 5))
    tracks = run(Tracker(10), [[point, point, walker(50)] for _ in range(10)])
    assert walker(50).box in tracks[-1].values()
