"""Running the application in a process of its own."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from lilliput.errors import ConfigError
from lilliput.inference.recognizer import Recognizer
from lilliput.server.app import create_app
from lilliput.server.service import Service
from lilliput.server.settings import ServerSettings

_HEAD_SECONDS = 10.0  # for the first line and the headers of a request
_MOST_CONNECTIONS = 512
_GOODBYE_SECONDS = 5


def serve(
    settings: ServerSettings, load: Callable[[], Recognizer], announce: Callable[[str], None]
) -> None:
    """Serves until it is interrupted or terminated.

    Args:
        settings: Where to listen, and whom to serve.
        load: Gives the model; not called where there is nowhere to listen.
        announce: Told the address once clients can connect.

    Raises:
        ConfigError: The port is taken, or the host is no address of this machine.
        LilliputError: The model or the database cannot be opened.
    """
    with listen(settings.host, settings.port) as listening:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listening.getsockname()[1]}/"
        server = Server(create_app(settings, load()), lambda: announce(address))
        server.run(sockets=[listening])


class Server(uvicorn.Server):
    """Tells when it listens, and cancels all jobs first when it ends: clients wait for them.

    Args:
        app: What ``create_app`` made.
        announce: Called once clients can connect.
    """

    def __init__(self, app: FastAPI, announce: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=_ImpatientProtocol,
            ws="none",
            log_level="warning",
            server_header=False,
            proxy_headers=False,  # anyone could write them
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        super().__init__(config)
        self._service: Service = app.state.service
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends all jobs, then all connections."""
        await asyncio.to_thread(self._service.jobs.close)
        await super().shutdown(sockets)


class _ImpatientProtocol(H11Protocol):
    """Closes a connection whose request does not begin in time.

    Uvicorn itself waits for ever for the rest of a head, so a few hundred clients that send
    theirs byte by byte could keep everyone else out.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        if self.cycle is not None and self.cycle.response_complete and self._patience is None:
            self._wait_for_head()
        super().data_received(data)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def listen(host: str, port: int) -> socket.socket:
    """A socket that clients can connect to; port 0 takes any that is free.

    Raises:
        ConfigError: The port is taken, or the host is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot listen on {host} port {port} ({reason}); give another --host or --port"
        ) from None
