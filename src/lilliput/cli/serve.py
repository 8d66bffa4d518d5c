"""``lilliput serve``: a page and an HTTP interface for one model."""

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lilliput.cli.options import Model
from lilliput.cli.output import messages
from lilliput.errors import ConfigError
from lilliput.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from lilliput.inference.recognizer import Recognizer
    from lilliput.server.settings import ServerSettings

_PACKAGES = {  # as Python and pip call them
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "cv2": "opencv-python-headless",
}


def serve(
    model: Model = DEFAULT_MODEL,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients must give [$LILLIPUT_TOKEN, or none]."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Serve others than this machine without a token.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(help="Keep events: sqlite:///FILE or postgresql://USER@HOST/NAME."),
    ] = None,
    detector: Annotated[str, typer.Option(help="motion, people or none.")] = "motion",
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest upload, MiB.")] = 512,
    max_duration_seconds: Annotated[
        float, typer.Option(min=1, help="Longest video; as long again may be spent on one.")
    ] = 3600.0,
    engine: Annotated[
        str, typer.Option(help="torch, onnx, openvino, or auto: the fastest there is.")
    ] = "auto",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Videos worked on at a time.")] = 1,
) -> None:
    """Serve a page to drop videos on, and the same by HTTP (described at /docs)."""
    values: dict[str, Any] = {
        "host": host,
        "port": port,
        "token": _read_token(token_file),
        "database": database,
        "detector": detector,
        "limits": {
            "max_upload_bytes": max_upload_mb * 2**20,
            "max_duration_seconds": max_duration_seconds,
            "job_seconds": max_duration_seconds,
            "running_jobs": jobs,
        },
    }
    _check_packages()
    settings = _build_settings(values)
    if not (settings.is_local or settings.token or insecure):
        raise ConfigError(
            f"--host {host}: others could use the server; give LILLIPUT_TOKEN or --token-file, "
            "or --insecure"
        )

    from lilliput.server.serving import serve as run

    run(settings, partial(_load, model, engine), _announce)


def _check_packages() -> None:
    for package, name in _PACKAGES.items():
        if find_spec(package) is None:
            raise ConfigError(f"serving needs the package {name}: pip install 'lilliput[serve]'")


def _build_settings(values: dict[str, Any]) -> "ServerSettings":
    from pydantic import ValidationError

    from lilliput.server.settings import ServerSettings

    try:
        return ServerSettings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(f"--{name}: {first['msg']}") from None


def _load(model: str, engine: str) -> "Recognizer":
    from lilliput.inference.recognizer import Recognizer

    recognizer = Recognizer.load(model, engine=engine)
    if recognizer.note:
        messages.print(f"note: {recognizer.note}", style="yellow", markup=False)
    return recognizer


def _read_token(file: Path | None) -> str | None:
    """From the file, or the environment: what stands on a command line is seen by all."""
    if file is None:
        return os.environ.get("LILLIPUT_TOKEN") or None
    token = file.read_text(encoding="utf-8").strip()
    if not token:
        raise ConfigError(f"{file}: the file is empty; write a token into it")
    return token


def _announce(address: str) -> None:
    messages.print(f"open {address}  (Ctrl-C ends)", markup=False, soft_wrap=True)
