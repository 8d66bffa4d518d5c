import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.errors import ConfigError, DataError
from lilliput.watch.database import DatabaseWriter, EventQuery, EventStore
from lilliput.watch.events import BoxAt, Event, Message, Step
from lilliput.watch.scene import Box

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENT = Event(
    event_id="gate-1",
    camera="gate",
    source="rtsp://192.0.2.7/stream",
    track=3,
    action="activity_running",
    score=0.75,
    start_frame=10,
    end_frame=30,
    start_seconds=1.0,
    end_seconds=3.0,
    started_at=NOON,
    ended_at=NOON + timedelta(seconds=2),
    boxes=(BoxAt(10, 1.0, Box(1.5, 2.0, 11.5, 22.0)), BoxAt(12, 1.2, Box(2.0, 2.0, 12.0, 22.0))),
    zones=("road", "gate [1]"),
    frame_size=(640, 480),
    fps=10.0,
)
NAMES = [
    "gate",
    "Gate",
    "gate%",
    "g_te",
    "",
    "'; DROP TABLE lilliput_events; --",
    '" OR 1=1 --',
    "back\\slash",
    "torhüter 🦎",
    ":camera %(camera)s ?",
]


@pytest.fixture
def store(database_url: str) -> Iterator[EventStore]:
    with EventStore(database_url) as opened:
        yield opened


def make_events(count: int, prefix: str = "e", **changes: object) -> list[Event]:
    """One a second, from noon."""
    return [
        replace(
            EVENT,
            event_id=f"{prefix}{number:06d}",
            started_at=NOON + timedelta(seconds=number),
            ended_at=NOON + timedelta(seconds=number + 1),
            **changes,
        )
        for number in range(count)
    ]


# What is stored, and what is found


def test_an_event_comes_back_as_it_was(store: EventStore) -> None:
    without_clock = replace(
        EVENT, event_id="b", started_at=None, ended_at=None, boxes=(), zones=(), track=0
    )
    store.add([EVENT, without_clock])
    assert list(store.query()) == [without_clock, EVENT]


def test_it_is_there_for_others_at_once(store: EventStore, database_url: str) -> None:
    store.add([EVENT])
    with EventStore(database_url, create=False) as other:
        assert list(other.query()) == [EVENT]


def test_the_same_event_is_kept_once_as_told_last(store: EventStore) -> None:
    store.add([EVENT])
    store.add([EVENT, replace(EVENT, event_id="other")])
    later = replace(EVENT, score=0.875, action="walking", ended_at=None, boxes=())
    store.add([later])
    assert sorted(store.query(), key=lambda event: event.event_id) == [
        later,
        replace(EVENT, event_id="other"),
    ]


def test_a_batch_is_stored_whole_or_not_at_all(store: EventStore) -> None:
    naive = replace(EVENT, event_id="z", started_at=datetime(2026, 6, 1, 12))
    with pytest.raises(DataError, match="no time zone"):
        store.add([EVENT, naive])
    assert store.count() == 0
    store.add([])
    assert store.count() == 0


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
    # Few days, so that queries are met; Python's year 1 and 9999 leave no room for other zones.
    moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=zones)
    events = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.none() | moments)
        seconds = draw(st.integers(0, 10**6)) / 1000
        events.append(
            replace(
                EVENT,
                event_id=draw(st.sampled_from("abcdefgh")),
                camera=draw(st.sampled_from(NAMES)),
                source=draw(st.sampled_from(["a.mp4", "B.mp4", "Ä.mp4", "🦎.mp4"])),
                action=draw(st.sampled_from(NAMES)),
                score=draw(st.integers(0, 10)) / 10,
                start_seconds=seconds,
                started_at=start,
                ended_at=start and start + timedelta(seconds=draw(st.integers(0, 90_000))),
            )
        )
    return events


@st.composite
def queries(draw: st.DrawFn) -> EventQuery:
    moments = st.none() | st.datetimes(
        datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC)
    )
    return EventQuery(
        camera=draw(st.none() | st.sampled_from(NAMES)),
        action=draw(st.none() | st.sampled_from(NAMES)),
        since=draw(moments),
        until=draw(moments),
        min_score=draw(st.integers(0, 10)) / 10,
        limit=draw(st.none() | st.integers(0, 5)),
        offset=draw(st.integers(0, 3)),
        newest_first=draw(st.booleans()),
    )


def matches(event: Event, query: EventQuery) -> bool:
    in_time = (query.since is None and query.until is None) or (
        event.started_at is not None
        and event.ended_at is not None
        and (query.since is None or event.ended_at >= query.since)
        and (query.until is None or event.started_at < query.until)
    )
    return (
        in_time
        and query.camera in (None, event.camera)
        and query.action in (None, event.action)
        and event.score >= query.min_score
    )


def brute_force(events: Sequence[Event], query: EventQuery) -> list[Event]:
    listed = sorted(
        (event for event in events if matches(event, query)),
        key=lambda e: (
            e.started_at is not None,
            e.started_at or NOON,
            e.source,
            e.start_seconds,
            e.event_id,
        ),
        reverse=query.newest_first,
    )[query.offset :]
    return listed if query.limit is None else listed[: query.limit]


def check_against_brute_force(
    store: EventStore, events: Sequence[Event], query: EventQuery
) -> None:
    store.prune(datetime(9000, 1, 1, tzinfo=UTC))
    half = len(events) // 2
    store.add(events[:half])
    for event in events[half:]:
        store.add([event])
    kept = list({event.event_id: event for event in events}.values())
    assert list(store.query(query)) == brute_force(kept, query)
    assert list(store.query()) == brute_force(kept, EventQuery())
    assert store.count(query) == sum(matches(event, query) for event in kept)
    assert store.cameras() == sorted({event.camera for event in kept})
    assert store.actions() == sorted({event.action for event in kept})


@pytest.mark.parametrize(("kind", "examples"), [("sqlite_url", 60), ("postgres_url", 20)])
def test_queries_find_what_a_loop_finds(
    kind: str, examples: int, request: pytest.FixtureRequest
) -> None:
    with EventStore(request.getfixturevalue(kind)) as store:
        given(event_lists(), queries())(
            settings(max_examples=examples, deadline=None, derandomize=True)(
                lambda events, query: check_against_brute_force(store, events, query)
            )
        )()


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_any_name_is_found_again(kind: str, request: pytest.FixtureRequest) -> None:
    """Names that no database can hold are escaped; they are stored and asked for the same way."""
    with EventStore(request.getfixturevalue(kind)) as store:

        @given(st.text(max_size=8) | st.sampled_from(["a\0b", "caf\udce9", "\ud83d"]))
        @settings(max_examples=15, deadline=None, derandomize=True)
        def check(name: str) -> None:
            store.prune(datetime(9000, 1, 1, tzinfo=UTC))
            named = replace(EVENT, event_id=name, camera=name, source=name, zones=(name,))
            store.add([named, replace(named, event_id=f"{name}2", camera=f"{name}2")])
            (found,) = store.query(EventQuery(camera=name))
            assert found.zones == (name,)
            if name.isprintable():
                assert found == named

        check()


def test_an_evening_in_amsterdam_is_found_by_utc(store: EventStore) -> None:
    amsterdam = ZoneInfo("Europe/Amsterdam")
    winter = datetime(2026, 1, 31, 23, 30, tzinfo=amsterdam)  # UTC+1
    summer = datetime(2026, 7, 31, 23, 30, tzinfo=amsterdam)  # UTC+2
    for name, start in (("winter", winter), ("summer", summer)):
        store.add([replace(EVENT, event_id=name, started_at=start, ended_at=start)])

    def found(since: datetime, until: datetime) -> list[str]:
        return [event.event_id for event in store.query(EventQuery(since=since, until=until))]

    assert found(
        datetime(2026, 1, 31, 22, 30, tzinfo=UTC), datetime(2026, 1, 31, 22, 31, tzinfo=UTC)
    ) == ["winter"]
    assert found(
        datetime(2026, 7, 31, 21, 30, tzinfo=UTC), datetime(2026, 7, 31, 21, 31, tzinfo=UTC)
    ) == ["summer"]
    assert found(datetime(2026, 2, 1, tzinfo=amsterdam), summer) == []
    assert found(winter, summer) == ["winter"]  # until is not in the range, since is
    (event, _) = store.query()
    assert event.started_at == winter


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": datetime(2026, 1, 1)},
        {"until": datetime(2026, 1, 1)},
        {"limit": -1},
        {"offset": -1},
        {"limit": 2**63},
    ],
)
def test_a_query_is_checked(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"^{name}: "):
        EventQuery(**wrong)


def test_memory_does_not_grow_with_the_number(store: EventStore) -> None:
    def peak(query: EventQuery) -> int:
        tracemalloc.start()
        try:
            for _ in store.query(query):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    store.add(make_events(4800, boxes=()))
    list(store.query(EventQuery(limit=1200)))  # compiles the statement
    few, all_ = peak(EventQuery(limit=1200)), peak(EventQuery())
    assert all_ < 1.5 * few  # a list of all would take more than four times as much


# Deleting


def test_prune_deletes_by_age(store: EventStore) -> None:
    events = make_events(10)
    running = replace(EVENT, event_id="long", started_at=NOON, ended_at=NOON + timedelta(hours=1))
    store.add([*events, running])
    store.add([replace(EVENT, event_id="no clock", started_at=None, ended_at=None)])
    before = NOON + timedelta(seconds=5)  # the fifth ends just then
    assert store.count_older(before) == 4
    assert store.prune(before) == 4
    left = [event.event_id for event in store.query()]
    assert left == ["no clock", "long", *(event.event_id for event in events[4:])]
    assert store.prune(before) == 0


def test_events_without_a_clock_age_since_they_were_stored(store: EventStore) -> None:
    store.add([replace(EVENT, started_at=None, ended_at=None)])
    assert store.prune(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert store.prune(datetime.now(UTC) + timedelta(hours=1)) == 1


# Many at once


def store_many(url: str, writer: int) -> int:
    """Twenty batches of four; two of each are every writer's, in an order of its own."""
    with EventStore(url) as store:
        for batch in range(20):
            shared = make_events(2, f"shared-{batch}-", camera="shared")
            own = make_events(2, f"{writer}-{batch}-", camera=f"camera {writer}")
            store.add([*(shared if writer % 2 else reversed(shared)), *own])
    return writer


def test_processes_write_at_once(database_url: str) -> None:
    """They even find no tables, each of them."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        assert list(pool.map(store_many, [database_url] * 2, range(2), timeout=60)) == [0, 1]
    with EventStore(database_url, create=False) as store:
        assert store.count() == 2 * 40 + 40
        assert store.cameras() == ["camera 0", "camera 1", "shared"]


def test_threads_share_a_store_while_one_reads(store: EventStore) -> None:
    done = threading.Event()

    def write(writer: int) -> None:
        for batch in range(30):
            store.add(make_events(4, f"{writer}-{batch}-", camera=f"{writer}-{batch}"))

    def read() -> int:
        most = 0
        while not done.is_set() or most < 240:
            seen: dict[str, int] = {}
            for event in store.query():
                seen[event.camera] = seen.get(event.camera, 0) + 1
            assert set(seen.values()) <= {4}  # no batch in part
            assert sum(seen.values()) >= most
            most = sum(seen.values())
        return most

    with ThreadPoolExecutor(3) as pool:
        reader = pool.submit(read)
        writers = [pool.submit(write, number) for number in (0, 1)]
        for writer in writers:
            writer.result(timeout=60)
        done.set()
        assert reader.result(timeout=60) == 240


def test_an_open_query_stops_no_writer(store: EventStore) -> None:
    store.add(make_events(2000))
    with closing(store.query()) as events:
        next(events)
        store.add(make_events(5, "late"))
        assert store.prune(NOON + timedelta(seconds=11)) == 10 + 5
        assert sum(1 for _ in events) == 1999  # as it was when it began
    assert store.count() == 1990


def test_queries_that_nobody_ends_give_their_connections_back(store: EventStore) -> None:
    store.add(make_events(1500))
    for _ in range(20):  # more than there are connections
        assert next(store.query()).event_id == "e000000"


def test_what_was_added_outlives_a_kill(database_url: str) -> None:
    script = (
        "import os, signal, sys\n"
        "from tests.watch.test_database import EVENT, EventStore\n"
        "EventStore(sys.argv[1]).add([EVENT])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, database_url], cwd=Path.cwd())
    assert killed.returncode == -9
    with EventStore(database_url, create=False) as store:
        assert list(store.query()) == [EVENT]


def test_a_writer_stores_what_is_over(store: EventStore) -> None:
    ended = replace(EVENT, event_id="ended")
    messages = (
        Message("new", EVENT),
        Message("update", EVENT),
        Message("end", ended),
        Message("end", replace(ended, score=0.5)),
    )
    writer = DatabaseWriter(store)
    writer.write(Step(None, (), messages[:2], (), 1.0))
    assert store.count() == 0
    writer.write(Step(None, (), messages[1:], (), 2.0))
    assert list(store.query()) == [replace(ended, score=0.5)]
    writer.close()


class Away(EventStore):
    """A database that can be away."""

    is_away = False

    def add(self, events: Iterable[Event]) -> None:
        if self.is_away:
            raise DataError("events.db: away")
        super().add(events)


def test_events_wait_for_a_database_that_comes_back(tmp_path: Path) -> None:
    def over(name: str) -> Step:
        return Step(None, (), (Message("end", replace(EVENT, event_id=name)),), (), 1.0)

    store = Away(str(tmp_path / "events.db"))
    writer = DatabaseWriter(store)
    store.is_away = True
    for name in "ab":
        with pytest.raises(DataError, match="away"):
            writer.write(over(name))
    store.is_away = False
    writer.write(over("c"))
    assert {event.event_id for event in store.query()} == set("abc")
    store.is_away = True
    with pytest.raises(DataError, match="away"):
        writer.write(over("d"))
    store.is_away = False
    writer.close()
    with EventStore(str(tmp_path / "events.db")) as reopened:
        assert {event.event_id for event in reopened.query()} == set("abcd")


# What can be wrong


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert "secret" not in message
    return message


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:secret@host/db",
        "postgresql://user:secret:more@host:port/db",
        "postgresql://user:top@secret@host/db",
        "://secret",
        "sqlite://",
        "sqlite:///:memory:",
        "",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^--database: ") as error:
        EventStore(url)
    one_line(error)


def test_a_path_is_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a b?c%20#.db"
    with EventStore(str(path)) as store:
        store.add([EVENT])
        assert store.name == str(path)
    assert path.read_bytes().startswith(b"SQLite format 3\0")
    assert list(tmp_path.iterdir()) == [path]


def test_both_spellings_of_postgresql(postgres_url: str) -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"):
        with EventStore(postgres_url.replace("postgresql", scheme, 1)) as store:
            store.add([EVENT])
            assert store.count() == 1


def test_nothing_is_made_where_nothing_is_asked_for(tmp_path: Path, postgres_url: str) -> None:
    empty = tmp_path / "empty.db"
    empty.touch()
    for url in (str(tmp_path / "none.db"), str(empty), postgres_url):
        with pytest.raises(DataError, match="no events are stored there"):
            EventStore(url, create=False)
    assert list(tmp_path.iterdir()) == [empty]


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database " * 100)
    with pytest.raises(DataError, match="file is not a database; it is another kind") as error:
        EventStore(str(path), create=create)
    assert one_line(error).startswith(f"{path}: ")
    assert path.read_text() == "no database " * 100


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(DataError, match="a database of another program"):
        EventStore(str(path))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with EventStore(str(path)) as store:
        store.add(make_events(500))
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with (
        pytest.raises(DataError, match="malformed; the file is damaged") as error,
        EventStore(str(path)) as store,
    ):
        list(store.query())
    one_line(error)


def test_a_locked_database(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    EventStore(str(path)).close()
    with (
        closing(sqlite3.connect(path)) as other,
        EventStore(f"sqlite:///{path}?timeout=0.01") as store,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match="locked; another process keeps it so"):
            store.add([EVENT])
        assert store.count() == 0  # reading goes on
        other.rollback()
        store.add([EVENT])
        assert store.count() == 1


def test_another_format(database_url: str) -> None:
    with EventStore(database_url) as store, store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lilliput_format SET format = 2")
    with pytest.raises(DataError, match="in format 2, this Lilliput has format 1"):
        EventStore(database_url)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unable to open database file; look at the rights"):
        EventStore(str(tmp_path / "none" / "events.db"))


def test_a_wrong_password(postgres_url: str) -> None:
    _, _, server = postgres_url.partition("@")
    with pytest.raises(DataError, match=r"password authentication failed.*; look at the") as error:
        EventStore(f"postgresql://lilliput:topsecret@{server}")
    assert "topsecret" not in one_line(error)
    with pytest.raises(DataError) as error:
        EventStore(f"postgresql://lilliput@{server}&password=topsecret")
    assert "topsecret" not in one_line(error)


def test_no_such_database_or_server(postgres: str) -> None:
    with pytest.raises(DataError, match="does not exist; make it first"):
        EventStore(postgres.replace("/events?", "/nowhere?"))
    with pytest.raises(DataError, match="start it, or look at the host and the port") as error:
        EventStore("postgresql://user:topsecret@127.0.0.1:1/events")
    assert "topsecret" not in one_line(error)


def test_a_connection_that_was_cut_is_made_anew(postgres_url: str) -> None:
    with EventStore(postgres_url) as store:
        store.add([EVENT])
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert ended.fetchall() == [(True,)]
        assert store.count() == 1
