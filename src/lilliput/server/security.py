"""Who may ask, and what browsers may do with the answers."""

import asyncio
import time
from hmac import compare_digest
from ipaddress import ip_address

from prometheus_client import Counter
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lilliput.server.settings import ServerSettings

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN_PATHS = ("/", "/healthz", "/docs", "/openapi.json", "/favicon.ico")  # tell no secrets
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 64 * 2**20


class Guard:
    """Middleware around the whole application: token, origin, headers, counting.

    A web page elsewhere could send its visitor's browser here, under a name that leads to this
    machine or straight to its loopback address. So without a token a server on loopback answers
    under loopback's own names only, and no server answers what another site's page sends.

    Args:
        app: The application.
        settings: The token, and where the server listens.
        requests: Counts answers by method, route and status.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, requests: Counter) -> None:
        self._app = app
        self._token = settings.token.get_secret_value().encode() if settings.token else None
        self._names_only = settings.is_local and self._token is None
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, Headers(scope=scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                status = message["status"]
                self._requests.labels(scope["method"], _route(scope), str(status)).inc()
                if status >= 400 and status != 408:  # whoever is too slow is not waited for
                    await body.drain()
            await send(message)

        refusal = self._refuse(scope)
        await (refusal or self._app)(scope, body.receive, send_guarded)

    def _refuse(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._names_only and not _is_loopback(host):
            return _refusal(403, "without a token this server answers on its own machine only")
        if (
            headers.get("sec-fetch-site") in ("cross-site", "same-site")
            and scope["method"] != "GET"
        ):
            return _refusal(403, "another site's page may not use this server")
        if origin is not None and origin.partition("://")[2] != host:
            return _refusal(403, "another site's page may not use this server")
        path = scope["path"]
        if self._token is None or path in _OPEN_PATHS or path.startswith("/static/"):
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and compare_digest(given.strip().encode(), self._token):
            return None
        answer = _refusal(401, "give the server's token: 'Authorization: Bearer TOKEN'")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


class _Body:
    """A request's body, and whether it has come to its end."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        # A client that waits for leave to send shall hear the refusal instead.
        self._is_over = "expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_over = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Takes some of what is still coming.

        A connection that is closed with unread data in it is reset, and the client might never
        see why it was refused.
        """
        until, rest = time.monotonic() + _DRAIN_SECONDS, _DRAIN_BYTES
        while not self._is_over and rest > 0 and (seconds := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self.receive(), seconds)
            except TimeoutError:
                return
            rest -= len(message.get("body", b""))


def _refusal(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


def _route(scope: Scope) -> str:
    """The route's pattern: paths that clients make up must not become labels without end."""
    return getattr(scope.get("route"), "path", "other")


def _is_loopback(host: str) -> bool:
    name = host.rsplit("]", 1)[0].lstrip("[") if host.startswith("[") else host.split(":")[0]
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
