import os
from dataclasses import replace
from pathlib import Path

import pytest

from lilliput.data import Clip, LabelSet, VideoDataset, read_dataset
from lilliput.data.manifest import read_manifest, write_manifest
from lilliput.errors import DataError
from lilliput.video.part import Part


def _write(folder: Path, *lines: str) -> Path:
    path = folder / "clips.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_reads_rows(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "path,labels,split,group",
        "a.mp4,walk|run,train,cam1",
        "b.mp4, run ,val,",
        "c.mp4,,test,cam2",
        "d.mp4,|,train,cam1",
    )
    dataset = read_dataset(path)
    assert dataset.labels.class_names == ("run", "walk")
    first, background = dataset.split("train")
    assert (first.clip_id, first.labels, first.recording) == ("a.mp4", (0, 1), "cam1")
    assert first.path == tmp_path / "a.mp4"
    assert background.labels == ()  # a lone | says: none applies
    assert dataset.split("val")[0].labels == (0,)
    assert dataset.split("val")[0].recording == "b.mp4"
    assert dataset.split("test", labelled=False)[0].labels is None


def test_byte_order_mark_and_absolute_paths(tmp_path: Path) -> None:
    path = _write(tmp_path, "\ufeffpath,labels,split", f"{tmp_path}/x/a.mp4,run,train")
    assert read_dataset(path).split("train")[0].path == tmp_path / "x/a.mp4"


def test_class_map_beside_it_sets_the_order(tmp_path: Path) -> None:
    (tmp_path / "class_map.json").write_text('{"walk": 0, "sit": 1, "run": 2}')
    path = _write(tmp_path, "path,labels,split", "a.mp4,run,train", "b.mp4,jump,train")
    dataset = read_dataset(path, strict=False)
    assert dataset.labels.class_names == ("walk", "sit", "run")
    assert dataset.split("train")[0].labels == (2,)
    assert dataset.problems == ("clips.csv: line 3: unknown label 'jump'; nearest is 'run'",)


def test_bad_rows_are_problems_with_their_line(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "path,labels,split",
        "a.mp4,run,train",
        "",
        ",run,train",
        "b.mp4,run",
        "a.mp4,run,train",
        "a.mp4,run,val",
    )
    dataset = read_dataset(path, strict=False)
    assert [len(clips) for clips in dataset.splits.values()] == [1, 1]
    assert dataset.problems == (
        "clips.csv: line 4: path and split must not be empty",
        "clips.csv: line 5: has 2 cells, the header 3; put a cell that holds a separator in double "
        "quotes",
        "clips.csv: line 6: a.mp4 occurs twice in split 'train'",
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"path,label,split\na,b,c\n", "lacks the column 'labels'"),
        (b"", "lacks the column 'path'"),
        (b"path,labels,split\na.mp4,,train\n", "no row has a label"),
        (b"path,labels,split\n\xff\xfe,b,c\n", "not a CSV text file"),
    ],
)
def test_broken_manifests(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "clips.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        read_dataset(path)


@pytest.mark.parametrize("inside", [True, False])
def test_written_manifest_reads_back(tiny: Path, tmp_path: Path, inside: bool) -> None:
    dataset = read_dataset(tiny)
    train = list(dataset.split("train"))
    train[2] = replace(train[2], labels=())
    dataset = replace(dataset, splits={**dataset.splits, "train": train})
    path = (tiny if inside else tmp_path / "new/folder") / "manifest.csv"
    write_manifest(path, dataset)
    back = read_dataset(path)
    assert back.labels == dataset.labels
    assert list(back.splits) == list(dataset.splits)
    for split, clips in dataset.splits.items():
        assert list(back.splits[split]) == clips
    cell = path.read_text().splitlines()[1].split(",")[0]
    assert Path(cell).is_absolute() is not inside


def test_class_names_that_cannot_be_written(tiny: Path, tmp_path: Path) -> None:
    dataset = replace(read_dataset(tiny), labels=LabelSet.from_names(["a|b", "c"]))
    with pytest.raises(DataError, match=r"class 'a\|b' cannot stand in a manifest"):
        write_manifest(tmp_path / "out" / "manifest.csv", dataset)


def test_parts_of_longer_videos_survive(tmp_path: Path) -> None:
    part = Part(1.5, 2.25, (0.1, 0.0, 0.5, 1.0))
    clips = [
        Clip("a", tmp_path / "v.mp4", (0,), "v", part=part),
        Clip("b", tmp_path / "v.mp4", (1,), "v", part=Part(0.0, 3.0)),
        Clip("c", tmp_path / "w.mp4", (1,), "w"),
    ]
    dataset = VideoDataset(tmp_path, "test", LabelSet.from_names("xy"), {"train": clips})
    write_manifest(tmp_path / "manifest.csv", dataset)
    assert read_manifest(tmp_path / "manifest.csv").splits["train"] == clips


@pytest.mark.parametrize("cells", ["1,1,", "2,,", "a,2,", "0,1,0 0 1", "0,1,0 0 2 1", ",,0 0 1 1"])
def test_a_part_that_is_none_is_named(tmp_path: Path, cells: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(f"path,labels,split,start_seconds,end_seconds,box\na.mp4,x,train,{cells}\n")
    with pytest.raises(DataError, match=r"line 2: needs start_seconds before end_seconds"):
        read_dataset(path)


def test_a_folder_with_a_manifest_is_read_by_it(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,labels,split\na.mp4,x,train\n")
    (tmp_path / "manifest@2.csv").write_text("path,labels,split\nb.mp4,x,train\n")
    assert [clip.clip_id for clip in read_dataset(tmp_path).split("train")] == ["a.mp4"]
    second = read_dataset(f"{tmp_path}@2")
    assert [clip.clip_id for clip in second.split("train")] == ["b.mp4"]


def test_a_comma_in_a_cell_is_told_and_makes_no_class(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "path,labels,split",
        "a.mp4,run,train",
        "b.mp4,Jump, high,train",
        "c, take 2.mp4,run,train",
        '"d, take 2.mp4",run,val',
    )
    dataset = read_dataset(path, strict=False)
    assert dataset.labels.class_names == ("run",)
    assert [clip.path.name for clips in dataset.splits.values() for clip in clips] == [
        "a.mp4",
        "d, take 2.mp4",
    ]
    assert [problem.split(";")[0] for problem in dataset.problems] == [
        "clips.csv: line 3: has 4 cells, the header 3",
        "clips.csv: line 4: has 4 cells, the header 3",
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(tmp_path: Path, separator: str) -> None:
    rows = ("path,labels,split,group", "a.mp4,run|jump,train,r1", "b.mp4,,test,")
    expected = read_dataset(_write(tmp_path, *rows))
    other = _write(tmp_path, *(row.replace(",", separator) for row in rows))
    assert read_dataset(other) == expected


def test_a_name_that_is_no_utf8_cannot_be_written(tmp_path: Path) -> None:
    clip = Clip("a", tmp_path / os.fsdecode(b"\xff.mp4"), (0,), "a")
    dataset = VideoDataset(tmp_path, "made", LabelSet.from_names(["run"]), {"train": [clip]})
    with pytest.raises(DataError, match="its name is no UTF-8, which a manifest is; rename it"):
        write_manifest(tmp_path / "m.csv", dataset)
