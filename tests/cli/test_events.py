import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from lilliput.cli import output
from lilliput.watch.database import EventStore
from lilliput.watch.events import BoxAt, Event
from lilliput.watch.records import from_record
from lilliput.watch.scene import Box

RunCli = Callable[..., tuple[int, str, str]]

NOW = datetime.now(UTC)
GATE = Event(
    event_id="gate-1",
    camera="gate [1]",
    source="rtsp://192.0.2.7/stream",
    track=3,
    action="activity_running",
    score=0.75,
    start_frame=10,
    end_frame=30,
    start_seconds=1.0,
    end_seconds=3.5,
    started_at=NOW - timedelta(hours=30),
    ended_at=NOW - timedelta(hours=30) + timedelta(seconds=2.5),
    boxes=(BoxAt(10, 1.0, Box(1.5, 2.0, 11.5, 22.0)),),
    zones=("road", "gate"),
    frame_size=(640, 480),
    fps=10.0,
)
YARD = replace(
    GATE,
    event_id="yard-1",
    camera="yard",
    action="sitting",
    score=0.5,
    started_at=NOW - timedelta(hours=2),
    ended_at=NOW - timedelta(hours=1),
)
FILE = replace(
    GATE,
    event_id="file-1",
    camera="file",
    source="recordings/a.mp4",
    started_at=None,
    ended_at=None,
    start_seconds=83.0,
    end_seconds=84.0,
)


@pytest.fixture
def stored(database_url: str) -> str:
    with EventStore(database_url) as store:
        store.add([FILE, YARD, GATE])
    return database_url


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose zone is UTC+5:45, all year."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def found(run_cli: RunCli, url: str, *options: object) -> list[Event]:
    code, out, _ = run_cli("events", "--database", url, "--json", *options)
    assert code == 0
    return [from_record(json.loads(line)) for line in out.splitlines()]


def fails(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [FILE, GATE, YARD]),
        (["--camera", "gate [1]"], [GATE]),
        (["--action", "sitting"], [YARD]),
        (["--min-score", "0.6"], [FILE, GATE]),
        (["--since", "24h"], [YARD]),
        (["--since", "90m"], [YARD]),  # it went on until an hour ago
        (["--since", "59m"], []),
        (["--until", "1d"], [GATE]),
        (["--since", "8w", "--until", "90m"], [GATE, YARD]),
        (["--since", (NOW - timedelta(hours=3)).isoformat()], [YARD]),
        (["--limit", "2"], [GATE, YARD]),
        (["--limit", "1"], [YARD]),  # the newest
    ],
)
def test_options_choose(
    stored: str, run_cli: RunCli, options: list[str], expected: list[Event]
) -> None:
    assert found(run_cli, stored, *options) == expected


def test_a_time_without_a_zone_is_local(
    sqlite_url: str, run_cli: RunCli, in_kathmandu: None
) -> None:
    start = datetime(2026, 1, 31, 18, 20, tzinfo=UTC)  # five minutes past midnight there
    with EventStore(sqlite_url) as store:
        store.add([replace(GATE, started_at=start, ended_at=start)])
    assert found(run_cli, sqlite_url, "--since", "2026-02-01T00:05")
    assert found(run_cli, sqlite_url, "--since", "2026-02-01", "--until", "2026-02-02")
    assert not found(run_cli, sqlite_url, "--until", "2026-02-01")
    assert not found(run_cli, sqlite_url, "--since", "2026-02-01T00:06")
    assert found(run_cli, sqlite_url, "--since", "2026-01-31T18:20Z")
    _, out, _ = run_cli("events", "--database", sqlite_url)
    assert "2026-02-01" in out
    assert "00:05:00" in out


def test_the_table(stored: str, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "_width", 160)
    code, out, err = run_cli("events", "--database", stored)
    assert (code, err) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    running = ["activity_running", "0.75", "road, gate"]
    sitting = ["sitting", "0.50", "road, gate"]
    assert [row for row in rows if row] == [
        ["0:01:23 in a.mp4", "1.0", "file", "3", *running],
        [f"{GATE.started_at.astimezone():%Y-%m-%d %H:%M:%S}", "2.5", "gate [1]", "3", *running],
        [f"{YARD.started_at.astimezone():%Y-%m-%d %H:%M:%S}", "2.5", "yard", "3", *sitting],
    ]


def test_a_table_shows_the_newest_fifty(sqlite_url: str, run_cli: RunCli) -> None:
    with EventStore(sqlite_url) as store:
        store.add(
            replace(GATE, event_id=str(n), track=n, started_at=NOW + timedelta(seconds=n))
            for n in range(1000, 1060)
        )
    code, out, err = run_cli("events", "--database", sqlite_url)
    assert code == 0
    assert " 1009 " not in out
    assert out.index(" 1010 ") < out.index(" 1059 ")
    assert "the newest 50 of 60 events; --limit shows more" in err
    assert " 1000 " in run_cli("events", "--database", sqlite_url, "--limit", 60)[1]


def test_names_do_not_steer_the_terminal(sqlite_url: str, run_cli: RunCli) -> None:
    with EventStore(sqlite_url) as store:
        store.add([replace(GATE, camera="a\x1b[2Jb", zones=("[red]x[/red]",))])
    _, out, _ = run_cli("events", "--database", sqlite_url)
    assert "\x1b[2J" not in out
    assert "[2J" in out


def test_exports(stored: str, run_cli: RunCli, tmp_path: Path) -> None:
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    for path in (lines, table):
        code, out, err = run_cli("events", "--database", stored, "--out", path)
        assert (code, out) == (0, "")
        assert f"events: {path}" in err
    events = [from_record(json.loads(line)) for line in lines.read_text().splitlines()]
    assert events == [FILE, GATE, YARD]
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [row["event_id"] for row in rows] == ["file-1", "gate-1", "yard-1"]
    assert datetime.fromisoformat(rows[2]["ended_at"]) == YARD.ended_at
    assert rows[0]["started_at"] == ""
    message = fails(run_cli("events", "--database", stored, "--out", lines))
    assert message == f"{lines}: exists already; give another --out"
    message = fails(run_cli("events", "--database", stored, "--out", tmp_path / "out.mp4"))
    assert message.endswith("out.mp4: not a .jsonl or .csv file; give another --out")


def test_no_events_are_no_error(stored: str, run_cli: RunCli) -> None:
    code, out, err = run_cli("events", "--database", stored, "--camera", "none")
    assert (code, out) == (0, "")
    assert err.startswith("no such events in ")
    assert "se/cret" not in err
    assert found(run_cli, stored, "--camera", "none") == []


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2026-13-01", "", "-5h", "5y", "2026-01-31T25:00", "1e3h"]
)
def test_bad_times(sqlite_url: str, run_cli: RunCli, wrong: str) -> None:
    for option in ("--since", "--until"):
        message = fails(run_cli("events", "--database", sqlite_url, f"{option}={wrong}"))
        assert message.startswith(f"{option} '{wrong}': write a date such as")


def test_bad_databases(tmp_path: Path, run_cli: RunCli) -> None:
    message = fails(run_cli("events", "--database", tmp_path / "none.db"))
    assert message.endswith("none.db: no events are stored there; `lilliput watch` stores them")
    message = fails(run_cli("events", "--database", "mysql://user:secret@host/db"))
    assert message.startswith("--database: give a file,")
    assert "secret@" not in message
    assert list(tmp_path.iterdir()) == []


def test_the_environment_names_the_database(
    stored: str, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LILLIPUT_DATABASE", stored)
    assert len(run_cli("events", "--json")[1].splitlines()) == 3
    code, out, _ = run_cli("events", "prune", "--older-than", "1d", "--yes")
    assert (code, out) == (0, "1 events deleted\n")


def test_prune(stored: str, run_cli: RunCli) -> None:
    for age, deleted in (("2d", 0), ("30m", 2), ("30m", 0), ("0s", 1)):
        arguments = ("--older-than", age, "--database", stored, "--yes")
        assert run_cli("events", "prune", *arguments) == (0, f"{deleted} events deleted\n", "")
    assert found(run_cli, stored) == []


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 2), ("n\n", 1, 3), ("\n", 1, 3)])
def test_prune_asks(stored: str, run_cli: RunCli, answer: str, code: int, left: int) -> None:
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    with mock.patch("sys.stdin", terminal):
        result = run_cli("events", "prune", "--older-than", "1d", "--database", stored)
    assert result[0] == code
    assert "Delete 1 of 3 events in " in result[1] + result[2]
    assert len(found(run_cli, stored)) == left


def test_prune_does_not_guess(stored: str, run_cli: RunCli) -> None:
    with mock.patch("sys.stdin", io.StringIO("y\n")):
        message = fails(run_cli("events", "prune", "--older-than", "1d", "--database", stored))
    assert message.endswith("give --yes")
    for age in ("1", "d", "1 month", "-1d", "999999999999w", "2026-01-31"):
        message = fails(
            run_cli("events", "prune", f"--older-than={age}", "--database", stored, "--yes")
        )
        assert message.startswith(f"--older-than '{age}': ")
    message = fails(
        run_cli("events", "--camera", "yard", "prune", "--older-than=0s", "--yes")
    )  # would delete those of all cameras, in another database
    assert message == "prune: takes its own options alone, after its name; see its --help"
    assert len(found(run_cli, stored)) == 3


def test_sqlalchemy_waits_and_may_be_missing(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from lilliput.cli.main import main\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "sys.modules['sqlalchemy'] = None\n"
        "sys.argv = ['lilliput', 'events']\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.decode().splitlines() == [
        "error: the events database needs the package sqlalchemy: pip install 'lilliput[watch]'"
    ]
