"""The application: routes, page, errors, and what starts and ends with it."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lilliput.errors import DataError, LilliputError
from lilliput.inference.recognizer import Recognizer
from lilliput.server.routes import build_router
from lilliput.server.security import Guard
from lilliput.server.service import Service
from lilliput.server.settings import ServerSettings
from lilliput.server.work import Watch, watch_file

_PAGE = Path(__file__).with_name("page")


def create_app(
    settings: ServerSettings, recognizer: Recognizer, watch: Watch = watch_file
) -> FastAPI:
    """The server of one model.

    Args:
        settings: Whom to serve, and within what limits.
        recognizer: The model.
        watch: How a video is watched.

    Raises:
        LilliputError: The database cannot be opened.
    """
    service = Service(settings, recognizer, watch)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.open()
        try:
            yield
        finally:
            service.close()

    app = FastAPI(
        title="Lilliput",
        summary="Recognises actions in low-resolution video.",
        version=version("lilliput"),
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    app.include_router(build_router(service))
    _add_page(app)
    _add_errors(app)
    app.add_middleware(Guard, settings=settings, requests=service.metrics.requests)
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def read_page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def read_docs() -> FileResponse:
        return FileResponse(_PAGE / "docs.html")

    app.mount("/static", StaticFiles(directory=_PAGE), name="static")


def _add_errors(app: FastAPI) -> None:
    """Every error is ``{"detail": one line}``."""

    @app.exception_handler(HTTPException)
    async def tell(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def tell_parameters(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": _describe(error.errors())}, 422)

    @app.exception_handler(LilliputError)
    async def tell_mistake(_: Request, error: LilliputError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503 if isinstance(error, DataError) else 422)

    @app.exception_handler(ClientDisconnect)
    async def forget(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        return JSONResponse({"detail": "the client went away"}, 400)  # nobody will read it

    @app.exception_handler(Exception)
    async def apologise(_request: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "internal error; the server's log tells more"}, 500)


def _describe(errors: Sequence[dict[str, object]]) -> str:
    lines = []
    for error in errors:
        where = error.get("loc")
        name = where[-1] if isinstance(where, tuple) else "request"
        lines.append(f"{name}: {error.get('msg')}")
    return re.sub(r"\s+", " ", "; ".join(lines))
