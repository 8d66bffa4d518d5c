"""Predictions for people and programs: which files, and how results are written."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TextIO

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from lilliput.errors import VideoError
from lilliput.inference.recognizer import Prediction, Recognizer
from lilliput.video.decode import VIDEO_SUFFIXES

Style = Literal["table", "json", "csv"]
_MOST_SHOWN = 3  # scores of a video in the table; --json and --csv have all


def find_videos(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given; folders become the videos below them, sorted.

    A folder without videos stays in the list, and fails there as an unreadable video.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = (p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
        found += sorted(p for p in inside if not p.is_dir()) or [path]
    return found


def predict_files(
    recognizer: Recognizer, videos: Sequence[Path], style: Style, messages: Console
) -> list[str]:
    """Predicts every video and writes results to stdout as they come; the table at the end.

    Returns:
        One line per video that could not be read.
    """
    names = recognizer.checkpoint.labels.class_names
    writer = {"json": JsonLines, "csv": Csv, "table": None}[style]
    sink = None if writer is None else writer(sys.stdout, names)
    readable: list[Prediction] = []
    failures: list[str] = []
    with Progress(console=messages, transient=True) as progress:
        for video in progress.track(videos, description="recognising"):
            result = next(recognizer.predict_each([video]))
            if sink is not None:
                sink.write(str(video), result)
            elif isinstance(result, Prediction):
                readable.append(result)
            if isinstance(result, VideoError):
                failures.append(str(result))
    if sink is None and readable:
        Console().print(tabulate(readable, recognizer.checkpoint.thresholds))
    return failures


def tabulate(predictions: Sequence[Prediction], thresholds: Sequence[float]) -> Table:
    """A table for the terminal: labels, and the best scores with their thresholds."""
    table = Table()
    table.add_column("video", overflow="fold")  # a name cut short is no name
    table.add_column("labels")
    table.add_column("best scores (threshold)")
    for prediction in predictions:
        best = sorted(
            zip(prediction.class_names, prediction.scores, thresholds, strict=True),
            key=lambda entry: -entry[1],
        )[:_MOST_SHOWN]
        cells = (
            prediction.source + (f"\n[{prediction.warning}]" if prediction.warning else ""),
            ", ".join(prediction.labels) or "none",
            "  ".join(f"{name} {score:.2f} ({limit:.2f})" for name, score, limit in best),
        )
        table.add_row(*map(Text, cells))  # as Text, for square brackets in a name are no markup
    return table


class JsonLines:
    """One JSON object per video, or per failure."""

    def __init__(self, file: TextIO, class_names: Sequence[str]) -> None:  # noqa: ARG002
        self._file = file

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Writes one line at once, so that a stopped run keeps what it did."""
        if isinstance(result, VideoError):
            document: dict[str, object] = {"source": source, "error": str(result)}
        else:
            document = result.to_dict()
        self._file.write(json.dumps(document) + "\n")
        self._file.flush()


class Csv:
    """One row per video: source, labels separated by ``|``, a score per class, warning, error."""

    def __init__(self, file: TextIO, class_names: Sequence[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")  # the stream knows its system's
        self._num_classes = len(class_names)
        self._writer.writerow(["source", "labels", *class_names, "warning", "error"])

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Writes one row at once."""
        if isinstance(result, VideoError):
            row = [source, "", *[""] * self._num_classes, "", str(result)]
        else:
            scores = [f"{score:.4f}" for score in result.scores]
            row = [source, "|".join(result.labels), *scores, result.warning or "", ""]
        self._writer.writerow(row)
        self._file.flush()
