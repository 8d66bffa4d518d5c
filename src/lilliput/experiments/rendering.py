"""A table as Markdown and JSON files, and in the terminal, the thesis' numbers beside ours."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from lilliput.evaluation.rendering import percent, points
from lilliput.experiments.comparison import SCORES

_HEADS = {"f1": "F1", "precision": "P", "recall": "R"}


def write_table(document: dict[str, Any], figures: Sequence[Path], folder: Path) -> list[Path]:
    """Writes ``table-N.json`` and ``table-N.md``, or those of another name.

    Args:
        document: From ``compare_table``.
        figures: Pictures in the same folder, shown in the Markdown.
        folder: Made if missing.

    Returns:
        The two files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = document["name"]
    numbers = folder / f"{stem}.json"
    numbers.write_text(
        json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    page = folder / f"{stem}.md"
    page.write_text(render_markdown(document, [path.name for path in figures]), encoding="utf-8")
    return [page, numbers]


def render_markdown(document: dict[str, Any], figures: Sequence[str] = ()) -> str:
    """The table as a page; percentages throughout, differences in points."""
    parts = [
        f"# {_heading(document)}",
        _markdown(_score_lines(document), num_labels=1 + len(document["columns"])),
        "\n".join(f"- {line}" for line in facts_in_words(document)),
    ]
    if document["comparisons"]:
        findings = _markdown(_comparison_lines(document), num_labels=1)
        parts += ["## Differences in macro F1, points", findings]
    parts += [f"![{name.removesuffix('.png')}]({name})" for name in figures]
    return "\n\n".join(parts) + "\n"


def print_table(document: dict[str, Any], console: Console) -> None:
    """The table, what differs, and what a reader must know."""
    console.print(Text(_heading(document), style="bold"))
    num_labels = 3 if document["printed"] else 1 + len(document["columns"])
    console.print(_rich(_stacked(document), num_labels=num_labels))
    if document["comparisons"]:
        console.print(_rich(_comparison_lines(document), num_labels=1))
    for fact in facts_in_words(document):
        console.print(Text(fact, style="dim"))


def facts_in_words(document: dict[str, Any]) -> list[str]:
    """What a reader must know: data, seeds, reductions, warnings."""
    seeds = ", ".join(map(str, document["seeds"]))
    deviation = " (mean ± standard deviation)" if len(document["seeds"]) > 1 else ""
    thesis, bears = "", "No threshold bears on mAP."
    if document["printed"]:
        thesis = "Thesis: TinyVIRAT-v2, test split. "
        bears = "mAP, which no threshold bears on, is ours."
    facts = [
        f"Macro averages, %. {thesis}Ours: {document['data']}, split "
        f"{document['split']}; scale {document['scale']}; seeds {seeds}{deviation}. {bears}",
        *document["notes"],
    ]
    if document["changes"]:
        whose = "thesis" if document["printed"] else "recipes"
        facts.insert(1, f"Not as in the {whose}: {'; '.join(document['changes'])}.")
    if document["comparisons"]:
        facts.append("Differences between rows: paired bootstrap over recordings.")
    return [*facts, document["remark"]] if document["remark"] else facts


def _heading(document: dict[str, Any]) -> str:
    table = f"Table {document['table']}: " if document["printed"] else ""
    return table + str(document["title"])


def _score_lines(document: dict[str, Any]) -> list[list[str]]:
    """Head and rows: number, labels; thesis, ours and difference of each score; our mAP."""
    head = ["#", *document["columns"]]
    for name in SCORES:
        head += [f"{_HEADS[name]} thesis", "ours", "Δ"] if document["printed"] else [_HEADS[name]]
    lines = [[*head, "mAP"]]
    for number, row in enumerate(document["rows"], start=1):
        line = [str(number), *row["labels"]]
        for name in SCORES:
            ours, thesis = _with_deviation(row["ours"][name]), row["thesis"][name]
            if thesis is not None:
                line += [percent(thesis), ours, points(row["difference"][name])]
            else:
                line += ["", ours, ""] if document["printed"] else [ours]
        lines.append([*line, _with_deviation(row["ours"]["map"])])
    if document["improvement"] is not None:
        lines.append(_improvement_line(document))
    return lines


def _improvement_line(document: dict[str, Any]) -> list[str]:
    """The last line of table 4.12, in points."""
    thesis, ours = document["improvement"]["thesis"], document["improvement"]["ours"]
    line = ["", "Improvement", *[""] * (len(document["columns"]) - 1)]
    for name in SCORES:
        gain = ours[name]["mean"]
        line += [points(thesis[name]), _points_with_deviation(ours[name])]
        line.append(points(gain - thesis[name]))
    return [*line, _points_with_deviation(ours["map"])]


def _stacked(document: dict[str, Any]) -> list[list[str]]:
    """As narrow as a terminal: labels in one cell; thesis, ours and difference in three lines."""
    if not document["printed"]:
        return _score_lines(document)
    lines = [["#", " · ".join(document["columns"]), "", *_HEADS.values(), "mAP"]]
    num_labels = len(document["columns"])
    for number, *cells, mean_average_precision in _score_lines(document)[1:]:
        labels, scores = cells[:num_labels], cells[num_labels:]
        stacks = ["\n".join(scores[first : first + 3]) for first in range(0, len(scores), 3)]
        name = " · ".join(label for label in labels if label)
        lines.append([number, name, "thesis\nours\nΔ", *stacks])
        lines[-1].append(f"\n{mean_average_precision}")
    return lines


def _comparison_lines(document: dict[str, Any]) -> list[list[str]]:
    """Head and one line per comparison; "not distinguishable" is a finding."""
    level = f"{100 * document['confidence']:.0f} % interval"
    printed = document["printed"]
    lines = [["rows", *["thesis"] * printed, "ours", level, "p", "finding"]]
    for comparison in document["comparisons"]:
        rows = [f"{comparison['row']} − {comparison['against']}"]
        if printed:
            thesis = comparison["thesis"]
            rows.append("" if thesis is None else points(thesis))
        difference = comparison["difference"]
        if difference is None:
            lines.append([*rows, "", "", "", "one recording only"])
            continue
        finding = "not distinguishable"
        if comparison["distinguishable"]:
            finding = "better" if difference["estimate"] > 0 else "worse"
        interval = f"{points(difference['low'])} to {points(difference['high'])}"
        p_value = f"{comparison['p_value']:.3f}"
        lines.append([*rows, points(difference["estimate"]), interval, p_value, finding])
    return lines


def _markdown(lines: Sequence[Sequence[str]], num_labels: int) -> str:
    rule = ["---"] * num_labels + ["---:"] * (len(lines[0]) - num_labels)
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _rich(lines: Sequence[Sequence[str]], num_labels: int) -> RichTable:
    table = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, head in enumerate(lines[0]):
        if index < num_labels:
            table.add_column(head)
        else:
            table.add_column(head, justify="right", min_width=5)
    for line in lines[1:]:
        table.add_row(*map(Text, line))
    return table


def _with_deviation(score: dict[str, Any]) -> str:
    if score["deviation"] is None:
        return percent(score["mean"])
    return f"{percent(score['mean'])} ± {percent(score['deviation'])}"


def _points_with_deviation(gain: dict[str, Any]) -> str:
    if gain["deviation"] is None:
        return points(gain["mean"])
    return f"{points(gain['mean'])} ± {percent(gain['deviation'])}"
