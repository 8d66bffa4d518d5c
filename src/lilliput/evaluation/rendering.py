"""A report as files to keep and as tables in the terminal."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lilliput.evaluation.plots import draw_figures

_DOTS_PER_INCH = 150
_NOTHING = "–"  # shown for what cannot be computed


def write_report(report: dict[str, Any], folder: Path) -> Path:
    """Writes a report's folder and returns the path of its page.

    ``report.html`` holds its pictures and asks nothing of the network, so the one file can be
    mailed. Beside it lie the numbers, ``report.json`` and ``per_class.csv``, and each picture.

    Args:
        report: The document of ``evaluate_report``.
        folder: Made if missing; files of an earlier report are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, figure in draw_figures(report).items():
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=_DOTS_PER_INCH)
        (folder / f"{name}.png").write_bytes(png.getvalue())
        pictures[name] = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    document = json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False)
    (folder / "report.json").write_text(document + "\n", encoding="utf-8")
    with (folder / "per_class.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, report["per_class"][0])
        writer.writeheader()
        writer.writerows(report["per_class"])
    page = folder / "report.html"
    page.write_text(_render(report, pictures), encoding="utf-8")
    return page


def print_report(report: dict[str, Any], console: Console) -> None:
    """Prints the scores, then those of each resolution and class; percentages throughout."""
    console.print(Text(report["title"], style="bold"))
    if report["note"]:
        console.print(Text(report["note"], style="bold yellow"))
    console.print(_averages_table(report))
    for guesser in report["guessers"]:
        console.print(
            f"{guesser['name']}: macro F1 {percent(guesser['macro_f1'])}, "
            f"micro F1 {percent(guesser['micro_f1'])}",
            style="dim",
            highlight=False,
        )
    if report["comparison"]:
        console.print(compare_in_words(report), highlight=False)
    console.print(_resolution_table(report))
    console.print(_class_table(report))
    if report["unreadable"]:
        console.print(
            f"{len(report['unreadable'])} of {report['num_clips']} clips could not be read and "
            "count as clips without a predicted label",
            style="yellow",
            highlight=False,
        )


def percent(share: float | None) -> str:
    """A fraction as the thesis prints it: 0.3296 is 33.0."""
    return _NOTHING if share is None else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return f"{100 * difference:+z.1f}"


def interval_in_words(report: dict[str, Any], name: str) -> str:
    """Such as ``30.1 to 35.8``; a dash where there is none."""
    interval = (report["intervals"] or {}).get(name)
    return f"{percent(interval['low'])} to {percent(interval['high'])}" if interval else _NOTHING


def compare_in_words(report: dict[str, Any]) -> str:
    """The paired comparison as two sentences."""
    comparison = report["comparison"]
    difference = comparison["difference"]
    finding = "not distinguishable from"
    if comparison["distinguishable"]:
        finding = "better than" if difference["estimate"] > 0 else "worse than"
    return (
        f"This run is {finding} the baseline. Macro F1 {percent(comparison['macro_f1'])} against "
        f"{percent(comparison['baseline_macro_f1'])}: {points(difference['estimate'])} points, "
        f"{100 * report['confidence']:.0f} % interval {points(difference['low'])} to "
        f"{points(difference['high'])}, p = {comparison['p_value']:.3f}."
    )


def _render(report: dict[str, Any], pictures: dict[str, str]) -> str:
    environment = Environment(
        loader=PackageLoader("lilliput", "evaluation"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points}
    return environment.get_template("report.html.jinja").render(
        report=report,
        pictures=pictures,
        compare_in_words=compare_in_words,
        interval_in_words=interval_in_words,
    )


def _averages_table(report: dict[str, Any]) -> Table:
    level = f"{100 * report['confidence']:.0f} % interval"
    table = _table("average", "precision", "recall", "F1", f"F1, {level}")
    for name in report["averaging"]:
        row = report["metrics"][name]
        table.add_row(
            name,
            percent(row["precision"]),
            percent(row["recall"]),
            percent(row["f1"]),
            interval_in_words(report, f"{name}_f1"),
            style="bold" if name == "macro" else "",
        )
    precision = percent(report["metrics"]["mean_average_precision"])
    table.caption = f"%; mAP {precision}; {report['num_clips']} clips"
    return table


def _resolution_table(report: dict[str, Any]) -> Table:
    table = _table("short side, px", "clips", "classes", "macro F1", "micro F1")
    for row in report["per_resolution"]:
        scores = percent(row["macro_f1"]), percent(row["micro_f1"])
        table.add_row(row["group"], str(row["clips"]), str(row["classes"]), *scores)
    return table


def _class_table(report: dict[str, Any]) -> Table:
    table = _table("class", "clips", "predicted", "P", "R", "F1", "AP", "threshold")
    for row in report["per_class"]:
        table.add_row(
            Text(row["name"]),  # as Text, for square brackets in a name are no markup
            str(row["support"]),
            str(row["predicted"]),
            *(percent(row[key]) for key in ("precision", "recall", "f1", "average_precision")),
            f"{row['threshold']:.3f}",
            style="dim" if row["absent"] else "",
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
