from pathlib import Path

import pytest

from lilliput.data import read_dataset
from lilliput.data.official.ucf101 import read_ucf101
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

LISTS = {
    "ucfTrainTestlist/classInd.txt": "1 Basketball\r\n2 Archery\r\n",
    "ucfTrainTestlist/trainlist01.txt": "Basketball/v_Basketball_g08_c01.avi 1\r\n"
    "Archery/v_Archery_g08_c01.avi 2\r\n",
    "ucfTrainTestlist/testlist01.txt": "Archery/v_Archery_g01_c01.avi\n",
    "ucfTrainTestlist/trainlist02.txt": "Archery/v_Archery_g01_c01.avi 2\n",
    "ucfTrainTestlist/testlist02.txt": "Archery/v_Archery_g08_c01.avi\n",
}
VIDEOS = (
    "UCF-101/Basketball/v_Basketball_g08_c01.avi",
    "UCF-101/Archery/v_Archery_g08_c01.mp4",  # re-encoded: the list still says .avi
    "UCF-101/Archery/v_Archery_g01_c01.avi",
)


@pytest.fixture
def root(make_set: MakeSet) -> Path:
    return make_set(LISTS, VIDEOS)


def test_split_one_is_the_default(root: Path) -> None:
    dataset = read_dataset(root)
    assert dataset.layout == "UCF-101 split 1"
    assert dataset.labels.class_names == ("Basketball", "Archery")  # the order of classInd.txt
    train, test = dataset.split("train"), dataset.split("test")
    assert [(c.clip_id, c.labels, c.recording) for c in train] == [
        ("Basketball/v_Basketball_g08_c01", (0,), "v_Basketball_g08"),
        ("Archery/v_Archery_g08_c01", (1,), "v_Archery_g08"),
    ]
    assert [(c.clip_id, c.labels) for c in test] == [("Archery/v_Archery_g01_c01", (1,))]
    assert all(len(clip.read()) == 40 for clip in (*train, *test))


def test_another_split_is_named_after_an_at_sign(root: Path) -> None:
    dataset = read_dataset(f"{root}@2")
    assert dataset.layout == "UCF-101 split 2"
    assert dataset.root == Path(f"{root}@2")
    assert [clip.clip_id for clip in dataset.split("train")] == ["Archery/v_Archery_g01_c01"]
    with pytest.raises(DataError, match=r"trainlist04\.txt: no such list; the official splits"):
        read_dataset(f"{root}@4")


def test_a_folder_may_have_an_at_sign_in_its_name(root: Path) -> None:
    moved = root.rename(root.with_name("ucf@2"))
    assert read_dataset(moved).layout == "UCF-101 split 1"
    assert read_dataset(f"{moved}@2").layout == "UCF-101 split 2"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Archery/v_Archery_g09_c01.avi 2", "no video 'v_Archery_g09_c01' is below .*; add it"),
        ("Archry/v_Archery_g08_c01.avi 2", "unknown label 'Archry'; nearest is 'Archery'"),
        ("Archery/v_Archery_g08_c01.avi 1", "'Archery' is class 2 in classInd.txt, not 1"),
        ("v_Archery_g08_c01.avi", "is not class/video.avi"),
        ("Archery/v_Archery_g08_c01.avi 2\nArchery/v_Archery_g08_c01.avi 2", "listed twice"),
    ],
)
def test_a_wrong_line_is_named(root: Path, line: str, complaint: str) -> None:
    path = root / "ucfTrainTestlist/trainlist01.txt"
    path.write_text(f"\nBasketball/v_Basketball_g08_c01.avi 1\n{line}\n")
    where = 4 if "\n" in line else 3
    with pytest.raises(DataError, match=rf"trainlist01\.txt: line {where}: .*{complaint}"):
        read_dataset(root)
    assert len(read_dataset(root, strict=False).problems) == 1


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("trainlist01.txt", "\n", r"trainlist01\.txt: is empty; download it again"),
        ("classInd.txt", "", r"classInd\.txt: is empty"),
        ("classInd.txt", "1 A\n3 B\n", r"classInd\.txt: line 2: '3 B' is not '2 ClassName'"),
    ],
)
def test_a_damaged_list_is_refused(root: Path, name: str, text: str, complaint: str) -> None:
    (root / "ucfTrainTestlist" / name).write_text(text)
    with pytest.raises(DataError, match=complaint):
        read_ucf101(root)


def test_a_list_that_is_no_text_is_refused(root: Path) -> None:
    (root / "ucfTrainTestlist/testlist01.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"testlist01\.txt: not a text file"):
        read_dataset(root)
