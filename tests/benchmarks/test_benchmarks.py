"""The arithmetic behind benchmarks/results.md, and that the page is made from the figures."""

import json
import time
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.plots import draw_growth
from benchmarks.report import render_report
from benchmarks.tables import Claim, Row, Table, from_json, make_rows, to_json
from benchmarks.timing import interleave, speed
from benchmarks.topics import TOPICS


def example() -> Table:
    rows = (
        Row("ours", (1.0, 2.0, 4.0), ours=True, share=0.25),
        Row("peer", (4.0, 4.0, 4.0)),
        Row("slow peer", (40.0, 50.0, 60.0), note="converts | every frame"),
        Row("absent", note="not measured: no such package"),
    )
    claims = (
        Claim("twice the fastest peer", "ours", low=2.0),
        Claim("thirty times the slow peer", "ours", "slow peer", low=30.0),
        Claim("absent is fast", "absent", low=1.0),
        Claim("in seconds", "ours", high=3.0, absolute=True),
    )
    return Table("Reading", "Clips.", "ms", rows, limit="the peak", claims=claims)


def results(*tables: Table, topic: str = "reading") -> dict:
    return {
        "machine": {"CPU": "an example", "cores": "2"},
        "quick": False,
        "topics": {topic: {"commit": "abc", "seconds": 1, "tables": to_json(list(tables))}},
    }


def test_cases_take_turns_and_warm_up() -> None:
    calls: list[str] = []

    def case(name: str) -> None:
        calls.append(name)
        time.sleep(0.02)  # long enough that one call makes a sample

    found = interleave(
        {"a": lambda: case("a"), "b": lambda: case("b")}, budget_seconds=0, min_rounds=3
    )
    assert "".join(calls) == "aabbabbaab"
    assert len(found["a"]) == len(found["b"]) == 3
    assert all(sample >= 0.02 for sample in found["a"])


def test_short_cases_are_repeated_within_a_sample() -> None:
    calls = []
    found = interleave({"a": lambda: calls.append(1)}, budget_seconds=0, min_rounds=3, max_rounds=3)
    assert len(found["a"]) == 3
    assert len(calls) > 100


def test_a_failure_is_told_and_the_others_go_on() -> None:
    def fail() -> None:
        raise ImportError("no peer\ndetails")

    found = interleave({"bad": fail, "good": lambda: None}, budget_seconds=0, max_rounds=3)
    assert found["bad"] == "ImportError: no peer"
    assert len(found["good"]) == 3


def test_speed_is_the_median_of_paired_ratios() -> None:
    # 8/1, 2/2 and 9/3: the median of the ratios is 3, the ratio of the medians would be 4.
    assert speed([1.0, 2.0, 3.0], [8.0, 2.0, 9.0]) == 3.0
    assert speed([1.0, 2.0, 3.0], [8.0, 8.0]) == 4.0


def test_ratios_are_against_the_fastest_peer_or_the_named_row() -> None:
    table = example()
    ours, peer, slow, absent = table.rows
    assert table.reference() == peer
    assert table.speed(ours) == 2.0  # 4/1, 4/2, 4/4
    assert table.speed(slow) == pytest.approx(4 / 50)
    assert table.speed(absent) is None
    assert [table.value(claim) for claim in table.claims] == [2.0, 25.0, None, 2.0]


def test_rates_compare_the_other_way_around() -> None:
    rows = (Row("ours", (30.0,), ours=True), Row("peer", (10.0,)), Row("slow", (5.0,)))
    table = Table("Steps", "", "clips/s", rows, higher_is_better=True)
    assert table.fastest_peer() == rows[1]
    assert table.speed(rows[0]) == 3.0


def test_rows_scale_to_the_unit_and_know_their_share() -> None:
    found = {"a": (0.5, 0.25, 1.0), "b": "ImportError: b"}
    good, bad = make_rows(found, ours={"a"}, scale=1000.0, shares={"a": 0.1})
    assert good == Row("a", (500.0, 250.0, 1000.0), ours=True, share=0.2)
    assert bad == Row("b", note="not measured: ImportError: b")


def test_tables_survive_json() -> None:
    tables = [example()]
    assert from_json(json.loads(json.dumps(to_json(tables)))) == tables


def test_the_page_says_what_was_reached() -> None:
    page = render_report(results(example()))
    assert "| CPU | an example |" in page
    assert "| twice the fastest peer | 2.00× | reached |" in page
    assert "| thirty times the slow peer | 25.00× | **not reached** |" in page
    assert "| absent is fast |  | not measured: no such package |" in page
    assert "| in seconds | 2.00 ms | reached |" in page
    assert "| **ours** | 2.00 | 1.00 to 4.00 | 2.00 | 25% |  |" in page
    assert "| peer | 4.00 | 4.00 to 4.00 | **1** |  |  |" in page
    assert "converts \\| every frame" in page
    assert "quick run" not in page


def test_the_figure_has_a_panel_for_each_table(tmp_path: Path) -> None:
    rows = (Row("10", (1.0,), ours=True), Row("1000", (5.0,), ours=True))
    tables = [Table(f"Time over {what}", "", "ms", rows, baseline="-") for what in ("T", "K")]
    figure = draw_growth(tables, tmp_path / "growth.svg")
    assert figure is not None
    assert figure.read_text().count('<g id="axes_') == 2
    assert f"({figure.name})" in render_report(results(*tables, topic="growth"), figure)
    assert draw_growth([example()], tmp_path / "none.svg") is None


def test_a_topic_that_cannot_run_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOPICS, "nothing", "Nothing")  # there is no such module
    main(["--only", "nothing", "--quick", "--output", str(tmp_path)])
    page = (tmp_path / "results.md").read_text()
    assert "## Nothing" in page or "nothing" in (tmp_path / "results.json").read_text()
    saved = json.loads((tmp_path / "results.json").read_text())
    (table,) = saved["topics"]["nothing"]["tables"]
    assert "not measured" in table["rows"][0]["note"]
