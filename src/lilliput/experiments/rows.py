"""What a table to reproduce is made of: rows that recipes give, and figures drawn from them."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["training", "val_f1", "val_recall", "thresholds", "per_class", "per_size"]
Scores = tuple[float, float, float]  # F1, precision and recall, %


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        labels: What stands left of the scores.
        recipe: The recipe that gives it.
        scores: What the thesis prints; None where it prints nothing.
    """

    labels: tuple[str, ...]
    recipe: str
    scores: Scores | None = None

    @property
    def name(self) -> str:
        """The labels in one line."""
        return " · ".join(self.labels)


@dataclass(frozen=True)
class Figure:
    """A figure that belongs to a table.

    Attributes:
        number: As in the thesis.
        kind: Curves over the epochs of trainings; or of one model on the validation split, curves
            over thresholds or bars.
        runs: Legend and recipe of each run; the thesis draws the first red, the second blue.
    """

    number: str
    kind: Kind
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        number: As in the thesis; of ours a word.
        title: What it compares.
        columns: Heads of the labels.
        rows: Its lines; the first is the baseline.
        figures: The figures drawn from its runs.
        remark: What a reader of the numbers must know.
        steps: Whether each row is compared with the one before, too; otherwise the last with each.
        improvement: What the thesis prints as the last row's gain over the first, points.
    """

    number: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...] = ()
    remark: str = ""
    steps: bool = True
    improvement: Scores | None = None

    @property
    def name(self) -> str:
        """What the command line and files call it: ``table-4.5``, ``comparators``."""
        return f"table-{self.number}" if self.number[0].isdigit() else self.number

    @property
    def printed(self) -> bool:
        """Whether the thesis prints scores of it."""
        return any(row.scores for row in self.rows)
