"""Predictions as Parquet, for pandas, DuckDB and their like.

A row per video, failures among them, in the order of the files:

=============  ==========================================================================
source         string
labels         list<string>, best first; null where the video could not be read
probability    float, of the label; null where it is unknown. Only where a video has one label
score_<class>  float, a column per class: ``df.filter(like="score_")`` has them all
windows        list<struct<start_seconds, end_seconds, scores: list<float>>>, the scores
               in the order of the classes
warning        string, null for none
error          string, null for none
=============  ==========================================================================

The file's metadata holds under ``lilliput`` a JSON document: class_names, thresholds, the task,
the SHA-256 of the model and the settings.
"""

import json
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from lilliput.errors import VideoError
from lilliput.inference.prediction import Prediction
from lilliput.inference.writers import Header

_MOST_WINDOWS = 4096  # of a row group, which is what memory holds

_WINDOW = pa.struct(
    [
        ("start_seconds", pa.float64()),
        ("end_seconds", pa.float64()),
        ("scores", pa.list_(pa.float32())),
    ]
)


class _Writer(pq.ParquetWriter):  # type: ignore[misc]
    def __del__(self) -> None:
        """Nothing: pyarrow would write the footer of a file that was given up, and is closed."""


class Parquet:
    """One typed row per video, or per failure."""

    def __init__(self, file: TextIO, header: Header) -> None:
        facts = {
            "class_names": header.class_names,
            "thresholds": header.thresholds,
            "task": header.task,
            **header.identity,
        }
        self._columns = [f"score_{name}" for name in header.class_names]
        self._is_single = header.task == "single"
        self._schema = pa.schema(
            [
                pa.field("source", pa.string(), nullable=False),
                ("labels", pa.list_(pa.string())),
                *([("probability", pa.float32())] if self._is_single else []),
                *((column, pa.float32()) for column in self._columns),
                ("windows", pa.list_(_WINDOW)),
                ("warning", pa.string()),
                ("error", pa.string()),
            ],
            metadata={"lilliput": json.dumps(facts)},
        )
        # Parquet is bytes: they go to the stream below that of the text.
        self._writer = _Writer(file.buffer, self._schema, compression="zstd")
        self._rows: list[dict[str, object]] = []
        self._num_windows = 0

    def write(self, source: str, result: Prediction | VideoError) -> None:
        """Takes one row; a group of rows is written when it is full."""
        row: dict[str, object] = {"source": _to_utf8(source)}
        if isinstance(result, VideoError):
            row["error"] = _to_utf8(str(result))
        else:
            row |= zip(self._columns, result.scores.tolist(), strict=True)
            row |= {"labels": result.labels, "warning": result.warning}
            row |= {"probability": result.probability} if self._is_single else {}
            row["windows"] = [vars(window) for window in result.windows]
            self._num_windows += len(result.windows)
        self._rows.append(row)
        if len(self._rows) + self._num_windows >= _MOST_WINDOWS:
            self._write_group()

    def close(self) -> None:
        """Writes the last rows and the footer."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows, self._num_windows = [], 0


def _to_utf8(text: str) -> str:
    """The text, with escapes for those bytes of a file's name that are none."""
    return text.encode("utf-8", "backslashreplace").decode()
