import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lilliput.cli.data import app
from lilliput.data import read_dataset
from lilliput.errors import DataError
from lilliput.video.encode import write_video


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Folders train/{Run,[Sit]} and val/Run; recordings 1, 2 in train and 2 in val."""
    rng = np.random.default_rng(0)
    for name in ("train/Run/Run_1_1", "train/[Sit]/[Sit]_2_1", "val/Run/Run_2_2"):
        path = tmp_path / "set" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8), fps=10)
    return tmp_path / "set"


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys, lilliput.cli.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", ["describe", "preview", "check", "split", "pack"])
def test_missing_data_set_is_a_data_error(tmp_path: Path, command: str) -> None:
    with pytest.raises(DataError, match="no such data set"):
        _run(command, tmp_path / "none")


def test_describe(root: Path, tmp_path: Path) -> None:
    code, output = _run("describe", root, "--out", tmp_path / "out")
    assert code == 0
    assert "folder per class, 2 classes" in output
    assert any(line.split() == ["[Sit]", "1", "0"] for line in output.splitlines())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "describe.json",
        "clips_per_class.png",
        "class_resolutions.png",
    }
    written = json.loads((tmp_path / "out/describe.json").read_text())
    assert written["splits"]["train"]["clips_per_class"] == [1, 1]
    assert written["splits"]["val"]["frames"] == [4.0, 4, 4]


def test_describe_names_synthetic_clips(root: Path, tmp_path: Path) -> None:
    row = f"{root / 'train/Run/Run_1_1.mp4'},Run,train,"
    for group, named in (("SYNTHETIC_S_100000_000000", True), ("VIRAT_S_000000_00", False)):
        manifest = tmp_path / "manifest.csv"
        manifest.write_text(f"path,labels,split,group\n{row}{group}\n")
        _, output = _run("describe", manifest, "--out", tmp_path / "out")
        assert ("CSV manifest, synthetic" in output) == named


def test_default_folder_is_below_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run("split", root)[0] == 0
    assert (tmp_path / "runs/split/set/manifest.csv").is_file()


def test_preview_one_clip(root: Path, tmp_path: Path) -> None:
    arguments = ("--clip", "val/Run/Run_2_2", "--num-frames", 3, "--input-size", 14)
    code, _ = _run("preview", root, "--out", tmp_path / "out", *arguments)
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Run_Run_2_2_augmentations.png",
        "Run_Run_2_2_samplers.png",
    ]


def test_check_warns_of_leaks_and_exits_with_0(root: Path, tmp_path: Path) -> None:
    code, output = _run("check", root, "--out", tmp_path / "out")
    assert code == 0
    assert "no fault found" in output
    assert "shared recordings between train (1 clips) and val (1 clips): 1" in output
    written = json.loads((tmp_path / "out/check.json").read_text())
    assert written["shared"][0]["names"] == ["2"]


def test_check_exits_with_1_when_something_is_wrong(root: Path) -> None:
    (root / "val/Run/Run_2_2.mp4").write_bytes(b"")
    code, output = _run("check", root)
    assert code == 1
    assert "empty: 1" in output
    assert "Run_2_2.mp4: the file is empty (0 bytes)" in output


def test_check_lists_every_fault(root: Path) -> None:
    for number in range(9):
        (root / f"train/Run/Run_9_{number}.mp4").write_bytes(b"no video")
    code, output = _run("check", root)
    assert code == 1
    assert "corrupt: 9" in output
    assert all(f"Run_9_{number}.mp4: " in output for number in range(9))


def test_split_by_recording(root: Path, tmp_path: Path) -> None:
    code, output = _run("split", root, "--by", "recording", "--out", tmp_path / "out")
    assert code == 0
    assert "0 in both" in output
    with (tmp_path / "out/manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    sides = {(row["group"], row["split"]) for row in rows}
    assert len(sides) == 2  # recordings 1 and 2, each on one side
    assert _run("check", tmp_path / "out/manifest.csv")[0] == 0


def test_split_by_camera_says_when_no_camera_is_known(root: Path, tmp_path: Path) -> None:
    code, output = _run("split", root, "--by", "camera", "--out", tmp_path / "out")
    assert code == 0
    assert "the names tell no camera" in output


def test_synthetic_clips_come_in_a_layout_that_is_read(tmp_path: Path) -> None:
    arguments = ("synthetic", tmp_path / "clips", "--train", 4, "--val", 2, "--test", 1)
    code, out = _run(*arguments)
    assert code == 0
    assert "made:" in out
    dataset = read_dataset(tmp_path / "clips")
    assert {split: len(clips) for split, clips in dataset.splits.items()} == {
        "train": 4,
        "val": 2,
        "test": 1,
    }
    assert dataset.synthetic
