"""Whole sets, read back by the reader of TinyVIRAT."""

import json
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lilliput.data import read_dataset
from lilliput.data.surveillance import ClipPlan, CutRule, Division, write_tinyvirat
from lilliput.data.surveillance.cut import CutJob, cut_recording
from lilliput.data.surveillance.plan import Square
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError
from lilliput.video.decode import decode_video, probe
from tests.data.surveillance.staged import MEVA, VIRAT, numbered, write_kpf, write_virat

BOX = {1: {0: (20, 30, 40, 70), 149: (20, 30, 40, 70)}}
TALK = [("person_talks_to_person", (3, 99), [1]), ("person_texts_on_phone", (3, 60), [1])]
ALL_IN_TRAIN = Division(fraction=0)


@pytest.fixture
def set_(tmp_path: Path, write_lossless):
    """Two of MEVA's recordings, one of them in a folder, and one of VIRAT's."""
    frames = numbered(120)
    other = MEVA.replace("G299", "G330")
    write_lossless(tmp_path / "videos" / "drop-01" / f"{MEVA}.r13.avi", frames, 30)
    write_lossless(tmp_path / "videos" / f"{other}.avi", frames, 30)
    write_lossless(tmp_path / "videos" / f"{VIRAT}.mp4", frames, 25)
    kpf = tmp_path / "annotations" / "kpf"
    write_kpf(kpf, MEVA, TALK, BOX)
    write_kpf(
        kpf,
        other,
        [("person_sits_down", (0, 30), [1]), ("vehicle_starts", (0, 30), [1])],
        BOX,
        dot="-",
    )
    write_virat(tmp_path / "annotations" / "virat", VIRAT, [(0, 10, 10, 40, (50, 20, 25, 11))])
    return tmp_path


def cut(root: Path, out: str = "out", division: Division = ALL_IN_TRAIN, **changes):
    arguments = {"rule": CutRule(), "division": division} | changes
    return write_tinyvirat(root / "videos", root / "annotations", root / out, **arguments)


def test_the_reader_of_tinyvirat_reads_it(set_: Path) -> None:
    report = cut(set_)
    assert (report.clips, report.problems) == ({"train": 4}, [])
    assert report.without_class == {"person_sits_down": 1}
    told = json.loads((set_ / "out" / "cut.json").read_text())
    assert told["rule"]["num_frames"] == 64
    assert told["report"]["clips"] == report.clips
    dataset = read_dataset(set_ / "out")
    assert (dataset.layout, dataset.problems) == ("TinyVIRAT-like", ())
    assert dataset.labels.class_names == TINYVIRAT_CLASSES
    names = dataset.labels.class_names
    found = [(c.recording, c.camera, [names[i] for i in c.labels]) for c in dataset.split("train")]
    other = MEVA.replace("G299", "G330")
    assert found == [
        (MEVA, "G299", ["Talking", "specialized_texting_phone"]),
        (MEVA, "G299", ["Talking"]),
        (other, "G330", ["vehicle_starting"]),
        (VIRAT, "VIRAT_S_0001", ["activity_running"]),
    ]
    assert [c.path.relative_to(set_ / "out").as_posix() for c in dataset.split("train")] == [
        f"videos/train/{MEVA}/000000.mp4",
        f"videos/train/{MEVA}/000001.mp4",
        f"videos/train/{other}/000002.mp4",
        f"videos/train/{VIRAT}/000003.mp4",
    ]


def test_frames_pixels_and_times_are_the_recordings(set_: Path) -> None:
    cut(set_)
    clips = read_dataset(set_ / "out").split("train")
    entries = json.loads((set_ / "out" / "tiny_train_v2.json").read_text())
    assert [entry["dim"] for entry in entries] == [
        [64, 40, 40],
        [33, 40, 40],
        [31, 40, 40],
        [31, 26, 26],
    ]
    source = numbered(120)
    for clip, entry in zip(clips, entries, strict=True):
        shown = decode_video(clip.path)[:].permute(0, 2, 3, 1).numpy()
        count, side, _ = entry["dim"]
        left, top, _ = entry["square"]
        first = entry["first_frame"]
        expected = source[first : first + count, top : top + side, left : left + side]
        assert shown.shape == expected.shape
        assert np.abs(shown.astype(int) - expected).max() <= 3  # H.264's colours
        assert probe(clip.path).num_frames == count
    assert [round(probe(clip.path).fps, 2) for clip in clips] == [30, 30, 30, 25]


def test_a_rate_that_is_not_whole_is_kept(tmp_path: Path, set_: Path) -> None:
    from fractions import Fraction

    import av

    path = set_ / "videos" / f"{VIRAT}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", Fraction(30000, 1001), options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 100, 80, "yuv420p"
        for picture in numbered(120):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    cut(set_)
    clip = read_dataset(set_ / "out").split("train")[-1]
    assert probe(clip.path).fps == pytest.approx(30000 / 1001, abs=0.05)
    assert probe(clip.path).num_frames == 31


def test_cameras_are_held_out_as_a_whole(set_: Path) -> None:
    report = cut(set_, division=Division("camera", 0.3, 1))
    assert sum(report.clips.values()) == 4
    dataset = read_dataset(set_ / "out")
    cameras = [{c.camera for c in dataset.split(split)} for split in ("train", "val")]
    assert not cameras[0] & cameras[1]
    assert dataset.split("val")[0].clip_id == "000000"


def test_one_bad_recording_is_skipped_and_listed(set_: Path) -> None:
    (set_ / "videos" / f"{VIRAT}.mp4").write_bytes(b"no video")
    absent = write_kpf(set_ / "annotations", "absent", TALK, BOX)
    bad = write_kpf(set_ / "annotations", "bad", TALK, BOX)
    bad.write_text("- {act: [")
    (set_ / "videos" / "bad.mp4").write_bytes(
        (set_ / "videos" / "drop-01" / f"{MEVA}.r13.avi").read_bytes()
    )
    (write_kpf(set_ / "annotations" / "again", MEVA, TALK, BOX))
    report = cut(set_)
    assert absent.exists() and report.clips == {"train": 3}
    problems = "\n".join(report.problems)
    assert len(report.problems) == 4
    assert "holds no video of recording 'absent'" in problems
    assert "bad.activities.yml: not valid YAML" in problems
    assert f"{VIRAT}.mp4" in problems
    assert "annotated twice" in problems
    assert [c.clip_id for c in read_dataset(set_ / "out").split("train")] == [
        "000000",
        "000001",
        "000002",
    ]


def test_a_recording_that_ends_early_keeps_what_is_long_enough(set_: Path, write_lossless) -> None:
    path = set_ / "videos" / "drop-01" / f"{MEVA}.r13.avi"
    write_lossless(path, numbered(75), 30)  # 3 to 66 is whole; of 67 to 99 there are 8 frames
    report = cut(set_)
    (problem,) = report.problems
    assert (
        problem
        == f"{path}: ends before its annotations do; 1 of its 2 clips are missing, 0 shorter"
    )
    write_lossless(path, numbered(90), 30)
    report = cut(set_, "other")
    entries = json.loads((set_ / "other" / "tiny_train_v2.json").read_text())
    assert [entry["dim"][0] for entry in entries] == [64, 23, 31, 31]


def test_a_recording_is_decoded_once(set_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lilliput.data.surveillance import cut as cutting

    opened = []

    class Counted(cutting.VideoReader):
        def iter_lazy(self):
            opened.append(self.path.stem)
            return super().iter_lazy()

    monkeypatch.setattr(cutting, "VideoReader", Counted)
    cut(set_)
    assert len(opened) == len(set(opened)) == 3


def test_a_job_can_be_sent_to_another_process(tmp_path: Path) -> None:
    plan = ClipPlan(0, 9, Square(0, 0, 10), frozenset({"Talking"}))
    job = CutJob(tmp_path / "a.mp4", (plan,), (tmp_path / "b.mp4",))
    assert pickle.loads(pickle.dumps(partial(cut_recording, job, 16)))().num_frames == [0]


def test_nothing_to_cut(set_: Path) -> None:
    with pytest.raises(DataError, match=r"nothing to cut: all is left out \(5 clips too large"):
        cut(set_, rule=CutRule(max_side=12))
    assert not (set_ / "out").exists()


def test_other_names(set_: Path) -> None:
    report = cut(set_, names={"person_sits_down": "Misc", "vehicle_starts": None})
    assert report.without_class == {"vehicle_starts": 1}
    labels = read_dataset(set_ / "out").split("train")[2].labels
    assert [TINYVIRAT_CLASSES[index] for index in labels] == ["Misc"]


def test_one_camera_cannot_be_divided(set_: Path) -> None:
    for path in (set_ / "annotations" / "kpf").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="hold out a fraction of 0"):
        cut(set_, division=Division())


def test_folders_without_anything(set_: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    rest = {"rule": CutRule(), "division": ALL_IN_TRAIN}
    with pytest.raises(DataError, match="holds no annotations; give"):
        write_tinyvirat(set_ / "videos", empty, tmp_path / "out", **rest)
    with pytest.raises(DataError, match="holds no video; give"):
        write_tinyvirat(empty, set_ / "annotations", tmp_path / "out", **rest)
    with pytest.raises(DataError, match="holds something already"):
        write_tinyvirat(set_ / "videos", set_ / "annotations", set_, **rest)
