"""``lilliput events``: what ``lilliput watch`` has stored in a database."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from lilliput.cli.output import console, messages
from lilliput.cli.times import parse_age, parse_time
from lilliput.errors import ConfigError

if TYPE_CHECKING:
    from lilliput.watch.database import EventQuery, EventStore
    from lilliput.watch.events import Event

app = typer.Typer(rich_markup_mode=None)

_MOST_SHOWN = 50  # events of a table, unless --limit is given

Database = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="LILLIPUT_DATABASE",  # keeps a password out of the list of processes
        help="sqlite:///FILE, a file, or postgresql://USER:PASSWORD@HOST/DATABASE.",
    ),
]


@app.callback(invoke_without_command=True)
def list_events(
    context: typer.Context,
    database: Database = "sqlite:///events.db",
    camera: Annotated[str | None, typer.Option(help="Of this camera.")] = None,
    action: Annotated[str | None, typer.Option(help="Of this class.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="That went on at or after 2026-01-31, 2026-01-31T23:30 or 24h ago.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="That began before this time.")
    ] = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="That score at least this.")] = 0.0,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"The newest only [{_MOST_SHOWN} in a table, or all].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")] = False,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="A .jsonl or .csv file.")] = None,
) -> None:
    """List or export stored events in the order of their start, or prune them."""
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    if as_json and out is not None:
        raise ConfigError("--json and --out exclude each other; give one of them")
    if out is not None and (out.suffix not in (".jsonl", ".csv") or out.exists()):
        what = "exists already" if out.exists() else "not a .jsonl or .csv file"
        raise ConfigError(f"{out}: {what}; give another --out")

    from lilliput.watch.database import EventQuery, EventStore

    query = EventQuery(
        camera,
        action,
        None if since is None else parse_time(since, "--since"),
        None if until is None else parse_time(until, "--until"),
        min_score,
        limit,
    )
    with EventStore(database, create=False) as store:
        if out is not None:
            _export(_in_order(store, query), out)
        elif as_json:
            sys.stdout.writelines(_json_lines(_in_order(store, query)))
        else:
            _print_table(store, query)


@app.command()
def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="12h, 30d or 8w since they ended.")
    ],
    database: Database = "sqlite:///events.db",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete old events for good; those without a clock time age from when they were stored."""
    before = parse_age(older_than, "--older-than")

    from lilliput.watch.database import EventStore

    with EventStore(database, create=False) as store:
        if not yes:
            if not sys.stdin.isatty():
                raise ConfigError("prune deletes for good, and nobody can be asked: give --yes")
            doomed = f"{store.count_older(before)} of {store.count()} events in {store.name}"
            if not typer.confirm(f"Delete {doomed}?", err=True):
                raise typer.Exit(1)
        console.print(f"{store.prune(before)} events deleted", markup=False, highlight=False)


def _refuse_options_before(context: typer.Context) -> None:
    """A filter before ``prune`` would seem to limit what is deleted, or where."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise ConfigError(
                f"{context.invoked_subcommand}: takes its own options alone, after its name; "
                "see its --help"
            )


def _in_order(store: "EventStore", query: "EventQuery") -> Iterator["Event"]:
    """The newest where there is a limit; the first to start comes first in any case."""
    from dataclasses import replace

    if query.limit is None:
        return store.query(query)
    return reversed(list(store.query(replace(query, newest_first=True))))


def _export(events: Iterator["Event"], out: Path) -> None:
    from lilliput.data.durable import whole_file
    from lilliput.watch.writers.table import write_table

    with (
        whole_file(out) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        if out.suffix == ".csv":
            write_table(events, file)
        else:
            file.writelines(_json_lines(events))
    messages.print(f"events: {out}", markup=False, soft_wrap=True)


def _json_lines(events: Iterable["Event"]) -> Iterator[str]:
    from lilliput.watch.records import to_record

    return (json.dumps(to_record(event)) + "\n" for event in events)


def _print_table(store: "EventStore", query: "EventQuery") -> None:
    from dataclasses import replace

    total = store.count(query)
    if not total:
        messages.print(f"no such events in {store.name}", markup=False, soft_wrap=True)
        return
    table = Table()
    for column in ("start, local time", "seconds", "camera", "track", "action", "score", "zones"):
        right = column in ("seconds", "track", "score")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    shown = query if query.limit else replace(query, limit=_MOST_SHOWN)
    for event in _in_order(store, shown):
        cells = (
            _start(event),
            f"{event.end_seconds - event.start_seconds:.1f}",
            event.camera,
            str(event.track),
            event.action,
            f"{event.score:.2f}",
            ", ".join(event.zones),
        )
        table.add_row(*(Text(_printable(cell)) for cell in cells))
    console.print(table)
    if total > table.row_count:
        messages.print(
            f"the newest {table.row_count} of {total} events; --limit shows more", markup=False
        )


def _start(event: "Event") -> str:
    """By the computer's zone, or since the beginning of a footage without a clock."""
    if event.started_at is not None:
        return event.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    since = timedelta(seconds=round(event.start_seconds))
    return f"{since} in {Path(event.source).name}"


def _printable(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
