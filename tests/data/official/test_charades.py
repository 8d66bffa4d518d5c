import numpy as np
import pytest

from lilliput.data import read_dataset
from lilliput.data.official.charades import labels_of
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

HEADER = "id,subject,script,actions,length\n"
LISTS = {
    "Charades_v1_classes.txt": "c000 Holding some clothes\nc001 Opening a door\n",
    "Charades_v1_train.csv": f'{HEADER}AAA,X,"Opens, then holds",c001 0.00 1.00;'
    "c000 0.50 3.00;c000 2.00 1.00,4.0\nBBB,X,Nothing,,4.0\n",
    "Charades_v1_test.csv": f"{HEADER}CCC,Y,Holds,c000 0.00 30.00,4.0\n",
}
VIDEOS = tuple(f"Charades_v1_480/{name}.mp4" for name in ("AAA", "BBB", "CCC"))


def test_a_clip_is_an_annotated_interval(make_set: MakeSet) -> None:
    dataset = read_dataset(make_set(LISTS, VIDEOS))
    assert dataset.layout == "Charades"
    assert dataset.labels.class_names == ("Holding some clothes", "Opening a door")
    train = dataset.split("train")
    assert [(c.clip_id, c.labels, c.recording) for c in train] == [
        ("AAA/0.00-1.00", (0, 1), "AAA"),  # holding fills half of it
        ("AAA/0.50-3.00", (0, 1), "AAA"),  # half of opening lies in it
    ]
    frames = train[1].read()[:]
    np.testing.assert_array_equal(frames[:, 0, 0, 0].numpy(), np.arange(5, 30) * 6)
    assert train[1].probe().num_frames == 25


def test_an_interval_may_outlast_its_video(make_set: MakeSet) -> None:
    clip = read_dataset(make_set(LISTS, VIDEOS)).split("test")[0]
    assert len(clip.read()) == clip.probe().num_frames == 40


def test_labels_are_those_of_a_good_part() -> None:
    intervals = [(0.0, 10.0, 0), (9.0, 11.0, 1), (9.5, 30.0, 2), (20.0, 21.0, 3)]
    assert labels_of((0.0, 10.0), intervals) == (0, 1)
    assert labels_of((9.0, 11.0), intervals) == (0, 1, 2)


@pytest.mark.parametrize(
    ("actions", "complaint"),
    [
        ("c999 0.00 1.00", "unknown class 'c999'; it is not in Charades_v1_classes.txt"),
        ("c000 0.00", "'c000 0.00' is not 'c092 11.90 21.20'"),
        ("c000 zero 1", "is not 'c092 11.90 21.20'"),
    ],
)
def test_a_wrong_line_is_named(make_set: MakeSet, actions: str, complaint: str) -> None:
    lists = LISTS | {"Charades_v1_test.csv": f"{HEADER}CCC,Y,Holds,{actions},4\n"}
    with pytest.raises(DataError, match=rf"Charades_v1_test\.csv: line 2: .*{complaint}"):
        read_dataset(make_set(lists, VIDEOS))


def test_an_absent_video_is_named(make_set: MakeSet) -> None:
    with pytest.raises(DataError, match=r"Charades_v1_test\.csv: line 2: no video 'CCC' is below"):
        read_dataset(make_set(LISTS, VIDEOS[:2]))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"Charades_v1_classes.txt": "c000\n"}, r"classes\.txt: line 1: 'c000' is not 'c000 Name"),
        ({"Charades_v1_classes.txt": ""}, r"classes\.txt: is empty"),
        ({"Charades_v1_train.csv": HEADER}, r"train\.csv: is empty"),
    ],
)
def test_a_damaged_list_is_refused(
    make_set: MakeSet, changed: dict[str, str], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        read_dataset(make_set(LISTS | changed, VIDEOS))


def test_numbered_splits_are_of_other_sets(make_set: MakeSet) -> None:
    root = make_set(LISTS, VIDEOS)
    with pytest.raises(DataError, match="has no numbered splits; leave out @2"):
        read_dataset(f"{root}@2")
