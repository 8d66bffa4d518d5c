import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lilliput.checkpoint import Checkpoint
from lilliput.errors import VideoError
from lilliput.inference.listing import Csv, JsonLines, find_videos, predict_files, tabulate
from lilliput.inference.recognizer import Prediction, Recognizer, Window

NAMES = ("[Sit]", 'say "hi", wave', "Öffnen")
SCORES = np.array([0.25, 0.98765432, 0.5], dtype=np.float32)
PREDICTION = Prediction(
    source="a, b.mp4",
    class_names=NAMES,
    scores=SCORES,
    labels=(NAMES[1], NAMES[2]),
    windows=(Window(0.0, 1 / 3, SCORES),),
    warning="only 3 of 4 frames are decodable",
)
FAILURE = VideoError("bad.mp4: not a readable video (Invalid data)")


def test_json_lines() -> None:
    file = io.StringIO()
    writer = JsonLines(file, NAMES)
    writer.write("a, b.mp4", PREDICTION)
    writer.write("bad.mp4", FAILURE)
    first, second = (json.loads(line) for line in file.getvalue().splitlines())
    scores = {NAMES[0]: 0.25, NAMES[1]: 0.9877, NAMES[2]: 0.5}
    assert first == {
        "source": "a, b.mp4",
        "labels": [NAMES[1], NAMES[2]],
        "scores": scores,
        "windows": [{"start_seconds": 0.0, "end_seconds": 0.333, "scores": scores}],
        "warning": "only 3 of 4 frames are decodable",
    }
    assert second == {"source": "bad.mp4", "error": str(FAILURE)}


def test_csv() -> None:
    file = io.StringIO()
    writer = Csv(file, NAMES)
    writer.write("a, b.mp4", PREDICTION)
    writer.write("bad.mp4", FAILURE)
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    assert rows == [
        ["source", "labels", *NAMES, "warning", "error"],
        [
            "a, b.mp4",
            f"{NAMES[1]}|{NAMES[2]}",
            *("0.2500", "0.9877", "0.5000"),
            "only 3 of 4 frames are decodable",
            "",
        ],
        ["bad.mp4", "", "", "", "", "", str(FAILURE)],
    ]
    assert "\r" not in file.getvalue()


def test_the_table_shows_names_as_they_are() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(tabulate([PREDICTION], (0.5, 0.5, 0.25)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[only 3 of 4 frames are decodable]" in text
    assert f"{NAMES[1]}, Öffnen" in text
    assert f"{NAMES[1]} 0.99 (0.50)  Öffnen 0.50 (0.25)  [Sit] 0.25 (0.50)" in text


def test_a_long_path_is_folded_not_cut() -> None:
    console = Console(file=io.StringIO(), width=80)
    path = "/".join(["a_long_folder"] * 6) + "/the_name.mp4"
    console.print(tabulate([replace(PREDICTION, source=path)], (0.5, 0.5, 0.25)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    cells = [line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│")]
    assert "".join(cells).startswith(path)


def test_folders_become_their_videos(tmp_path: Path) -> None:
    for name in ("b/x.mp4", "b/a.AVI", "b/deep/z.webm", "b/notes.txt", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "folder.mp4").mkdir()
    (tmp_path / "empty").mkdir()
    given = [tmp_path / "c.txt", tmp_path / "b", tmp_path / "empty", tmp_path / "none.mp4"]
    found = [str(path.relative_to(tmp_path)) for path in find_videos(given)]
    assert found == ["c.txt", "b/a.AVI", "b/deep/z.webm", "b/x.mp4", "empty", "none.mp4"]


@pytest.mark.parametrize("style", ["json", "csv", "table"])
def test_none_is_lost(
    micro_checkpoint: Checkpoint,
    tiny_folder: Path,
    tmp_path: Path,
    style: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    videos = find_videos([tmp_path / "bad.mp4", tiny_folder / "test", tmp_path / "empty"])
    messages = Console(file=io.StringIO())
    failures = predict_files(Recognizer(micro_checkpoint), videos, style, messages)
    assert [failure.split(":")[0] for failure in failures] == [
        str(tmp_path / "bad.mp4"),
        str(tmp_path / "empty"),
    ]
    output = capsys.readouterr().out
    if style == "table":
        assert output.count("turn_left") >= 2
    else:
        num_lines = {"json": 4, "csv": 5}[style]
        assert len(output.splitlines()) == num_lines
