"""A report as files to keep, and as tables in the terminal."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from lilliput.evaluation.plots import draw_figures
from lilliput.evaluation.strips import FilmStrips
from lilliput.evaluation.terminal import print_report
from lilliput.evaluation.words import (
    compare_in_words,
    confusion_in_words,
    interval_in_words,
    percent,
    points,
    score_rows,
    unknown_in_words,
)

__all__ = ["percent", "points", "print_report", "write_report"]

_DOTS_PER_INCH = 150


def write_report(report: dict[str, Any], folder: Path, strips: FilmStrips | None = None) -> Path:
    """Writes a report's folder and returns the path of its page.

    ``report.html`` holds its pictures and asks nothing of the network, so the one file can be
    mailed. Beside it lie the numbers, ``report.json`` and ``per_class.csv``, and each picture.

    Args:
        report: The document of ``evaluate_report``.
        folder: Made if missing; files of an earlier report are replaced.
        strips: Clips to look at; they stand in the page alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, figure in draw_figures(report).items():
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=_DOTS_PER_INCH)
        (folder / f"{name}.png").write_bytes(png.getvalue())
        pictures[name] = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    document = json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False)
    (folder / "report.json").write_text(
        document + "\n", encoding="utf-8", errors="backslashreplace"
    )
    with (folder / "per_class.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, report["per_class"][0])
        writer.writeheader()
        writer.writerows(report["per_class"])
    page = folder / "report.html"
    # A clip's name may be no UTF-8.
    text = _render(report, pictures, strips)
    page.write_text(text, encoding="utf-8", errors="backslashreplace")
    return page


def _render(report: dict[str, Any], pictures: dict[str, str], strips: FilmStrips | None) -> str:
    environment = Environment(
        loader=PackageLoader("lilliput", "evaluation"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points}
    words = (compare_in_words, confusion_in_words, interval_in_words, score_rows, unknown_in_words)
    environment.globals |= {function.__name__: function for function in words}
    return environment.get_template("report.html.jinja").render(
        report=report, pictures=pictures, strips=strips
    )
