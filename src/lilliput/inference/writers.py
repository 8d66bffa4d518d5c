"""How predictions are written: one class per format, in one dictionary."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lilliput.errors import ConfigError, VideoError
from lilliput.inference.prediction import Prediction
from lilliput.task import Task

_MOST_SHOWN = 3  # scores of a video in the table; the other formats have all


@dataclass(frozen=True)
class Header:
    """What all predictions of a run have in common.

    Attributes:
        class_names: (K,) in the order of the scores.
        thresholds: (K,) a label is given where its score exceeds its threshold.
        identity: The model's digest, and the settings.
        task: How many labels a video has.
    """

    class_names: tuple[str, ...]
    thresholds: tuple[float, ...]
    identity: Mapping[str, object] = field(default_factory=dict)
    task: Task = "multi"


class Writer(Protocol):
    """Takes results in the order of the files."""

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Takes the result of one file."""

    def close(self) -> None:
        """Writes what belongs at the end; the file stays open."""


class JsonLines:
    """One JSON object per video, or per failure."""

    def __init__(self, file: TextIO, header: Header) -> None:  # noqa: ARG002
        self._file = file

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Writes one line at once, so that a stopped run keeps what it did."""
        if isinstance(result, VideoError):
            document: dict[str, object] = {"source": source, "error": str(result)}
        else:
            document = result.to_dict()
        self._file.write(json.dumps(document) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing belongs at the end."""


class Csv:
    """One row per video: source, labels separated by ``|``, a score per class, warning, error.

    Where a video has one label, its probability follows it; both are empty for an unknown one.
    """

    def __init__(self, file: TextIO, header: Header) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")  # the stream knows its system's
        self._num_classes = len(header.class_names)
        self._is_single = header.task == "single"
        label = ["labels", "probability"] if self._is_single else ["labels"]
        self._writer.writerow(["source", *label, *header.class_names, "warning", "error"])

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Writes one row at once."""
        if isinstance(result, VideoError):
            num_empty = 1 + self._is_single + self._num_classes + 1
            row = [source, *[""] * num_empty, str(result)]
        else:
            label = ["|".join(result.labels)]
            if self._is_single:
                label.append("" if result.probability is None else f"{result.probability:.4f}")
            scores = [f"{score:.4f}" for score in result.scores]
            row = [source, *label, *scores, result.warning or "", ""]
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Nothing belongs at the end."""


class TableAtEnd:
    """A table for the terminal, of the videos that could be read."""

    def __init__(self, file: TextIO, header: Header) -> None:
        self._file = file
        self._header = header
        self._readable: list[Prediction] = []

    def write(self, source: str, result: Prediction | VideoError) -> None:  # noqa: ARG002
        """Keeps the prediction, without its windows."""
        if isinstance(result, Prediction):
            self._readable.append(replace(result, windows=()))

    def close(self) -> None:
        """Prints the table."""
        if self._readable:
            Console(file=self._file).print(tabulate(self._readable, self._header))


def tabulate(predictions: Sequence[Prediction], header: Header) -> Table:
    """A table for the terminal: labels, and the best scores with their thresholds."""
    is_single = header.task == "single"
    table = Table()
    table.add_column("video", overflow="fold")  # a name cut short is no name
    table.add_column("label" if is_single else "labels")
    table.add_column(_heading_of_best(header))
    for prediction in predictions:
        best = sorted(
            zip(prediction.class_names, prediction.scores, header.thresholds, strict=True),
            key=lambda entry: -entry[1],
        )[:_MOST_SHOWN]
        cells = (
            prediction.source + (f"\n[{prediction.warning}]" if prediction.warning else ""),
            prediction.labels_in_words,
            "  ".join(
                f"{name} {score:.2f}" + ("" if is_single else f" ({limit:.2f})")
                for name, score, limit in best
            ),
        )
        table.add_row(*map(Text, cells))  # as Text, for square brackets in a name are no markup
    return table


def _heading_of_best(header: Header) -> str:
    if header.task == "multi":
        return "best scores (threshold)"
    limit = max(header.thresholds)  # they are all equal
    return "most likely" + (f" (unknown up to {limit:.2f})" if limit > 0 else "")


def _parquet(file: TextIO, header: Header) -> Writer:
    try:
        from lilliput.inference.parquet import Parquet
    except ImportError:
        raise ConfigError(
            "--out .parquet needs the package pyarrow: pip install 'lilliput[parquet]'"
        ) from None
    return Parquet(file, header)


WRITERS: dict[str, Callable[[TextIO, Header], Writer]] = {
    "table": TableAtEnd,
    "json": JsonLines,
    "csv": Csv,
    "parquet": _parquet,
}
_SUFFIXES = {".parquet": "parquet", ".jsonl": "json", ".csv": "csv"}


def find_style(out: Path) -> str:
    """The format that a file's suffix names.

    Raises:
        ConfigError: There is no such format.
    """
    if out.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"--out {out}: the suffix names the format: {', '.join(_SUFFIXES)}")
    return _SUFFIXES[out.suffix.lower()]
