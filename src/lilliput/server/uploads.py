"""Uploads: taken apart as they come, under random names, gone after use."""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fastapi import HTTPException, Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from lilliput.server.settings import Limits

_PREFIX = "lilliput-uploads-"
_FORM_BYTES = 64 * 1024  # for all of a form but the video
_FIELD_BYTES = 256
_HEADER_BYTES = 16 * 1024


class UploadFolder:
    """A private folder for uploads, removed with all that is in it when it is closed.

    Folders of servers that were killed are removed when the next one starts: a living one holds
    a lock on its own.
    """

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _remove_orphans(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock: int | None = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def new_file(self) -> Path:
        """A path that nobody can guess."""
        return self.path / secrets.token_hex(16)

    def close(self) -> None:
        """Removes everything; closing it again does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@dataclass
class Upload:
    """A video on disk and what came with it.

    Attributes:
        path: Where it lies.
        name: What the client calls it, reduced to harmless characters; for people to read only.
        num_bytes: Its size.
        fields: The form's other fields.
    """

    path: Path
    name: str = "upload"
    num_bytes: int = 0
    fields: dict[str, str] = field(default_factory=dict)

    def remove(self) -> None:
        """Removes the file, if it is still there."""
        self.path.unlink(missing_ok=True)


async def receive_upload(request: Request, folder: UploadFolder, limits: Limits) -> Upload:
    """Reads a multipart form with a field ``video`` while it comes.

    Raises:
        HTTPException: 400 no such form, 408 too slow, 413 too large.
        ClientDisconnect: The client went away. Nothing is left on disk in any case.
    """
    boundary = _boundary(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.max_upload_bytes + _FORM_BYTES:
        raise _too_large(limits)
    upload = Upload(folder.new_file())
    try:
        with upload.path.open("xb") as file:
            form = VideoForm(boundary, upload, file, limits)
            async for chunk in _in_time(request.stream(), limits):
                form.feed(chunk)
        form.finish()
    except BaseException:
        upload.remove()
        raise
    return upload


class VideoForm:
    """Takes a multipart body apart: the field ``video`` to a file, short fields to memory."""

    def __init__(self, boundary: bytes, upload: Upload, file: BinaryIO, limits: Limits) -> None:
        self._upload, self._file, self._limits = upload, file, limits
        self._rest = _FORM_BYTES
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._disposition = b""
        self._part = ""
        self._value = b""
        self._has_video = self._has_ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_size=_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        """Takes the next piece of the body.

        Raises:
            HTTPException: It is no such form, or too large.
        """
        before = self._upload.num_bytes
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            reason = " ".join(re.sub(r"[^ -~]", "?", str(error))[:120].split())
            raise HTTPException(400, f"not a multipart form ({reason})") from None
        self._rest -= len(chunk) - (self._upload.num_bytes - before)
        if self._rest < 0:
            raise HTTPException(400, "the form holds too much beside the field 'video'")

    def finish(self) -> None:
        """After the last piece.

        Raises:
            HTTPException: The form is cut off, or has no video.
        """
        if not self._has_ended:
            raise HTTPException(400, "the multipart form is cut off; send it again")
        if not self._has_video:
            raise HTTPException(400, "the form has no field 'video'; send the file in it")

    def _begin_part(self) -> None:
        self._disposition = self._value = b""
        self._header = (b"", b"")

    def _add_header(self, position: int, piece: bytes) -> None:
        name, value = self._header
        self._header = (name, value + piece) if position else (name + piece, value)

    def _end_header(self) -> None:
        name, value = self._header
        if name.strip().lower() == b"content-disposition":
            self._disposition = value
        self._header = (b"", b"")

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part = options.get(b"name", b"").decode("utf-8", "replace")[:_FIELD_BYTES]
        if self._part == "video":
            if self._has_video:
                raise HTTPException(400, "the form has the field 'video' twice; send one video")
            self._has_video = True
            self._upload.name = harmless(options.get(b"filename", b"").decode("utf-8", "replace"))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "video":
            self._upload.num_bytes += end - start
            if self._upload.num_bytes > self._limits.max_upload_bytes:
                raise _too_large(self._limits)
            self._file.write(memoryview(data)[start:end])
        elif len(self._value) + end - start > _FIELD_BYTES:
            raise HTTPException(400, "a field of the form is too long")
        else:
            self._value += data[start:end]

    def _end_part(self) -> None:
        if self._part != "video":
            self._upload.fields[self._part] = self._value.decode("utf-8", "replace")

    def _end(self) -> None:
        self._has_ended = True


def harmless(name: str) -> str:
    """The last part of a file's name, of letters, digits, blanks, dots, dashes and underscores.

    Neither a path nor a line break, mark-up or a spreadsheet's formula is left of it.
    """
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w. -]", "_", last)[:80].strip(" .-_") or "upload"


async def _in_time(chunks: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[bytes]:
    until = time.monotonic() + limits.upload_seconds
    while True:
        seconds = min(limits.silence_seconds, until - time.monotonic())
        try:
            yield await asyncio.wait_for(anext(chunks), seconds)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HTTPException(408, "the upload comes too slowly; send it again") from None


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise HTTPException(400, "send a multipart form (multipart/form-data) with a field 'video'")
    return boundary


def _too_large(limits: Limits) -> HTTPException:
    allowed = f"{limits.max_upload_bytes / 2**20:g} MiB"
    return HTTPException(413, f"the upload is larger than {allowed}; send a shorter video")


def _remove_orphans(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # its server lives
        finally:
            os.close(lock)
