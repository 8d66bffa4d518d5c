import json
from pathlib import Path

import pytest

from lilliput.data.tubes import read_tubes
from lilliput.errors import DataError

HEAD = "recording,actor,frame,left,top,right,bottom,action\n"


def test_rows_of_one_actor_and_action_are_a_tube(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(
        HEAD + "a,1,14,4,0,14,10,walk\na,1,10,0,0,10,10,walk\na,1,10,0,0,10,10,wave\n"
        "a,2,10,50,0,60,10,walk\nb,1,0,0,0,1.5,1,walk\n"
    )
    tubes = read_tubes(path)
    assert [(t.action, t.start_frame, len(t.boxes)) for t in tubes["a"]] == [
        ("walk", 10, 5),
        ("wave", 10, 1),
        ("walk", 10, 1),
    ]
    assert tubes["a"][0].boxes.tolist() == [[x, 0, 10 + x, 10] for x in range(5)]
    assert tubes["b"][0].boxes.tolist() == [[0, 0, 1.5, 1]]


def test_tubelets_of_synthetic_footage(tmp_path: Path) -> None:
    path = tmp_path / "tubelets.json"
    actions = [{"start_frame": 6, "end_frame": 7, "action": "walk"}]
    actor = {"first_frame": 5, "boxes": [[n, 0, n + 1, 1] for n in range(4)], "actions": actions}
    path.write_text(json.dumps({"fps": 30, "recordings": {"a": [actor], "b": []}}))
    tubes = read_tubes(path)
    assert tubes["b"] == []
    (tube,) = tubes["a"]
    assert (tube.action, tube.start_frame) == ("walk", 6)
    assert tube.boxes.tolist() == [[1, 0, 2, 1], [2, 0, 3, 1]]
    actions[0]["end_frame"] = 9
    path.write_text(json.dumps({"recordings": {"a": [actor]}}))
    with pytest.raises(DataError, match="not as `lilliput data footage` writes it"):
        read_tubes(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("recording,frame\n", "lacks the column 'action'"),
        (HEAD + "a,1,x,0,0,1,1,walk\n", "line 2: needs a frame"),
        (HEAD + "a,1,0,5,0,1,1,walk\n", "left before right"),
        (HEAD + "a,1,0,0,0,nan,1,walk\n", "left before right"),
        (HEAD + "a,1,0,0,0,1,1,\n", "and an action"),
        (HEAD + "a,1,0,0,0\n", "line 2"),
        (HEAD + 2 * "a,1,0,0,0,1,1,walk\n", "line 3: a second box in frame 0"),
        (HEAD + "a,1,0,0,0,1,1,walk\na,1,999999999999,0,0,1,1,walk\n", "too many frames"),
    ],
)
def test_tables_that_make_no_sense(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_tubes(path)
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_tubes(tmp_path / "absent.csv")
