from pathlib import Path

import numpy as np
import pytest

from lilliput.data import read_dataset
from lilliput.errors import DataError
from tests.data.official.conftest import MakeSet

LABEL_MAP = """item {
  name: "bend/bow (at the waist)"
  id: 1
}
item {
  name: "carry/hold (an object)"
  id: 17
}
item {
  name: "watch (a person)"
  id: 80
}
"""
ROW = "aaa,0002,0.25,0.000,0.50,0.500"
LISTS = {
    "annotations/ava_train_v2.2.csv": f"{ROW},80,0\n{ROW},1,0\n{ROW},2,0\n"
    "aaa,0002,0.6,0.1,0.9,0.8,17,1\naaa,0003,0.6,0.1,0.9,0.8,17,1\n",
    "annotations/ava_val_v2.2.csv": "bbb,0902,0.1,0.1,0.9,0.9,17,0\n",
    "annotations/ava_train_excluded_timestamps_v2.2.csv": "aaa,0003\n",
    "annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt": LABEL_MAP,
}
VIDEOS = ("trainval/aaa.mkv", "videos_15min/bbb.mp4")


def test_a_clip_is_a_person_around_a_key_frame(make_set: MakeSet) -> None:
    dataset = read_dataset(make_set(LISTS, VIDEOS))
    assert dataset.layout == "AVA"
    assert dataset.labels.class_names[0] == "bend/bow (at the waist)"
    train = dataset.split("train")
    assert [(clip.labels, clip.recording) for clip in train] == [((0, 2), "aaa"), ((1,), "aaa")]
    part = train[0].part
    assert part is not None
    assert (part.start_seconds, part.end_seconds) == (1.0, 3.0)
    assert part.box == pytest.approx((0.225, 0.0, 0.525, 0.55))


def test_it_reads_the_frames_and_the_square(make_set: MakeSet) -> None:
    dataset = read_dataset(make_set(LISTS, VIDEOS))
    frames = dataset.split("train")[0].read()[:]
    # 9.6 x 13.2 px of 32 x 24: a square of 13 px; frames 10 to 29, of grey levels 60 to 174
    assert frames.shape == (20, 3, 13, 13)
    np.testing.assert_array_equal(frames[:, 0, 6, 6].numpy(), np.arange(10, 30) * 6)
    info = dataset.split("train")[0].probe()
    assert (info.width, info.height, info.num_frames) == (13, 13, 20)


def test_videos_cut_to_fifteen_minutes_begin_at_second_900(make_set: MakeSet) -> None:
    clip = read_dataset(make_set(LISTS, VIDEOS)).split("val")[0]
    assert clip.part is not None
    assert (clip.part.start_seconds, clip.part.end_seconds) == (1.0, 3.0)
    assert len(clip.read()) == 20


def test_the_label_map_of_all_actions(make_set: MakeSet) -> None:
    lists = dict(LISTS)
    del lists["annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt"]
    root = make_set(lists, VIDEOS)
    with pytest.raises(DataError, match=r"has no ava_action_list\*\.pbtxt; add AVA's label map"):
        read_dataset(root)
    text = "".join(
        f'label {{ name: "{name}" label_id: {n} label_type: PERSON_MOVEMENT }}\n'
        for n, name in ((1, "bend"), (2, "crawl"), (17, "hold"), (80, "watch"))
    )
    (root / "annotations/ava_action_list_v2.2.pbtxt").write_text(text)
    assert read_dataset(root).split("train")[0].labels == (0, 1, 3)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("bbb,0902,0.1,0.1,0.9,0.9,81,0", "unknown action 81; the label map ends at 80"),
        ("bbb,0902,0.1,0.1,0.9,0.9", "is not video,second,x1,y1,x2,y2,action"),
        ("bbb,soon,0.1,0.1,0.9,0.9,1", "is not video,second"),
        ("bbb,0902,0.9,0.1,0.1,0.9,1", "its box or its time makes no sense"),
        ("bbb,nan,0.1,0.1,0.9,0.9,1", "its box or its time makes no sense"),
        ("ccc,0902,0.1,0.1,0.9,0.9,1\nccc,0903,0.1,0.1,0.9,0.9,1", "no video 'ccc' is below"),
    ],
)
def test_a_wrong_line_is_named(make_set: MakeSet, line: str, complaint: str) -> None:
    name = "annotations/ava_val_v2.2.csv"
    root = make_set(LISTS | {name: f"{LISTS[name]}{line}\n"}, VIDEOS)
    with pytest.raises(DataError, match=rf"ava_val_v2\.2\.csv: line 2: {complaint}"):
        read_dataset(root)
    assert len(read_dataset(root, strict=False).problems) == 1  # an absent video is told once


def test_key_frames_without_a_person_are_left_out(make_set: MakeSet) -> None:
    name = "annotations/ava_val_v2.2.csv"
    root = make_set(LISTS | {name: f"{LISTS[name]}bbb,0903,,,,,\n"}, VIDEOS)
    assert len(read_dataset(root).split("val")) == 1


@pytest.mark.parametrize("line", ["aaa", "aaa,soon"])
def test_a_wrong_key_frame_is_named(make_set: MakeSet, line: str) -> None:
    name = "annotations/ava_train_excluded_timestamps_v2.2.csv"
    with pytest.raises(DataError, match=r"timestamps_v2\.2\.csv: line 1: is not video,second"):
        read_dataset(make_set(LISTS | {name: line}, VIDEOS))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("ava_train_v2.2.csv", "is empty"),
        ("ava_action_list_v2.2_for_activitynet_2019.pbtxt", "lists no class"),
    ],
)
def test_an_empty_file_is_refused(make_set: MakeSet, name: str, complaint: str) -> None:
    root: Path = make_set(LISTS | {f"annotations/{name}": ""}, VIDEOS)
    with pytest.raises(DataError, match=f"{name}: {complaint}"):
        read_dataset(root)
