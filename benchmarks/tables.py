"""What topics return: tables of measured rows and the claims made about them."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.timing import Samples, speed


@dataclass(frozen=True)
class Row:
    """One measured case.

    Attributes:
        name: What was measured.
        samples: One value per round, in the table's unit; empty where nothing was measured.
        ours: Whether it is Lilliput.
        share: Of the limit that the table names, or None.
        note: What differs from the other rows, or why nothing was measured.
    """

    name: str
    samples: tuple[float, ...] = ()
    ours: bool = False
    share: float | None = None
    note: str = ""

    @property
    def median(self) -> float | None:
        """Of the rounds, in the table's unit."""
        return statistics.median(self.samples) if self.samples else None


@dataclass(frozen=True)
class Claim:
    """What a row must show.

    Attributes:
        text: The claim in words.
        row: Which row it is about.
        against: The row it is compared with; empty compares with the fastest peer.
        low: The least that counts as reached, or None.
        high: The most, or None.
        absolute: The bounds are of the row's own median, not of a ratio.
    """

    text: str
    row: str
    against: str = ""
    low: float | None = None
    high: float | None = None
    absolute: bool = False


@dataclass(frozen=True)
class Table:
    """Cases that do the same.

    Attributes:
        title: Its heading.
        text: What was compared with what.
        unit: Of the samples.
        rows: The cases.
        baseline: The row whose speed is 1; empty takes the fastest peer, ``-`` compares nothing.
        higher_is_better: Rates, rather than times.
        limit: What ``Row.share`` is a share of.
        claims: What the table must show.
    """

    title: str
    text: str
    unit: str
    rows: tuple[Row, ...]
    baseline: str = ""
    higher_is_better: bool = False
    limit: str = ""
    claims: tuple[Claim, ...] = field(default=())

    def row(self, name: str) -> Row | None:
        """The row of that name, where it was measured."""
        return next((row for row in self.rows if row.name == name and row.samples), None)

    def fastest_peer(self) -> Row | None:
        """The best row that is not ours."""
        peers = [row for row in self.rows if row.samples and not row.ours]
        best = max if self.higher_is_better else min
        return best(peers, key=lambda row: statistics.median(row.samples)) if peers else None

    def reference(self, name: str = "") -> Row | None:
        """The row that others are compared with."""
        name = name or self.baseline
        return self.row(name) if name else self.fastest_peer()

    def speed(self, row: Row, against: str = "") -> float | None:
        """How many times as good as the reference, or None where either is missing."""
        reference = self.reference(against)
        if not row.samples or reference is None:
            return None
        pair = (row.samples, reference.samples)
        return speed(*(pair[::-1] if self.higher_is_better else pair))

    def value(self, claim: Claim) -> float | None:
        """What was measured of a claim."""
        row = self.row(claim.row)
        if row is None:
            return None
        if claim.absolute:
            return row.median
        peer = self.fastest_peer()
        return self.speed(row, claim.against or (peer.name if peer else "-"))


def make_rows(
    results: Mapping[str, Samples | str],
    *,
    ours: frozenset[str] | set[str] = frozenset(),
    scale: float = 1.0,
    notes: Mapping[str, str] | None = None,
    shares: Mapping[str, float] | None = None,
) -> tuple[Row, ...]:
    """Rows from the seconds of ``interleave``.

    Args:
        results: Seconds of each case, or why it failed.
        ours: The cases that are Lilliput.
        scale: From seconds to the table's unit.
        notes: Remarks by case.
        shares: Of the limit, for a case that took one second.
    """
    rows = []
    for name, samples in results.items():
        note = (notes or {}).get(name, "")
        if isinstance(samples, str):
            rows.append(Row(name, ours=name in ours, note=f"not measured: {samples}"))
            continue
        share = (shares or {}).get(name)
        if share is not None:
            share = share / statistics.median(samples)
        values = tuple(scale * sample for sample in samples)
        rows.append(Row(name, values, name in ours, share, note))
    return tuple(rows)


def to_json(tables: list[Table]) -> list[dict[str, Any]]:
    """Plain values; samples keep four digits."""
    plain = [asdict(table) for table in tables]
    for table in plain:
        for row in table["rows"]:
            row["samples"] = [float(f"{sample:.4g}") for sample in row["samples"]]
            row["share"] = None if row["share"] is None else round(row["share"], 4)
    return plain


def from_json(plain: list[dict[str, Any]]) -> list[Table]:
    """The inverse."""
    return [
        Table(
            **table
            | {
                "rows": tuple(
                    Row(**row | {"samples": tuple(row["samples"])}) for row in table["rows"]
                ),
                "claims": tuple(Claim(**claim) for claim in table["claims"]),
            }
        )
        for table in plain
    ]
