"""The events database: SQLite in a file, or PostgreSQL one URL away."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lilliput.errors import ConfigError

try:
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite
except ModuleNotFoundError:
    raise ConfigError(
        "the events database needs the package sqlalchemy: pip install 'lilliput[watch]'"
    ) from None

from lilliput.watch.connection import open_engine, parse_url, show_url, told_errors
from lilliput.watch.events import Event, Step
from lilliput.watch.records import from_record, to_record
from lilliput.watch.tables import EVENTS, START

DEFAULT_DATABASE = "sqlite:///events.db"

_BATCH = 1000  # events that a query holds in memory
_MOST_WAITING = 1000  # events, while the database is away
_INSERTS: dict[str, Callable[[sa.Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True)
class EventQuery:
    """Which events; without arguments, all.

    Attributes:
        camera: Of this camera alone.
        action: Of this class alone.
        since: That were still going on at this time of the clock, or began after it. Events
            without a clock time are left out where this or ``until`` is given.
        until: That began before this time of the clock.
        min_score: That score at least this.
        limit: At most so many.
        offset: Without the first so many.
        newest_first: In the reverse of their order: the last to start comes first.
    """

    camera: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_score: float = 0.0
    limit: int | None = None
    offset: int = 0
    newest_first: bool = False

    def __post_init__(self) -> None:
        """Checks what a client may have sent.

        Raises:
            ConfigError: A time has no zone or is none in UTC, or a number is no count.
        """
        for key in ("since", "until"):
            moment = getattr(self, key)
            if moment is None:
                continue
            if moment.tzinfo is None:
                raise ConfigError(f"{key}: {moment} has no time zone; give one")
            try:
                moment.astimezone(UTC)  # in which times are compared
            except OverflowError:
                raise ConfigError(f"{key}: {moment} is out of range; give another") from None
        for key in ("limit", "offset"):
            if not 0 <= (getattr(self, key) or 0) < 2**63:
                raise ConfigError(f"{key}: give a number from 0 to 2^63 - 1")


class EventStore:
    """Keeps events, each once.

    Threads may share a store: each call takes a connection of its own. Processes must not (open
    it after a fork), but any number of them may each open, read and write the same database.

    Args:
        url: ``sqlite:///FILE``, a file's path, or ``postgresql://USER:PASSWORD@HOST/DATABASE``.
        create: Make the database's tables where they are missing, and SQLite's file.

    Raises:
        ConfigError: The URL means no database, or its driver is not installed.
        DataError: There is no such database, it cannot be opened, or it is something else. Any
            call may raise it later, as when a server is gone.
    """

    def __init__(self, url: str = DEFAULT_DATABASE, *, create: bool = True) -> None:
        parsed = parse_url(url)
        self.name = show_url(parsed)  # without a password
        self._engine = open_engine(parsed, create=create)

    def __enter__(self) -> "EventStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self._engine.dispose()

    def add(self, events: Iterable[Event]) -> None:
        """Stores all of them or none; durable on return.

        An event whose ``event_id`` is stored already takes its place.
        """
        now = datetime.now(UTC)
        # One order for all writers: two that store the same events never wait for each other.
        rows = sorted((_to_row(event, now) for event in events), key=lambda row: row["event_id"])
        if not rows:
            return
        insert = _INSERTS[self._engine.dialect.name](EVENTS)
        new = {key: insert.excluded[key] for key in rows[0] if key != "event_id"}
        upsert = insert.on_conflict_do_update(index_elements=["event_id"], set_=new)
        with told_errors(self.name), self._engine.begin() as connection:
            connection.execute(upsert, rows)

    def query(self, query: EventQuery = EventQuery()) -> Generator[Event, None, None]:
        """The events in the order of their start, after those without a clock time.

        They stream: memory does not grow with their number. The iterator holds a connection until
        its end, or until it is closed; it sees the database as it was when it began.
        """
        order: list[sa.ColumnElement[Any]]
        first, *others = START
        if query.newest_first:
            order = [first.desc().nulls_last(), *(column.desc() for column in others)]
        else:
            order = [first.asc().nulls_first(), *others]
        chosen = sa.select(EVENTS).where(*_conditions(query)).order_by(*order)
        chosen = chosen.limit(query.limit).offset(query.offset or None)
        with told_errors(self.name), self._engine.connect() as connection:
            streaming = connection.execution_options(yield_per=_BATCH)
            with streaming.execute(chosen) as rows:
                yield from map(_to_event, rows.mappings())

    def count(self, query: EventQuery = EventQuery()) -> int:
        """How many events there are, whatever the query's limit and offset."""
        return self._number(sa.and_(sa.true(), *_conditions(query)))

    def cameras(self) -> list[str]:
        """The names of the cameras that have events, sorted."""
        return self._names(EVENTS.c.camera)

    def actions(self) -> list[str]:
        """The classes that have events, sorted."""
        return self._names(EVENTS.c.action)

    def count_older(self, before: datetime) -> int:
        """How many events ``prune`` would delete."""
        return self._number(_is_older(before))

    def prune(self, before: datetime) -> int:
        """Deletes the events that ended before a time; returns how many they were.

        Events without a clock time are taken by the time when they were stored.
        """
        with told_errors(self.name), self._engine.begin() as connection:
            return connection.execute(EVENTS.delete().where(_is_older(before))).rowcount

    def _number(self, condition: sa.ColumnElement[bool]) -> int:
        counting = sa.select(sa.func.count()).select_from(EVENTS).where(condition)
        with told_errors(self.name), self._engine.connect() as connection:
            return connection.execute(counting).scalar_one()

    def _names(self, column: sa.Column[str]) -> list[str]:
        with told_errors(self.name), self._engine.connect() as connection:
            return sorted(connection.execute(sa.select(column).distinct()).scalars())


class DatabaseWriter:
    """Stores the events of a watch as each is over; a channel of ``Session``.

    While the database is away, the last 1000 events wait until the next one is over, or the end.

    Args:
        store: Where to.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: deque[Event] = deque(maxlen=_MOST_WAITING)

    def write(self, step: Step) -> None:
        """Stores the events that ended, final as they are.

        Raises:
            DataError: The database is away.
        """
        ended = [message.event for message in step.messages if message.kind == "end"]
        if ended:
            self._waiting += ended
            self._store_waiting()

    def close(self) -> None:
        """Stores what waits still, and closes the store's connections.

        Raises:
            DataError: The database is away still.
        """
        try:
            self._store_waiting()
        finally:
            self._store.close()

    def _store_waiting(self) -> None:
        self._store.add(self._waiting)
        self._waiting.clear()


def _conditions(query: EventQuery) -> list[sa.ColumnElement[bool]]:
    columns = EVENTS.c
    conditions: list[sa.ColumnElement[bool]] = []
    if query.camera is not None:
        conditions.append(columns.camera == query.camera)
    if query.action is not None:
        conditions.append(columns.action == query.action)
    if query.since is not None:
        conditions.append(columns.ended_at >= query.since)
    if query.until is not None:
        conditions.append(columns.started_at < query.until)
    if query.min_score > 0:
        conditions.append(columns.score >= query.min_score)
    return conditions


def _is_older(before: datetime) -> sa.ColumnElement[bool]:
    ended = EVENTS.c.ended_at
    return sa.or_(ended < before, sa.and_(ended.is_(None), EVENTS.c.stored_at < before))


def _to_row(event: Event, now: datetime) -> dict[str, Any]:
    times = {"started_at": event.started_at, "ended_at": event.ended_at, "stored_at": now}
    return to_record(event) | times


def _to_event(row: sa.RowMapping) -> Event:
    times = {key: row[key] and row[key].isoformat() for key in ("started_at", "ended_at")}
    return from_record(dict(row) | times)
