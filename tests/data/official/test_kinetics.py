from pathlib import Path

import pytest

from lilliput.data import read_dataset
from lilliput.data.check import check
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

HEADER = "label,youtube_id,time_start,time_end,split"
LISTS = {
    "annotations/train.csv": f'{HEADER},is_cc\n"air drumming, fast",-aaaaaaaaaa,1,11,train,0\n'
    "zumba,bbbbbbbbbbb,84.0,94.0,train,1\nzumba,gonegonegon,0,10,train,0\n",
    "annotations/validate.csv": f"{HEADER}\nzumba,ccccccccccc,0,10,validate\n",
    "annotations/test.csv": "youtube_id,time_start,time_end,split\nddddddddddd,5,15,test\n",
}
VIDEOS = (
    "train/air drumming, fast/-aaaaaaaaaa_000001_000011.mp4",
    "train/bbbbbbbbbbb_000084_000094.mkv",
    "val/ccccccccccc_000000_000010.mp4",
    "test/ddddddddddd_000005_000015.mp4",
)


def test_lists_and_videos_with_and_without_class_folders(make_set: MakeSet) -> None:
    root = make_set(LISTS, VIDEOS)
    dataset = read_dataset(root)
    assert dataset.layout == "Kinetics"
    assert list(dataset.splits) == ["train", "val", "test"]
    assert dataset.labels.class_names == ("air drumming, fast", "zumba")
    train = dataset.split("train")
    assert [(c.clip_id, c.labels, c.recording) for c in train[:2]] == [
        ("-aaaaaaaaaa_000001_000011", (0,), "-aaaaaaaaaa"),
        ("bbbbbbbbbbb_000084_000094", (1,), "bbbbbbbbbbb"),
    ]
    assert train[1].path == root / VIDEOS[1]
    assert dataset.split("test", labelled=False)[0].labels is None
    assert dataset.split("val")[0].labels == (1,)


def test_videos_that_vanished_are_counted_as_missing(make_set: MakeSet) -> None:
    report = check(read_dataset(make_set(LISTS, VIDEOS)))
    assert len(report.missing) == 1
    assert "gonegonegon_000000_000010" in report.missing[0]


def test_a_list_without_any_video_is_refused(make_set: MakeSet) -> None:
    with pytest.raises(DataError, match=r"validate\.csv: line 2: no ccc.*; add them, or remove"):
        read_dataset(make_set(LISTS, (*VIDEOS[:2], VIDEOS[3])))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("zumbaa,ccccccccccc,0,10,validate", "unknown label 'zumbaa'; nearest is 'zumba'"),
        ("zumba,ccccccccccc,soon,10,validate", "'soon' is no time in seconds"),
        ("zumba,,0,10,validate", "'' is no YouTube id"),
        ("zumba,../etc/passwd,0,10,validate", "is no YouTube id"),
        ("zumba,ccccccccccc,0,10,validate", "is listed twice"),
    ],
)
def test_a_wrong_line_is_named(make_set: MakeSet, line: str, complaint: str) -> None:
    name = "annotations/validate.csv"
    root = make_set(LISTS | {name: f"{LISTS[name]}{line}\n"}, VIDEOS)
    with pytest.raises(DataError, match=rf"validate\.csv: line 3: .*{complaint}"):
        read_dataset(root)


def test_the_name_of_a_list_may_say_its_split(make_set: MakeSet) -> None:
    text = "label,youtube_id,time_start,time_end\nzumba,bbbbbbbbbbb,84,94\n"
    root = make_set({"kinetics_train.csv": text}, (VIDEOS[1],))
    assert list(read_dataset(root).splits) == ["train"]
    (root / "kinetics_train.csv").rename(root / "all.csv")
    with pytest.raises(DataError, match=r"all\.csv: line 2: has no split; fill in the column"):
        read_dataset(root)


@pytest.mark.parametrize("text", [f"{HEADER}\n", HEADER])
def test_an_empty_list_is_refused(make_set: MakeSet, text: str) -> None:
    with pytest.raises(DataError, match=r"train\.csv: is empty; download it again"):
        read_dataset(make_set({"train.csv": text}, VIDEOS))


def test_a_list_without_labels_alone_is_refused(make_set: MakeSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"test\.csv: no line has a label; add the training list"):
        read_dataset(make_set({"test.csv": LISTS["annotations/test.csv"]}, VIDEOS))
