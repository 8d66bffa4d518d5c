from pathlib import Path

import pytest

from lilliput.data import read_dataset
from lilliput.data.folder import find_other_folders
from lilliput.errors import DataError


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_split_folders_with_classes(tmp_path: Path) -> None:
    _touch(tmp_path, "train/Run/a.mp4", "train/Jump/b.AVI", "Validation/Run/c.mp4", "test/d.mp4")
    _touch(tmp_path, "train/Run/notes.txt", "train/.cache/x.mp4")
    dataset = read_dataset(tmp_path)
    assert dataset.layout == "folder per class"
    assert dataset.labels.class_names == ("Jump", "Run")
    assert [(clip.clip_id, clip.labels) for clip in dataset.split("train")] == [
        ("Jump/b", (0,)),
        ("Run/a", (1,)),
    ]
    assert [clip.clip_id for clip in dataset.split("val")] == ["Run/c"]
    assert [clip.labels for clip in dataset.split("test", labelled=False)] == [None]


def test_without_split_folders_a_fifth_is_held_out(tmp_path: Path) -> None:
    _touch(
        tmp_path, *(f"{c}/{c}_{scene}_{n}.mp4" for c in "AB" for scene in range(10) for n in "12")
    )
    dataset = read_dataset(tmp_path)
    train, val = dataset.split("train"), dataset.split("val")
    assert len(train) + len(val) == 40
    assert len(val) == 8
    assert not {c.recording for c in train} & {c.recording for c in val}
    again = read_dataset(tmp_path)
    assert [c.clip_id for c in again.split("val")] == [c.clip_id for c in val]


def test_recordings_from_file_names(tmp_path: Path) -> None:
    names = {
        "Jump/Jump_11_4.mp4": "11",  # class_scene_number
        "Run/Run_11_31.mp4": "11",  # the same scene, whatever the action
        "Run/v_Run_g01_c02.avi": "v_Run_g01",  # UCF101
        "Run/Run_7.mp4": "train/Run/Run_7",  # a number of its own is no scene
        "Run/7.mp4": "train/Run/7",
        "Run/cat.mp4": "train/Run/cat",
    }
    _touch(tmp_path / "train", *names)
    clips = read_dataset(tmp_path).split("train")
    found = {clip.path.relative_to(tmp_path / "train").as_posix(): clip.recording for clip in clips}
    assert found == names


def test_clips_numbered_alike_in_two_splits_share_nothing(tmp_path: Path) -> None:
    _touch(tmp_path, "train/Run/1.mp4", "train/Run/Run_1_2.mp4", "val/Run/1.mp4")
    dataset = read_dataset(tmp_path)
    train, val = ({c.recording for c in dataset.split(name)} for name in ("train", "val"))
    assert not train & val


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([], "no data set found"),
        (["a.mp4"], "no data set found"),
        (["Run/notes.txt"], "hold no video files"),
        (["Run/a.mp4"], "belong to one group"),
    ],
)
def test_no_data_set(tmp_path: Path, files: list[str], complaint: str) -> None:
    _touch(tmp_path, *files)
    with pytest.raises(DataError, match=complaint):
        read_dataset(tmp_path)


def test_a_lone_video_is_no_data_set(tmp_path: Path) -> None:
    _touch(tmp_path, "a.mp4")
    with pytest.raises(DataError, match=r"a folder or a \.csv manifest"):
        read_dataset(tmp_path / "a.mp4")


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    for split in ("train", "val", "validation"):
        (tmp_path / split / "Jump").mkdir(parents=True)
    with pytest.raises(DataError, match=r"is the val split, as .*; keep one"):
        read_dataset(tmp_path)


def test_what_archives_and_disks_leave_behind_is_no_class(tmp_path: Path) -> None:
    _touch(tmp_path, *(f"{name}/{n}.mp4" for name in ("Jump", "Run") for n in "abcdef"))
    _touch(tmp_path, "__MACOSX/Jump/a.mp4", "@eaDir/a.mp4", "Jump/._a.mp4", "Jump/@eaDir/a.mp4")
    _touch(tmp_path, "annotations/a.json", "Run/.hidden/a.mp4")
    (tmp_path / "Jump" / "loop").symlink_to(tmp_path, target_is_directory=True)
    dataset = read_dataset(tmp_path)
    assert dataset.labels.class_names == ("Jump", "Run")
    assert sum(map(len, dataset.splits.values())) == 12
    assert find_other_folders(tmp_path) == [tmp_path / "annotations"]


def test_an_empty_folder_is_a_class_whose_clips_are_missing(tmp_path: Path) -> None:
    _touch(tmp_path, "train/Jump/a.mp4", "val/Jump/b.mp4")
    (tmp_path / "train" / "Sit").mkdir()
    assert read_dataset(tmp_path).labels.class_names == ("Jump", "Sit")


def test_files_of_one_name_have_different_ids(tmp_path: Path) -> None:
    _touch(tmp_path, "train/Jump/a.mp4", "train/Jump/a.avi", "train/Jump/b.mp4", "val/Jump/a.mp4")
    dataset = read_dataset(tmp_path)
    assert [clip.clip_id for clip in dataset.split("train")] == [
        "Jump/a.avi",
        "Jump/a.mp4",
        "Jump/b",
    ]
    assert [clip.clip_id for clip in dataset.split("val")] == ["Jump/a"]
