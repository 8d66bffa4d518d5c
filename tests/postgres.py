"""A real PostgreSQL server for tests, in a temporary folder, on a socket of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.programs import find, need

USER, PASSWORD = "lilliput", "se/cret@:#"  # a password that a URL must escape


@contextmanager
def run_postgres() -> Iterator[str]:
    """Starts a server and stops it at the end; gives the URL of its database ``events``."""
    need("initdb", "postgres", "pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="lilliput-postgres-"))  # short: a socket's path must be
    data, password = folder / "data", folder / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, password):
            shutil.chown(path, "postgres", "postgres")
    # A server of tests need not survive a crash of the machine.
    settings = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
    try:
        _run("initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}",
             "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", folder=folder)  # fmt: skip
        _run("pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", settings,
             folder=folder)  # fmt: skip
        try:
            server = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@/{{}}?host={folder}"
            with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE events")
            yield server.format("events")
        finally:
            _run("pg_ctl", "stop", "-m", "immediate", "-D", data, folder=folder)
    finally:
        shutil.rmtree(folder)


def empty(url: str) -> None:
    """Removes all that tests have left in the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _run(program: str, *arguments: object, folder: Path) -> None:
    """As the user ``postgres`` where we are root, which the server refuses to run as."""
    command = [find(program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    # The server keeps what it inherits open, so that a pipe would never end.
    with (folder / "output").open("w+") as output:
        code = subprocess.run(command, cwd=folder, stdout=output, stderr=output).returncode
        output.seek(0)
        assert code == 0, f"{program}: {output.read()}"
