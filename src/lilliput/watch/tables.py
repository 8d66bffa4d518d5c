"""The tables of the events database."""

from datetime import UTC, datetime

import sqlalchemy as sa

FORMAT = 1  # of the tables; a database of another one is left alone
_ADVISORY_LOCK = 4_190_311_705  # any number that others will not use


class Moment(sa.TypeDecorator[datetime]):
    """A point in time, kept in UTC; SQLite's columns know no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To UTC; a time without a zone could mean anything.

        Raises:
            ValueError: It has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """With UTC as its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Name(sa.TypeDecorator[str]):
    """Any text, the names of files in broken encodings included; sorted by code points."""

    impl = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """Escapes what a database cannot hold: bytes that are no UTF-8, and NUL."""
        if value is None:
            return None
        return value.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


_METADATA = sa.MetaData()
FORMATS = sa.Table("lilliput_format", _METADATA, sa.Column("format", sa.Integer, primary_key=True))
EVENTS = sa.Table(
    "lilliput_events",
    _METADATA,
    sa.Column("event_id", Name, primary_key=True),
    sa.Column("camera", Name, nullable=False),
    sa.Column("source", Name, nullable=False),
    sa.Column("track", sa.BigInteger, nullable=False),
    sa.Column("action", Name, nullable=False),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("start_frame", sa.BigInteger, nullable=False),
    sa.Column("end_frame", sa.BigInteger, nullable=False),
    sa.Column("start_seconds", sa.Double, nullable=False),
    sa.Column("end_seconds", sa.Double, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("boxes", sa.JSON, nullable=False),
    sa.Column("zones", sa.JSON, nullable=False),
    sa.Column("frame_size", sa.JSON, nullable=False),
    sa.Column("fps", sa.Double, nullable=False),
    sa.Column("stored_at", Moment, nullable=False),
)
# The order of events; those without a clock time come first, as SQLite has it of itself.
START = (EVENTS.c.started_at, EVENTS.c.source, EVENTS.c.start_seconds, EVENTS.c.event_id)
for _name, _columns in (("start", ()), ("camera", ("camera",)), ("action", ("action",))):
    for _dialect, _first in (("sqlite", START[0]), ("postgresql", START[0].nulls_first())):
        sa.Index(
            f"lilliput_events_{_name}", *(EVENTS.c[key] for key in _columns), _first, *START[1:]
        ).ddl_if(dialect=_dialect)
sa.Index("lilliput_events_ended_at", EVENTS.c.ended_at)


def read_format(connection: sa.Connection) -> int | None:
    """The format of the tables that are there; None where there are none."""
    if not sa.inspect(connection).has_table(FORMATS.name):
        return None
    return connection.execute(sa.select(FORMATS.c.format)).scalar()


def make_tables(connection: sa.Connection) -> None:
    """Makes them all or none, once, however many processes try; commits."""
    if connection.dialect.name == "sqlite":
        # Readers and a writer do not block each other. Kept in the file; not within a transaction.
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    if read_format(connection) is None:
        _METADATA.create_all(connection)
        connection.execute(FORMATS.insert().values(format=FORMAT))
    connection.commit()
