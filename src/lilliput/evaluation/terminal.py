"""A report as tables in the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lilliput.evaluation.words import (
    compare_in_words,
    confusion_in_words,
    interval_in_words,
    percent,
    score_rows,
    unknown_in_words,
)


def print_report(report: dict[str, Any], console: Console) -> None:
    """Prints the scores, then those of each resolution and class; percentages throughout."""
    console.print(Text(report["title"], style="bold"))
    if report["note"]:
        console.print(Text(report["note"], style="bold yellow"))
    single = report["task"] == "single"
    console.print(_scores_table(report) if single else _averages_table(report))
    if single:
        console.print(unknown_in_words(report), highlight=False)
    else:
        _print_guessers(report, console)
    if report["comparison"]:
        console.print(compare_in_words(report), highlight=False)
    console.print(_resolution_table(report))
    console.print(_confusions_table(report) if single else _class_table(report))
    if report["unreadable"]:
        console.print(
            f"{len(report['unreadable'])} of {report['num_clips']} clips could not be read and "
            "count as clips without a predicted label",
            style="yellow",
            highlight=False,
        )


def _print_guessers(report: dict[str, Any], console: Console) -> None:
    for guesser in report["guessers"]:
        console.print(
            f"{guesser['name']}: macro F1 {percent(guesser['macro_f1'])}, "
            f"micro F1 {percent(guesser['micro_f1'])}",
            style="dim",
            highlight=False,
        )


def _scores_table(report: dict[str, Any]) -> Table:
    """The scores of clips with one label, each beside what a blind guess reaches."""
    level = f"{100 * report['confidence']:.0f} % interval"
    table = _table("score", "this run", "chance", level)
    for position, row in enumerate(score_rows(report)):
        table.add_row(
            row["name"],
            percent(row["score"]),
            percent(row["chance"]),
            row["interval"],
            style="" if position else "bold",
        )
    error = percent(report["reliability"]["error"])
    table.caption = f"%; calibration error {error}; {report['num_clips']} clips"
    return table


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
    samples = percent(report["samples_f1_at_half"])
    table.caption = f"%; mAP {precision}; samples F1 at 0.5 {samples}; {report['num_clips']} clips"
    return table


def _resolution_table(report: dict[str, Any]) -> Table:
    single = report["task"] == "single"
    columns = ("top-1", "macro F1") if single else ("macro F1", "micro F1")
    table = _table("short side, px", "clips", "classes", *columns)
    keys = ("top1", "macro_f1") if single else ("macro_f1", "micro_f1")
    for row in report["per_resolution"]:
        scores = [percent(row[key]) for key in keys]
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


def _confusions_table(report: dict[str, Any]) -> Table:
    """The classes of clips with one label; what is right of a class' clips is its recall."""
    table = _table("class", "clips", "right", "P", "F1", "most often confused with")
    for row in report["per_class"]:
        table.add_row(
            Text(row["name"]),
            str(row["support"]),
            *(percent(row[key]) for key in ("recall", "precision", "f1")),
            Text(confusion_in_words(row)),
            style="dim" if row["absent"] else "",
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
