import pytest

from lilliput.data import read_dataset
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

ODD = "#122_Cleaning (1)_wave_f_cm_np1_fr_med_0"
LISTS = {
    "testTrainMulti_7030_splits/wave_test_split1.txt": f"{ODD}.avi 1 \nA_wave_u_0.avi 2 \n",
    "testTrainMulti_7030_splits/brush_hair_test_split1.txt": "April_09_brush_hair_u_0.avi 1 \n"
    "April_09_brush_hair_u_1.avi 0 \n",
    "testTrainMulti_7030_splits/wave_test_split2.txt": f"{ODD}.avi 2 \nA_wave_u_0.avi 1 \n",
}
VIDEOS = (
    f"hmdb51/wave/{ODD}.avi",
    "hmdb51/wave/A_wave_u_0.avi",
    "hmdb51/brush_hair/April_09_brush_hair_u_0.avi",
)


def test_official_splits(make_set: MakeSet) -> None:
    root = make_set(LISTS, VIDEOS)  # the unused clip need not be there
    dataset = read_dataset(root)
    assert dataset.layout == "HMDB-51 split 1"
    assert dataset.labels.class_names == ("brush_hair", "wave")
    assert [(c.clip_id, c.labels, c.recording) for c in dataset.split("train")] == [
        ("brush_hair/April_09_brush_hair_u_0", (0,), "April_09"),
        (f"wave/{ODD}", (1,), "#122_Cleaning (1)"),
    ]
    assert [clip.clip_id for clip in dataset.split("test")] == ["wave/A_wave_u_0"]
    second = read_dataset(f"{root}@2")
    assert [clip.clip_id for clip in second.split("train")] == ["wave/A_wave_u_0"]
    with pytest.raises(DataError, match=r"has no \*_test_split3\.txt; the official splits are"):
        read_dataset(f"{root}@3")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("A_wave_u_0.avi 3", "is not 'video.avi N' with N = 0, 1 or 2"),
        ("A_wave_u_0.avi", "is not 'video.avi N'"),
        ("B_wave_u_0.avi 1", "no video 'B_wave_u_0' is below"),
    ],
)
def test_a_wrong_line_is_named(make_set: MakeSet, line: str, complaint: str) -> None:
    lists = LISTS | {"testTrainMulti_7030_splits/wave_test_split1.txt": f"{ODD}.avi 1\n{line}\n"}
    with pytest.raises(DataError, match=rf"wave_test_split1\.txt: line 2: .*{complaint}"):
        read_dataset(make_set(lists, VIDEOS))


def test_an_empty_list_is_refused(make_set: MakeSet) -> None:
    lists = LISTS | {"testTrainMulti_7030_splits/wave_test_split1.txt": ""}
    with pytest.raises(DataError, match=r"wave_test_split1\.txt: is empty"):
        read_dataset(make_set(lists, VIDEOS))
