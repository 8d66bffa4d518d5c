from pathlib import Path

import numpy as np
import pytest

from lilliput.data.surveillance import read_kpf
from lilliput.errors import DataError
from tests.data.surveillance.staged import write_kpf


def test_boxes_are_those_of_all_actors_and_straight_in_between(tmp_path: Path) -> None:
    path = write_kpf(
        tmp_path,
        "r",
        [("Talking", (10, 14), [1, 2]), ("Riding", (11, 12), [1])],
        {
            1: {8: (0, 0, 10, 20), 18: (10, 0, 20, 20)},
            2: {12: (50, 10, 60, 30), 14: (50, 10, 60, 30)},
        },
    )
    (talking, riding), without = read_kpf(path)
    assert without == 0
    assert (talking.name, talking.start_frame, talking.end_frame) == ("Talking", 10, 14)
    assert talking.boxes.tolist() == [
        [2, 0, 12, 20],  # the second one is not there yet
        [3, 0, 13, 20],
        [4, 0, 60, 30],
        [5, 0, 60, 30],
        [6, 0, 60, 30],
    ]
    assert (riding.start_frame, riding.end_frame) == (11, 12)
    assert riding.boxes[:, 0].tolist() == [3, 4]


def test_a_gap_between_actors_is_bridged(tmp_path: Path) -> None:
    path = write_kpf(
        tmp_path,
        "r",
        [("Talking", (0, 4), [1, 2])],
        {1: {0: (0, 0, 8, 8)}, 2: {4: (8, 0, 16, 8)}},
    )
    ((talking,), _) = read_kpf(path)
    assert talking.boxes[:, 0].tolist() == [0, 2, 4, 6, 8]


def test_other_spellings(tmp_path: Path) -> None:
    """A set of names, several spans, a flow of entries and a dash, as contributed to MEVA."""
    (tmp_path / "r-activities.yml").write_text(
        "[{meta: r.avi}, {act: {act2: !!set {person_sits_down: null}, id2: 1,\n"
        "  actors: [{id1: 7, timespan: [{tsr0: [0, 9]}]}], "
        "timespan: [{tsr0: [0, 2]}, {tsr0: [5, 6]}]}},\n"
        "  {act: {act3: {a: 0.2, b: 0.8}, id2: 2, actors: [{id1: 7, timespan: [{tsr0: [0, 9]}]}],\n"
        "  timespan: [{tsr0: [1, 1]}]}}]\n"
    )
    (tmp_path / "r-geom.yml").write_text(
        "[{geom: {g0: 1 2 3 4, id0: 1, id1: 7, ts0: 0, ts1: 0.0}},\n"
        "{geom: {g0: 1.5 2 3 4, id0: 2, id1: 7, ts0: 9}}]\n"
    )
    activities, _ = read_kpf(tmp_path / "r-activities.yml")
    spans = [(a.name, a.start_frame, a.end_frame) for a in activities]
    assert spans == [("person_sits_down", 0, 2), ("person_sits_down", 5, 6), ("b", 1, 1)]


def test_activities_without_geometry_are_counted(tmp_path: Path) -> None:
    path = write_kpf(
        tmp_path,
        "r",
        [("Talking", (0, 5), [1]), ("Talking", (0, 5), [2]), ("Riding", (50, 60), [1])],
        {1: {0: (0, 0, 9, 9), 9: (0, 0, 9, 9)}},
    )
    activities, without = read_kpf(path)
    assert (len(activities), without) == (1, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- {act: [", r"activities.yml: not valid YAML \(.*line"),
        ("a: 1", r"must be a list of KPF entries"),
        (
            "- {act: {act2: {x: 1.0}, timespan: [{tsr0: [5, 2]}], actors: []}}",
            "entry 1: needs a name",
        ),
        ("- {act: {act2: {x: 1.0}, timespan: [{tsr0: [0, 2]}]}}", "'actors'"),
        ("- {act: {timespan: [{tsr0: [0, 2]}], actors: []}}", "name 'act2'"),
        ("- {act: {act2: x, timespan: [{tsr0: [0, 2]}], actors: []}}", "name 'act2'"),
        ("- !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_files_that_make_no_sense(tmp_path: Path, content: str, message: str) -> None:
    path = write_kpf(tmp_path, "r", [], {1: {0: (0, 0, 9, 9)}})
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_kpf(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("box", ["1 2 3", "1 2 x 4", "5 0 1 9", "0 0 nan 9", "0 0 inf 9"])
def test_boxes_that_make_no_sense(tmp_path: Path, box: str) -> None:
    path = write_kpf(tmp_path, "r", [("Talking", (0, 5), [1])], {})
    (tmp_path / "r.geom.yml").write_text(f"- {{geom: {{id1: 1, ts0: 0, g0: {box}}}}}\n")
    with pytest.raises(DataError, match=r"r\.geom\.yml: entry 1: needs an actor"):
        read_kpf(path)


def test_frames_that_cannot_be(tmp_path: Path) -> None:
    boxes = {0: (0, 0, 9, 9), 10**12: (0, 0, 9, 9)}
    path = write_kpf(tmp_path, "r", [("Talking", (0, 10**12), [1])], {1: boxes})
    with pytest.raises(DataError, match="correct its frame numbers"):
        read_kpf(path)


def test_no_geometry_file(tmp_path: Path) -> None:
    path = write_kpf(tmp_path, "r", [("Talking", (0, 5), [1])], {})
    (tmp_path / "r.geom.yml").unlink()
    with pytest.raises(DataError, match=r"has no geometry; put r\.geom\.yml beside it"):
        read_kpf(path)


def test_interpolation_against_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = np.sort(rng.choice(60, 9, replace=False))
    corners = rng.integers(0, 50, (9, 2))
    boxes = {
        int(f): (int(x), int(y), int(x) + 9, int(y) + 9)
        for f, (x, y) in zip(frames, corners, strict=True)
    }
    path = write_kpf(tmp_path, "r", [("Talking", (0, 99), [1])], {1: boxes})
    ((activity,), _) = read_kpf(path)
    for row, frame in enumerate(range(frames[0], frames[-1] + 1)):
        after = int(np.searchsorted(frames, frame))
        before = after if frames[after] == frame else after - 1
        gap = max(1, frames[after] - frames[before])
        weight = (frame - frames[before]) / gap
        expected = (1 - weight) * corners[before] + weight * corners[after]
        assert activity.boxes[row, :2] == pytest.approx(expected)
