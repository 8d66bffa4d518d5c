"""``results.json`` as a page to read."""

from pathlib import Path
from typing import Any

from benchmarks.tables import Claim, Row, Table, from_json
from benchmarks.topics import TOPICS

_HEAD = """\
# Benchmarks

Written by `make benchmark` from `results.json`; do not edit.{quick}

All cases of a table ran in one process and in turn, A B C then C B A, after one call each to
warm up. A row gives the median of the rounds and their range. `ratio` says how many times as
fast (or as good) a row is as the one marked **1**: the median over rounds of the quotients
within a round. Only ratios carry over to other machines; times are context.
"""


def render_report(results: dict[str, Any], figure: Path | None = None) -> str:
    """The whole page, in Markdown."""
    topics = {
        name: from_json(results["topics"][name]["tables"])
        for name in TOPICS
        if name in results["topics"]
    }
    quick = " **A quick run: the figures are rough.**" if results["quick"] else ""
    commits = sorted({topic["commit"] for topic in results["topics"].values()})
    facts = results["machine"] | {"commit": ", ".join(commits)}
    parts = [_HEAD.format(quick=quick), "## Machine", _grid(["", ""], list(facts.items()))]
    tables = [table for group in topics.values() for table in group]
    if claims := [_claim_cells(table, claim) for table in tables for claim in table.claims]:
        parts += ["## What was to be shown", _grid(["claim", "measured", ""], claims)]
    for name, group in topics.items():
        parts += [f"## {TOPICS[name]}"]
        if name == "growth" and figure is not None:
            parts += [f"![Time and memory as the input grows]({figure.name})"]
        for table in group:
            parts += [f"### {table.title}", table.text, _rows(table)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _claim_cells(table: Table, claim: Claim) -> tuple[str, str, str]:
    value = table.value(claim)
    if value is None:
        row = next((row for row in table.rows if row.name == claim.row), None)
        return claim.text, "", (row.note if row and row.note else "not measured")
    low = claim.low is None or value >= claim.low
    high = claim.high is None or value <= claim.high
    measured = f"{_number(value)} {table.unit}" if claim.absolute else f"{value:.2f}×"
    return claim.text, measured, "reached" if low and high else "**not reached**"


def _rows(table: Table) -> str:
    reference = table.reference()
    columns = ["", f"median, {table.unit}", "range"]
    if reference is not None:
        columns.append("ratio")
    shares = any(row.share is not None for row in table.rows)
    if shares:
        columns.append(f"share of {table.limit}")
    notes = any(row.note for row in table.rows)
    columns += ["note"] if notes else []
    cells = []
    for row in table.rows:
        line = [f"**{row.name}**" if row.ours else row.name, *_values(row)]
        if reference is not None:
            line.append(_ratio(table, row, reference))
        if shares:
            line.append("" if row.share is None else f"{row.share:.0%}")
        cells.append((*line, row.note) if notes else tuple(line))
    return _grid(columns, cells)


def _values(row: Row) -> tuple[str, str]:
    if row.median is None:
        return "", ""
    if len(row.samples) == 1:
        return _number(row.median), ""
    return _number(row.median), f"{_number(min(row.samples))} to {_number(max(row.samples))}"


def _ratio(table: Table, row: Row, reference: Row) -> str:
    if row.name == reference.name:
        return "**1**"
    speed = table.speed(row)
    return "" if speed is None else f"{speed:.2f}"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def _grid(columns: list[str], rows: list[tuple[str, ...]]) -> str:
    right = [False] + [name.startswith(("median", "range", "ratio", "share", "measured"))
                       for name in columns[1:]]  # fmt: skip
    lines = [columns, ["---:" if is_right else "---" for is_right in right], *rows]
    escaped = ((str(cell).replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in escaped)
