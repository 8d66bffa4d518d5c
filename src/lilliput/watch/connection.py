"""How the events database is found and opened, and what its errors mean: SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from lilliput.errors import ConfigError, DataError
from lilliput.watch.tables import FORMAT, make_tables, read_format

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_WAITS = {"sqlite": {"timeout": 30}, "postgresql": {"connect_timeout": 10}}  # seconds
_REMEDIES = {
    "not a database": "it is another kind of file; give another --database",
    "malformed": "the file is damaged: `sqlite3 FILE .recover` saves what can be read",
    "locked": "another process keeps it so; try again when that has finished",
    "unable to open": "look at the rights of the file and its folder, which must be there",
    "readonly": "look at the rights of the file and its folder",
    "disk": "make room on the disk",
    "password": "look at the user and the password in --database",
    "Is the server running": "start it, or look at the host and the port in --database",
    "does not exist": "make it first, as with createuser and createdb",
    "permission denied": "give its user the right to",
}


def parse_url(text: str) -> sa.URL:
    """The database that a URL, or the path of an SQLite file, means.

    Raises:
        ConfigError: It means none. What was given is not repeated: where a URL cannot be parsed,
            its password cannot be left out.
    """
    try:
        url = sa.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    driver = None if url is None else _DRIVERS.get(url.get_backend_name())
    if url is None or driver is None or "@" in (url.host or ""):
        raise ConfigError(
            "--database: give a file, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; "
            "in a password, write %40 for @, %3A for : and %2F for /"
        )
    if driver == "sqlite+pysqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError("--database: SQLite needs a file, as in sqlite:///events.db")
    return url.set(drivername=driver)


def show_url(url: sa.URL) -> str:
    """As it may be shown: a file's path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql", password=None, query={}).render_as_string()


def open_engine(url: sa.URL, *, create: bool) -> sa.Engine:
    """Connects, and sees to it that the tables are there.

    Args:
        url: As from ``parse_url``.
        create: Make what is missing; otherwise a database without events is an error.

    Raises:
        ConfigError: PostgreSQL's driver is not installed.
        DataError: There is no such database, or it is something else.
    """
    name, backend = show_url(url), url.get_backend_name()
    nothing_there = DataError(f"{name}: no events are stored there; `lilliput watch` stores them")
    is_sqlite = backend == "sqlite"
    if is_sqlite and not create and not Path(name).is_file():
        raise nothing_there
    waits = {key: wait for key, wait in _WAITS[backend].items() if key not in url.query}
    try:
        engine = sa.create_engine(url, connect_args=waits, pool_pre_ping=not is_sqlite)
    except ModuleNotFoundError:
        raise ConfigError(
            "PostgreSQL needs the package psycopg: pip install 'lilliput[postgresql]'"
        ) from None
    try:
        with told_errors(name), engine.connect() as connection:
            found = read_format(connection)
            if found is None and is_sqlite and sa.inspect(connection).get_table_names():
                raise DataError(f"{name}: a database of another program; give another --database")
            if found is None and not create:
                raise nothing_there
            connection.rollback()
            if found is None:
                make_tables(connection)
                found = FORMAT
        if found != FORMAT:
            raise DataError(
                f"{name}: holds events in format {found}, this Lilliput has format {FORMAT}; "
                "use the Lilliput that wrote it, or give another --database"
            )
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def told_errors(name: str) -> Iterator[None]:
    """Turns what the database complains of into one line, with the remedy.

    Raises:
        DataError: It complained.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error.args[0]).split())
        remedies = (remedy for sign, remedy in _REMEDIES.items() if sign in reason)
        remedy = next(remedies, "is the database there, and in order?")
        raise DataError(f"{name}: {reason}; {remedy}") from None
