"""The annotated video, read back with PyAV."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.watch.events import Event, Message, Step
from lilliput.watch.scene import Box, Scene
from lilliput.watch.writers import WRITERS, video
from lilliput.watch.writers.drawing import COLOURS, Canvas, colour_of, enlargement
from tests.watch.staged import FPS, actor, event, output_in, steps_of, write

GROUND = 90  # of the staged frames


def _writer(folder: Path, **changes: object) -> video.AnnotatedVideoWriter:
    output = output_in(folder, **changes)
    output.log.close()
    writer = WRITERS["video"](output)
    assert isinstance(writer, video.AnnotatedVideoWriter)
    return writer


def _read(path: Path) -> tuple[list[float], np.ndarray]:
    """Times in seconds, and frames (T, H, W, 3)."""
    with av.open(str(path)) as container:
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    return [time for time, _ in frames], np.stack([pixels for _, pixels in frames])


def _has_box(frame: np.ndarray, box: Box, track: int) -> bool:
    """Whether the middle of the left edge has the track's colour (4:2:0 dilutes it a little)."""
    y = round((box.top + box.bottom) / 2)
    nearby = frame[y, round(box.left) - 2 : round(box.left) + 3].astype(int)
    return bool((abs(nearby - colour_of(track)).sum(1) < 150).any())


def _plate_width(frame: np.ndarray, box: Box) -> int:
    """Dark px of the label above a box, above its letters."""
    row = frame[round(box.top) - 14].max(1)
    return int((row < 50).sum())


def test_every_frame_is_there_at_its_time(tmp_path: Path) -> None:
    write(["video"], [event(1, 3)], tmp_path, seconds=6)
    times, frames = _read(tmp_path / "annotated.mp4")
    assert times == pytest.approx([i / FPS for i in range(60)], abs=1e-4)
    assert frames.shape == (60, 240, 320, 3)


def test_actors_have_boxes_and_actions_from_start_to_end(tmp_path: Path) -> None:
    write(["video"], [event(1.0, 3.0)], tmp_path, seconds=6)
    _, frames = _read(tmp_path / "annotated.mp4")
    for index in (0, 15, 31, 59):
        box = actor(index / FPS)
        assert _has_box(frames[index], box, 3)
        assert not _has_box(frames[index], Box(*(side + 12 for side in box)), 3)
        left, top, right, bottom = (round(side) for side in box)
        inside = frames[index, top + 5 : bottom - 5, left + 5 : right - 5]
        assert abs(inside.mean() - 230) < 6  # the actor itself is left as it is
    widths = [_plate_width(frame, actor(i / FPS)) for i, frame in enumerate(frames)]
    long = [i for i, width in enumerate(widths) if width > 60]
    assert long == list(range(10, 31))  # "3 walking 0.75", from the first frame to the last
    assert min(widths) > 8  # "3"


def test_frames_wait_until_their_events_are_known(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    waiting = 0
    for step in steps_of([event(1, 3)], 8):
        writer.write(step)
        waiting = max(waiting, len(writer._held))
    # The events of a frame are known a second later: eleven frames at 10 fps, not eighty.
    assert waiting == 11
    writer.close()


def test_what_is_never_settled_is_drawn_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_MAX_HELD", 20)
    writer = _writer(tmp_path)
    for step in list(steps_of([], 5))[:-1]:
        writer.write(replace(step, settled_seconds=0.0))
        assert len(writer._held) <= 20
    writer.close()  # as after Ctrl-C: the last step never came
    assert len(_read(tmp_path / "annotated.mp4")[0]) == 50


def test_whole_frame_mode_has_labels_and_no_box(tmp_path: Path) -> None:
    whole = event(0.0, 3.0, boxes=(), track=0)
    writer = _writer(tmp_path)
    for step in _without_tracks(steps_of([whole], 5)):
        writer.write(step)
    writer.close()
    _, frames = _read(tmp_path / "annotated.mp4")
    during, after = frames[15].astype(int), frames[45].astype(int)
    assert during[:16, :90].min() < 60
    assert after[:16, :90].min() > 80
    assert abs(during[60:90] - GROUND).max() < 12  # and nothing else, outside the actor
    for frame in (during, after):
        assert frame[-14:, :40].min() < 60  # the time
    assert not any(_has_box(frames[15], actor(1.5), track) for track in range(len(COLOURS)))


def test_a_frame_without_its_track_shows_the_box_of_the_event(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    for step in _without_tracks(steps_of([event(1.0, 3.0)], 5)):
        writer.write(step)
    writer.close()
    _, frames = _read(tmp_path / "annotated.mp4")
    assert _has_box(frames[22], actor(2.2), 3)
    assert not _has_box(frames[35], actor(3.5), 3)


def _without_tracks(steps: object) -> list[Step]:
    return [
        replace(s, scene=None if s.scene is None else Scene(s.scene.frame, ()))
        for s in steps  # type: ignore[attr-defined]
    ]


def test_gaps_odd_sizes_and_small_pictures(tmp_path: Path) -> None:
    writer = _writer(tmp_path, size=(63, 35))
    steps = list(steps_of([], 3, size=(63, 35)))
    for step in steps[:10] + steps[20:]:
        writer.write(step)
    writer.close()
    times, frames = _read(tmp_path / "annotated.mp4")
    assert times[9:11] == pytest.approx([0.9, 2.0], abs=1e-4)
    # Six times 63 reaches 320; 6 × 63 and 6 × 35 are even.
    assert enlargement((63, 35)) == 6
    assert frames.shape[1:3] == (210, 378)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (319, 7), (321, 241), (1920, 1080)])
def test_any_size_becomes_even_and_at_least_320_wide(size: tuple[int, int], tmp_path: Path) -> None:
    writer = _writer(tmp_path, size=size)
    for step in steps_of([event(0, 0.1)], 0.2, size=size):
        writer.write(step)
    writer.close()
    _, frames = _read(tmp_path / "annotated.mp4")
    height, width = frames.shape[1:3]
    assert height % 2 == width % 2 == 0
    assert 320 <= max(height, width) < 640 or max(height, width) == max(size) + max(size) % 2


def test_letters_grow_with_the_picture() -> None:
    heights = []
    for size in ((320, 240), (768, 576), (1920, 1080)):
        pixels = np.full((size[1], size[0], 3), GROUND, np.uint8)
        Canvas(pixels).label_corner(["walking"], bottom=False)
        heights.append(int((pixels[:, 2] != GROUND).any(1).sum()))
    assert heights == sorted(heights)
    assert heights[0] >= 12
    assert 30 <= heights[2] <= 60


def test_labels_avoid_each_other_and_other_boxes() -> None:
    pixels = np.full((240, 320, 3), GROUND, np.uint8)
    canvas = Canvas(pixels)
    boxes = [Box(50, 50, 90, 120), Box(60, 130, 100, 200)]
    for box in boxes:
        canvas.draw_box(box, COLOURS[0])
    for box in boxes:
        canvas.label_box(box, ["1 standing around 0.81"], COLOURS[0])
    first, second = canvas._plates
    assert first.bottom <= 50
    assert second.top >= 200 or second.top >= 130


@pytest.mark.parametrize("box", [Box(-50, -20, 20, 10), Box(300, 220, 400, 300), Box(5, 5, 5, 5)])
@pytest.mark.parametrize("text", ["läuft 🙂", "", "x" * 200])
def test_no_box_or_text_breaks_the_drawing(box: Box, text: str) -> None:
    canvas = Canvas(np.full((240, 320, 3), GROUND, np.uint8))
    canvas.draw_box(box, COLOURS[1])
    canvas.label_box(box, [text, text], COLOURS[1])
    assert (canvas.pixels != GROUND).any()


def _names(events: Sequence[Event]) -> list[str]:
    return [one.action for one in events]


def test_the_best_score_is_named_first(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    events = [event(1, 3, score=0.5), event(1, 4, score=0.9, action="running"), event(5, 6)]
    messages = tuple(Message("end", one) for one in events)
    writer.write(Step(None, (), messages, (), 0.0))
    assert _names(writer._events_at(2.0)) == ["running", "walking"]
    assert _names(writer._events_at(3.5)) == ["running"]
    assert _names(writer._events_at(4.5)) == []
    assert _names(writer._events_at(5.0)) == ["walking"]
