import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lilliput.errors import ConfigError, VideoError
from lilliput.inference.prediction import Prediction, Window
from lilliput.inference.writers import WRITERS, Csv, Header, JsonLines, find_style, tabulate

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
HEADER = Header(NAMES, (0.5, 0.5, 0.25), {"model": "ab12", "engine": "torch"})
ONE = replace(PREDICTION, labels=(NAMES[1],), warning=None, task="single")
UNKNOWN = replace(ONE, source="who.mp4", labels=())
ONE_HEADER = Header(NAMES, (0.25,) * 3, {"model": "ab12"}, "single")
FAILURE = VideoError("bad.mp4: not a readable video (Invalid data)")


def test_json_lines() -> None:
    file = io.StringIO()
    writer = JsonLines(file, HEADER)
    writer.write("a, b.mp4", PREDICTION)
    writer.write("bad.mp4", FAILURE)
    first, second = (json.loads(line) for line in file.getvalue().splitlines())
    scores = {NAMES[0]: 0.25, NAMES[1]: 0.9877, NAMES[2]: 0.5}
    assert first == {
        "source": "a, b.mp4",
        "task": "multi",
        "labels": [NAMES[1], NAMES[2]],
        "scores": scores,
        "windows": [{"start_seconds": 0.0, "end_seconds": 0.333, "scores": scores}],
        "warning": "only 3 of 4 frames are decodable",
    }
    assert second == {"source": "bad.mp4", "error": str(FAILURE)}


def test_csv() -> None:
    file = io.StringIO()
    writer = Csv(file, HEADER)
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
    console.print(tabulate([PREDICTION], HEADER))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[only 3 of 4 frames are decodable]" in text
    assert f"{NAMES[1]}, Öffnen" in text
    assert f"{NAMES[1]} 0.99 (0.50)  Öffnen 0.50 (0.25)  [Sit] 0.25 (0.50)" in text


def test_a_long_path_is_folded_not_cut() -> None:
    console = Console(file=io.StringIO(), width=80)
    path = "/".join(["a_long_folder"] * 6) + "/the_name.mp4"
    console.print(tabulate([replace(PREDICTION, source=path)], HEADER))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    cells = [line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│")]
    assert "".join(cells).startswith(path)


def _write(
    path: Path, *results: tuple[str, Prediction | VideoError], header: Header = HEADER
) -> None:
    with path.open("w", encoding="utf-8") as file:
        writer = WRITERS[find_style(path)](file, header)
        for source, result in results:
            writer.write(source, result)
        writer.close()


def test_parquet_holds_what_json_lines_hold(tmp_path: Path) -> None:
    long = replace(
        PREDICTION,
        source="long.mp4",
        labels=(),
        windows=tuple(Window(n, n + 2.0, SCORES / (n + 1)) for n in range(5000)),  # > a row group
        warning=None,
    )
    results = [("a, b.mp4", PREDICTION), ("bad.mp4", FAILURE), ("long.mp4", long)]
    _write(tmp_path / "a.parquet", *results)
    _write(tmp_path / "a.jsonl", *results)
    table = pq.read_table(tmp_path / "a.parquet")
    expected = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert table["source"].to_pylist() == [row["source"] for row in expected]
    for row, document in zip(table.to_pylist(), expected, strict=True):
        assert row["error"] == document.get("error")
        assert row["labels"] == document.get("labels")
        assert row["warning"] == document.get("warning")
        if "error" in document:
            assert row["windows"] is None
            assert [row[f"score_{name}"] for name in NAMES] == [None] * 3
            continue
        scores = [row[f"score_{name}"] for name in NAMES]
        np.testing.assert_allclose(scores, list(document["scores"].values()), atol=5.1e-5)
        windows = [_flat(window, list(window["scores"])) for window in row["windows"]]
        others = [_flat(other, list(other["scores"].values())) for other in document["windows"]]
        np.testing.assert_allclose(windows, others, atol=5.1e-4)


def _flat(window: dict[str, float], scores: list[float]) -> list[float]:
    return [window["start_seconds"], window["end_seconds"], *scores]


def test_parquet_keeps_scores_to_the_bit_and_says_of_what(tmp_path: Path) -> None:
    _write(tmp_path / "a.parquet", ("a, b.mp4", PREDICTION))
    table = pq.read_table(tmp_path / "a.parquet")
    assert [np.float32(table[f"score_{name}"][0].as_py()) for name in NAMES] == list(SCORES)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "source": "string",
        "labels": "list<element: string>",
        **{f"score_{name}": "float" for name in NAMES},
        "windows": "list<element: struct<start_seconds: double, end_seconds: double, "
        "scores: list<element: float>>>",
        "warning": "string",
        "error": "string",
    }
    facts = json.loads(table.schema.metadata[b"lilliput"])
    assert facts == {
        "class_names": list(NAMES),
        "thresholds": [0.5, 0.5, 0.25],
        "task": "multi",
        "model": "ab12",
        "engine": "torch",
    }


def test_parquet_of_nothing(tmp_path: Path) -> None:
    _write(tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0


def test_parquet_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lilliput.inference.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pyarrow: pip install 'lilliput\[parquet\]'"):
        _write(tmp_path / "a.parquet")


def test_one_label_comes_with_its_probability(tmp_path: Path) -> None:
    results = [("a, b.mp4", ONE), ("bad.mp4", FAILURE), ("who.mp4", UNKNOWN)]
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        _write(tmp_path / name, *results, header=ONE_HEADER)
    one, failed, unknown = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (one["task"], one["labels"], one["probability"]) == ("single", [NAMES[1]], 0.9877)
    assert failed == {"source": "bad.mp4", "error": str(FAILURE)}
    assert (unknown["labels"], unknown["probability"]) == ([], None)
    assert list(unknown["scores"].values()) == [0.25, 0.9877, 0.5]
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    scores = ["0.2500", "0.9877", "0.5000"]
    assert rows == [
        ["source", "labels", "probability", *NAMES, "warning", "error"],
        ["a, b.mp4", NAMES[1], "0.9877", *scores, "", ""],
        ["bad.mp4", *[""] * 6, str(FAILURE)],
        ["who.mp4", "", "", *scores, "", ""],
    ]
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names[:3] == ["source", "labels", "probability"]
    assert table["labels"].to_pylist() == [[NAMES[1]], None, []]
    assert table["probability"].to_pylist() == [SCORES[1], None, None]
    assert json.loads(table.schema.metadata[b"lilliput"])["task"] == "single"


@pytest.mark.parametrize(
    ("limit", "heading"), [(0.25, "most likely (unknown up to 0.25)"), (0.0, "most likely ")]
)
def test_the_table_spells_unknown_out(limit: float, heading: str) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(tabulate([ONE, UNKNOWN], replace(ONE_HEADER, thresholds=(limit,) * 3)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    lines = [[cell.strip() for cell in line.split("│")[1:4]] for line in text.splitlines()]
    best = f"{NAMES[1]} 0.99  Öffnen 0.50  [Sit] 0.25"
    assert ["a, b.mp4", NAMES[1], best] in lines
    assert ["who.mp4", "unknown", best] in lines
    assert heading in text


@pytest.mark.parametrize("name", ["out.txt", "out", "out.json"])
def test_a_suffix_of_no_format(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--out {name}: the suffix names the format: .parquet"):
        find_style(Path(name))
