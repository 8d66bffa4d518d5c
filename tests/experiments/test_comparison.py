"""Tables of numbers that were worked out by hand, and how they are shown."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from lilliput.evaluation.scored import ScoredClips
from lilliput.experiments.comparison import TableContext, compare_table
from lilliput.experiments.rendering import print_table, render_markdown, write_table
from lilliput.experiments.rows import Row, Table
from lilliput.experiments.saved import SavedReport
from lilliput.scoring import paired_comparison

# Four clips, two classes. Class 0 is right throughout; of class 1 both clips are positives.
TARGETS = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
PERFECT = TARGETS
HALF = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)  # class 1: P 1, R 1/2, F1 2/3
BLIND = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=bool)  # class 1: all 0

TABLE = Table(
    "9.9",
    "Made up",
    ("Method", "Kind"),
    (
        Row(("base", "No"), "base", (33.0, 33.6, 37.7)),
        Row(("first", "No"), "first", (40.0, 44.0, 41.0)),
        Row(("second", "Yes"), "second", (42.5, 43.0, 46.0)),
    ),
    remark="A remark.",
)
CONTEXT = TableContext(
    data="made up (4 clips)",
    split="val",
    scale="small",
    seeds=(1, 2),
    changes=("model.width 64 → 8", "training.epochs 200 → 8"),
    notes=("A warning.",),
)


def _run(labels: np.ndarray, recordings: Sequence[str] = ("a", "b", "c", "d")) -> SavedReport:
    scored = ScoredClips(
        clip_ids=np.array(["0", "1", "2", "3"]),
        recordings=np.array(recordings),
        sides=np.full(4, 20),
        scores=labels.astype(np.float32),
        targets=TARGETS,
        class_names=np.array(["x", "y"]),
        unreadable=np.array([], dtype=str),
    )
    return SavedReport(scored, np.array([0.5, 0.5]), "")


RUNS = {
    "base": [_run(BLIND), _run(HALF)],
    "first": [_run(HALF), _run(HALF)],
    "second": [_run(PERFECT), _run(PERFECT)],
}


@pytest.fixture
def document() -> dict[str, Any]:
    return compare_table(TABLE, RUNS, CONTEXT)


def test_mean_and_deviation_over_the_seeds(document: dict[str, Any]) -> None:
    base, first, second = (row["ours"] for row in document["rows"])
    # Macro F1 of BLIND is (1 + 0) / 2 and of HALF (1 + 2/3) / 2.
    assert base["f1"]["runs"] == pytest.approx([1 / 2, 5 / 6])
    assert base["f1"]["mean"] == pytest.approx(2 / 3)
    assert base["f1"]["deviation"] == pytest.approx((1 / 3) / 2**0.5)  # of two values
    assert base["precision"]["mean"] == pytest.approx((1 / 2 + 1) / 2)
    assert base["recall"]["mean"] == pytest.approx((1 / 2 + 3 / 4) / 2)
    # AP of class 1: BLIND finds all at precision 2/4; HALF one at 1 and the other at 2/4.
    assert base["map"]["runs"] == pytest.approx([(1 + 1 / 2) / 2, (1 + 3 / 4) / 2])
    assert first["f1"]["deviation"] == 0
    assert second["recall"]["mean"] == 1


def test_difference_from_the_thesis(document: dict[str, Any]) -> None:
    row = document["rows"][2]
    assert row["thesis"] == {"f1": 0.425, "precision": 0.43, "recall": 0.46}
    assert row["difference"]["f1"] == pytest.approx(1 - 0.425)


def test_one_seed_has_no_deviation() -> None:
    runs = {recipe: several[:1] for recipe, several in RUNS.items()}
    document = compare_table(TABLE, runs, CONTEXT)
    assert document["rows"][0]["ours"]["f1"]["deviation"] is None


def test_rows_are_compared_with_the_baseline_and_the_last_two_with_each_other(
    document: dict[str, Any],
) -> None:
    comparisons = document["comparisons"]
    assert [(one["row"], one["against"]) for one in comparisons] == [(2, 1), (3, 1), (3, 2)]
    assert [one["thesis"] for one in comparisons] == pytest.approx([0.07, 0.095, 0.025])
    estimates = [one["difference"]["estimate"] for one in comparisons]
    assert estimates == pytest.approx([5 / 6 - 2 / 3, 1 - 2 / 3, 1 - 5 / 6])
    expected = paired_comparison(
        [HALF, HALF], [BLIND, HALF], TARGETS, ["a", "b", "c", "d"], confidence=0.95
    )
    assert comparisons[0]["p_value"] == expected.p_value
    assert comparisons[0]["difference"]["low"] == expected.difference.low
    assert comparisons[0]["distinguishable"] == expected.distinguishable


def test_one_recording_allows_no_comparison() -> None:
    runs = {recipe: [_run(HALF, ["a"] * 4)] for recipe in RUNS}
    document = compare_table(TABLE, runs, CONTEXT)
    assert document["comparisons"][0]["difference"] is None
    assert "| 2 − 1 | +7.0 |  |  |  | one recording only |" in render_markdown(document)


def test_markdown(document: dict[str, Any]) -> None:
    page = render_markdown(document, ["figure-9.9.png"]).splitlines()
    assert page[0] == "# Table 9.9: Made up"
    assert page[2] == (
        "| # | Method | Kind | F1 thesis | ours | Δ | P thesis | ours | Δ | R thesis | ours | Δ "
        "| mAP |"
    )
    assert page[4] == (
        "| 1 | base | No | 33.0 | 66.7 ± 23.6 | +33.7 | 33.6 | 75.0 ± 35.4 | +41.4 "
        "| 37.7 | 62.5 ± 17.7 | +24.8 | 81.2 ± 8.8 |"
    )
    assert page[8].startswith(
        "- Macro averages, %. Thesis: TinyVIRAT-v2, test split. Ours: made up (4 clips), split "
        "val; scale small; seeds 1, 2 (mean ± standard deviation)."
    )
    assert "- Not as in the thesis: model.width 64 → 8; training.epochs 200 → 8." in page
    assert "- A warning." in page
    assert "- A remark." in page
    assert page[-1] == "![figure-9.9](figure-9.9.png)"


@pytest.mark.parametrize(
    ("low", "high", "finding"),
    [(0.02, 0.3, "better"), (-0.3, -0.02, "worse"), (-0.1, 0.2, "not distinguishable")],
)
def test_findings(document: dict[str, Any], low: float, high: float, finding: str) -> None:
    interval = {"estimate": (low + high) / 2, "low": low, "high": high}
    told = low > 0 or high < 0
    document["comparisons"][0] |= {"difference": interval, "distinguishable": told, "p_value": 0.04}
    line = next(line for line in render_markdown(document).splitlines() if "| 2 − 1 |" in line)
    estimate, ends = f"{50 * (low + high):+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}"
    assert line == f"| 2 − 1 | +7.0 | {estimate} | {ends} | 0.040 | {finding} |"


def test_files(document: dict[str, Any], tmp_path: Path) -> None:
    page, numbers = write_table(document, [tmp_path / "figure-9.9.png"], tmp_path / "tables")
    assert page.name == "table-9.9.md"
    assert page.read_text(encoding="utf-8") == render_markdown(document, ["figure-9.9.png"])
    read = json.loads(numbers.read_text(encoding="utf-8"))
    assert read["rows"][1]["ours"]["f1"]["mean"] == pytest.approx(5 / 6)
    assert read["changes"] == list(CONTEXT.changes)


def test_a_terminal_of_80_columns_shows_every_number(document: dict[str, Any]) -> None:
    text = io.StringIO()
    print_table(document, Console(file=text, width=80))
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert "1 base · No thesis 33.0 33.6 37.7" in lines
    assert "ours 66.7 ± 23.6 75.0 ± 35.4 62.5 ± 17.7 81.2 ± 8.8" in lines
    assert "Δ +33.7 +41.4 +24.8" in lines
    assert "…" not in text.getvalue()


def _table(*rows: Row, **settings: Any) -> Table:
    return Table("9.9", "Made up", ("Method", "Kind"), rows, **settings)


def test_a_row_that_the_thesis_does_not_print_has_ours_alone() -> None:
    base, first, _ = TABLE.rows
    document = compare_table(_table(base, first, Row(("mine", "No"), "second")), RUNS, CONTEXT)
    assert document["rows"][2]["thesis"] == {"f1": None, "precision": None, "recall": None}
    assert [one["thesis"] for one in document["comparisons"]] == [0.07, None, None]
    lines = render_markdown(document).splitlines()
    (line,) = [line for line in lines if line.startswith("| 3 | mine")]
    assert line.startswith("| 3 | mine | No |  | 100.0 ± 0.0 |  |  | 100.0 ± 0.0 |")
    assert any(line.startswith("| 3 − 1 |  | +33.3 |") for line in lines)


def test_a_table_of_ours_names_the_thesis_nowhere() -> None:
    rows = [Row(row.labels, row.recipe) for row in TABLE.rows]
    table = Table("mine", "Our networks", ("Method", "Kind"), tuple(rows), steps=False)
    document = compare_table(table, RUNS, CONTEXT)
    page = render_markdown(document)
    assert page.startswith("# Our networks\n\n| # | Method | Kind | F1 | P | R | mAP |")
    assert "hesis" not in page
    assert "Not as in the recipes: model.width 64" in page
    # With the baseline; then the last row, the best, with each other one.
    pairs = [(one["row"], one["against"]) for one in document["comparisons"]]
    assert pairs == [(2, 1), (3, 1), (3, 2)]
    text = io.StringIO()
    print_table(document, Console(file=text, width=80))
    assert "…" not in text.getvalue()
    assert "hesis" not in text.getvalue()


def test_the_last_of_a_table_without_steps_is_compared_with_each_row() -> None:
    rows = tuple(Row((str(n), ""), "base") for n in range(4))
    document = compare_table(_table(*rows, steps=False), RUNS, CONTEXT)
    pairs = [(one["row"], one["against"]) for one in document["comparisons"]]
    assert pairs == [(2, 1), (3, 1), (4, 1), (4, 2), (4, 3)]


def test_the_improvement_is_the_mean_gain_by_seed() -> None:
    base, first, _ = TABLE.rows
    document = compare_table(_table(base, first, improvement=(7.0, 10.4, 3.3)), RUNS, CONTEXT)
    gain = document["improvement"]["ours"]["recall"]
    assert gain["runs"] == pytest.approx([3 / 4 - 1 / 2, 0])
    assert gain["mean"] == pytest.approx(1 / 8)
    page = render_markdown(document)
    # Points: F1 2/3 to 5/6, precision 3/4 to 1, recall 5/8 to 3/4.
    assert (
        "|  | Improvement |  | +7.0 | +16.7 ± 23.6 | +9.7 | +10.4 | +25.0 ± 35.4 | +14.6 " in page
    )
    assert "| +3.3 | +12.5 ± 17.7 | +9.2 |" in page
    text = io.StringIO()
    print_table(document, Console(file=text, width=80))
    assert "Improvement" in text.getvalue()
