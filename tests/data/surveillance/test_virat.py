from pathlib import Path

import pytest

from lilliput.data.surveillance import read_virat
from lilliput.errors import DataError
from tests.data.surveillance.staged import write_virat

WALK = (5, 6, 10, 20)


def test_events_by_type_and_frame(tmp_path: Path) -> None:
    path = write_virat(tmp_path, "v", [(1, 10, 3, 6, WALK), (0, 7, 9, 9, (0, 0, 4, 4))])
    gesture, run = read_virat(path)
    assert (gesture.name, gesture.start_frame, gesture.end_frame) == ("gesturing", 9, 9)
    assert (run.name, run.start_frame, run.end_frame) == ("running", 3, 6)
    assert run.boxes.tolist() == [[5, 6, 15, 26]] * 4


def test_objects_take_part_as_the_mapping_says(tmp_path: Path) -> None:
    events = [(0, 5, 0, 2, WALK), (1, 6, 3, 5, WALK), (2, 7, 0, 1, WALK)]
    path = write_virat(
        tmp_path,
        "v",
        events,
        objects={0: (100, 0, 50, 30), 1: (0, 0, 8, 8), 2: (7, 7, 1, 1)},
        mapping={(0, 5): (1, 0, 0), (1, 6): (0, 1, 1)},
    )
    entering, leaving, gesturing = read_virat(path)
    assert entering.boxes.tolist() == [[5, 0, 150, 30]] * 3
    assert leaving.boxes.tolist() == [[0, 0, 15, 26]] * 3
    assert gesturing.boxes.tolist() == [[5, 6, 15, 26]] * 2
    assert entering.end_frame == 2  # no longer than the event, though the objects stay


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 2 3", "line 1: needs 10 numbers"),
        ("a b c d e f g h i j", "line 1: needs 10 numbers"),
        ("0 13 1 0 0 0 1 1 1 1", "event type from 1 to 12"),
        ("0 1 1 5 9 4 1 1 1 1", "current frame"),
        ("0 1 1 0 0 0 1 1 -1 1", "negative side"),
        ("", "line 1"),
    ],
)
def test_lines_that_make_no_sense(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "v.viratdata.events.txt"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=message) as caught:
        read_virat(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "v.viratdata.events.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a text file"):
        read_virat(path)
