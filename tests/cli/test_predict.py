import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lilliput.inference.recognizer import Prediction, Recognizer

RunCli = Callable[..., tuple[int, str, str]]
TORCH = ("--engine", "torch")


@pytest.fixture
def some(tiny_folder: Path, tmp_path: Path) -> list[Path]:
    """A folder, a file that is no video, an empty folder, and a file of the folder again."""
    (tmp_path / "bad [1].mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    again = tiny_folder / "test" / "00000.mp4"
    return [tiny_folder / "test", tmp_path / "bad [1].mp4", tmp_path / "empty", again]


@pytest.mark.parametrize("style", ["--json", "--csv", None])
def test_none_is_lost(
    micro_file: Path, some: list[Path], run_cli: RunCli, style: str | None
) -> None:
    options = [style] if style else []
    code, out, err = run_cli("predict", micro_file, *some, *TORCH, *options)
    assert code == 2
    skipped = [line.split(": ")[1] for line in err.splitlines() if line.startswith("skipped")]
    assert skipped == [str(some[1]), str(some[2])]
    assert "2 of the videos could not be read" in err
    assert "note: for tests" in err
    if style is None:
        assert out.count("turn_left") >= 3
    else:
        assert len(out.splitlines()) == {"--json": 5, "--csv": 6}[style]


def test_files_and_streams_hold_the_same(
    micro_file: Path, some: list[Path], run_cli: RunCli, tmp_path: Path
) -> None:
    _, as_json, _ = run_cli("predict", micro_file, *some, *TORCH, "--json")
    _, as_csv, _ = run_cli("predict", micro_file, *some, *TORCH, "--csv")
    for suffix in ("jsonl", "csv", "parquet"):
        out = tmp_path / f"out.{suffix}"
        code, stdout, err = run_cli("predict", micro_file, *some, *TORCH, "--out", out)
        assert (code, stdout) == (2, "")
        assert f"predictions: {out}" in err
    assert (tmp_path / "out.jsonl").read_text() == as_json
    assert (tmp_path / "out.csv").read_text() == as_csv
    rows = list(csv.DictReader(as_csv.splitlines()))
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["source"].to_pylist() == [row["source"] for row in rows]
    facts = json.loads(table.schema.metadata[b"lilliput"])
    assert facts["engine"] == "torch"
    assert len(facts["model"]) == 64
    assert sorted(path.name for path in tmp_path.glob("out.*")) == [
        "out.csv", "out.jsonl", "out.parquet",
    ]  # fmt: skip


def test_one_label_or_unknown(
    micro_single_file: Path, tiny_folder: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    unknown, known = (tiny_folder / "test" / f"0000{n}.mp4" for n in (0, 1))
    command = ("predict", micro_single_file, unknown, known, *TORCH)
    code, as_json, err = run_cli(*command, "--json")
    assert code == 0, err
    first, second = map(json.loads, as_json.splitlines())
    expected = Recognizer.load(micro_single_file, engine="torch").predict([unknown, known])
    assert [first, second] == [json.loads(json.dumps(one.to_dict())) for one in expected]
    assert (first["labels"], first["probability"]) == ([], None)
    assert max(first["scores"].values()) <= 0.35
    assert second["labels"] == [max(second["scores"], key=second["scores"].get)]
    assert second["probability"] == max(second["scores"].values()) > 0.35
    _, table, _ = run_cli(*command)
    assert "unknown" in table
    code, _, err = run_cli(*command, "--workers", 2, "--out", tmp_path / "out.jsonl")
    assert code == 0, err
    assert (tmp_path / "out.jsonl").read_text() == as_json


def test_what_is_there_is_left_alone(
    micro_file: Path, some: list[Path], run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "out.csv").write_text("mine")
    code, out, err = run_cli("predict", micro_file, *some, "--out", tmp_path / "out.csv")
    assert (code, out) == (2, "")
    assert f"{tmp_path / 'out.csv'}: exists already; remove it or give another --out" in err
    assert (tmp_path / "out.csv").read_text() == "mine"


def test_a_stopped_run_says_how_to_go_on(
    micro_file: Path,
    tiny_folder: Path,
    run_cli: RunCli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predict = Recognizer.predict
    read: list[str] = []

    def interrupted(recognizer: Recognizer, video: str) -> Prediction | np.ndarray:
        if len(read) == 3:
            read.append("stop")
            raise KeyboardInterrupt
        read.append(video)
        return predict(recognizer, video)

    monkeypatch.setattr(Recognizer, "predict", interrupted)
    arguments = ("predict", micro_file, tiny_folder, *TORCH, "--out", tmp_path / "a b.jsonl")
    code, _, err = run_cli(*arguments)
    assert code == 130
    assert f"Go on with:\n  {shlex.join(['lilliput', *map(str, arguments)])}" in err
    code, _, err = run_cli(*arguments, "--window-seconds", 9)
    assert code == 2
    assert "begun with another window_seconds; run the command that it was begun with" in err
    code, _, err = run_cli(*arguments)
    assert code == 0, err
    assert "going on: 3 of 14 were done before" in err
    read.remove("stop")
    assert len(read) == len(set(read)) == 14
    rows = [json.loads(line) for line in (tmp_path / "a b.jsonl").read_text().splitlines()]
    assert sorted(row["source"] for row in rows) == sorted(read)


def test_a_stopped_stream_says_so(
    micro_file: Path, tiny_folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(recognizer: Recognizer, video: str) -> Prediction:
        raise KeyboardInterrupt

    monkeypatch.setattr(Recognizer, "predict", interrupted)
    code, _, err = run_cli("predict", micro_file, tiny_folder, *TORCH, "--json")
    assert code == 130
    assert "stopped; with --out FILE a run can go on where it was stopped" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--json", "--csv"), "--json and --csv exclude each other"),
        (("--json", "--out", "a.csv"), "--json and --out exclude each other"),
        (("--out", "a.txt"), "--out a.txt: the suffix names the format: .parquet, .jsonl, .csv"),
        (("--ray", "here"), "--ray here: give auto, local, host:port or ray://host:port"),
    ],
)
def test_options_that_do_not_fit(
    micro_file: Path,
    tiny_folder: Path,
    run_cli: RunCli,
    options: tuple[str, ...],
    message: str,
) -> None:
    code, out, err = run_cli("predict", micro_file, tiny_folder, *TORCH, *options)
    assert (code, out) == (2, "")
    assert f"error: {message}" in err
