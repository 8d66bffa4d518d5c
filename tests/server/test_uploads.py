import asyncio
import fcntl
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import HTTPException, Request
from hypothesis import given
from hypothesis import strategies as st

from lilliput.server.settings import Limits
from lilliput.server.uploads import Upload, UploadFolder, VideoForm, harmless, receive_upload

BOUNDARY = b"--=limit=--"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"


def parse(chunks: list[bytes], folder: Path, **limits: float) -> Upload:
    upload = Upload(folder / "upload")
    with upload.path.open("wb") as file:
        form = VideoForm(BOUNDARY, upload, file, Limits(**limits))
        for chunk in chunks:
            form.feed(chunk)
    form.finish()
    return upload


class TestVideoForm:
    @given(
        content=st.binary(max_size=300).filter(lambda content: BOUNDARY not in content),
        cuts=st.lists(st.integers(0, 600)),
        fields_first=st.booleans(),
    )
    def test_any_content_in_any_pieces(
        self, tmp_path_factory, content: bytes, cuts: list[int], fields_first: bool
    ):
        folder = tmp_path_factory.mktemp("form")
        parts = [part("detector", b"none"), part("video", content, "a.mp4")]
        body = b"".join(parts if fields_first else parts[::-1]) + END
        edges = [0, *sorted(cuts), len(body)]
        upload = parse([body[a:b] for a, b in pairwise(edges)], folder)
        assert upload.path.read_bytes() == content
        assert upload.num_bytes == len(content)
        assert (upload.name, upload.fields) == ("a.mp4", {"detector": "none"})

    def test_the_limit_is_exact(self, tmp_path: Path):
        body = part("video", b"x" * 1000) + END
        assert parse([body], tmp_path, max_upload_bytes=1000).num_bytes == 1000
        with pytest.raises(HTTPException) as refused:
            parse([body], tmp_path, max_upload_bytes=999)
        assert refused.value.status_code == 413

    def test_too_much_is_not_even_written(self, tmp_path: Path):
        upload = Upload(tmp_path / "upload")
        with upload.path.open("wb", buffering=0) as file:
            form = VideoForm(BOUNDARY, upload, file, Limits(max_upload_bytes=100))
            with pytest.raises(HTTPException):
                for piece in [part("video", b"")[:-2]] + [b"x" * 60] * 50:
                    form.feed(piece)
        assert upload.path.stat().st_size == 60

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (END, "no field 'video'"),
            (part("film", b"x") + END, "no field 'video'"),
            (part("video", b"x"), "cut off"),
            (b"", "cut off"),
            (part("video", b"x") + part("video", b"y") + END, "twice"),
            (part("video", b"x") + part("detector", b"y" * 300) + END, "too long"),
            (part("video", b"x") + part("a", b"y") * 2000 + END, "too much beside"),
            (b"PK\x03\x04 no form at all", "not a multipart form"),
            (b"--" + BOUNDARY + b"\r\nA: " + b"b" * 40_000, "not a multipart form"),
            (b"--" + BOUNDARY + b"\r\n" + b"A: b\r\n" * 400, "not a multipart form"),
        ],
    )
    def test_what_is_no_such_form(self, tmp_path: Path, body: bytes, reason: str):
        with pytest.raises(HTTPException, match=reason) as refused:
            parse([body], tmp_path)
        assert refused.value.status_code == 400
        assert refused.value.detail.isprintable()


class TestSlowness:
    """A client that sends next to nothing, for ever."""

    def receive(self, folder: UploadFolder, pieces: list[bytes], **limits: float) -> None:
        """As from a client that sends these and falls silent."""
        scope = {
            "type": "http",
            "headers": [(b"content-type", b"multipart/form-data; boundary=" + BOUNDARY)],
        }
        left = iter(pieces)

        async def receive() -> dict:
            piece = next(left, None)
            if piece is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": piece, "more_body": True}

        asyncio.run(receive_upload(Request(scope, receive), folder, Limits(**limits)))

    @pytest.mark.parametrize(
        ("pieces", "limits"),
        [
            ([], {"silence_seconds": 0.02}),
            ([part("video", b"")[:-2], b"x"], {"silence_seconds": 0.02}),
            ([b"--" + BOUNDARY], {"upload_seconds": 0.02}),
        ],
    )
    def test_is_given_up(self, temporary: Path, pieces: list[bytes], limits: dict[str, float]):
        folder = UploadFolder()
        with pytest.raises(HTTPException) as refused:
            self.receive(folder, pieces, **limits)
        assert refused.value.status_code == 408
        assert list(folder.path.iterdir()) == []
        folder.close()

    def test_trickling_without_end(self, temporary: Path):
        """Each piece comes in time, the whole does not."""
        folder = UploadFolder()
        trickle = [part("video", b"")[:-2], *([b"x"] * 10**6)]
        with pytest.raises(HTTPException) as refused:
            self.receive(folder, trickle, upload_seconds=0.05)
        assert refused.value.status_code == 408
        assert list(folder.path.iterdir()) == []
        folder.close()


class TestHarmless:
    @pytest.mark.parametrize(
        ("name", "left"),
        [
            ("holiday 2.mp4", "holiday 2.mp4"),
            ("../../etc/passwd", "passwd"),
            ("C:\\films\\a.avi", "a.avi"),
            ("a\r\nSet-Cookie: x", "a__Set-Cookie_ x"),
            ("=cmd|' /C calc'!A0", "C calc__A0"),
            ("<b onload=x>.mp4", "b onload_x_.mp4"),
            ("x\0y", "x_y"),
            ("..", "upload"),
            ("", "upload"),
            ("Füße.mp4", "Füße.mp4"),
            ("a" * 10_000, "a" * 80),
        ],
    )
    def test_examples(self, name: str, left: str):
        assert harmless(name) == left

    @given(st.text())
    def test_nothing_dangerous_is_left(self, name: str):
        left = harmless(name)
        assert 0 < len(left) <= 80
        assert left.isprintable()
        assert not set(left) & set("/\\<>&\"'`$;|=+@:%*?{}()")
        assert left[0] not in ".-"


class TestUploadFolder:
    def test_it_is_private_and_goes(self, temporary: Path):
        folder = UploadFolder()
        assert folder.path.parent == temporary
        assert folder.path.stat().st_mode & 0o777 == 0o700
        names = {folder.new_file() for _ in range(100)}
        assert len(names) == 100
        folder.new_file().write_bytes(b"x")
        folder.close()
        assert list(temporary.iterdir()) == []

    def test_what_a_killed_server_left_is_removed(self, temporary: Path):
        left = _folder_of_a_killed_server(temporary)
        assert [path.read_bytes() for path in left.iterdir()] == [b"someone's video"]
        folder = UploadFolder()
        assert list(temporary.iterdir()) == [folder.path]
        folder.close()

    def test_what_a_living_server_has_is_not(self, temporary: Path):
        first = UploadFolder()
        first.new_file().write_bytes(b"x")
        second = UploadFolder()
        assert len(list(first.path.iterdir())) == 1
        second.close()
        first.close()

    def test_a_link_to_elsewhere_is_left_alone(self, temporary: Path, tmp_path: Path):
        (tmp_path / "precious").mkdir()
        (tmp_path / "precious" / "file").touch()
        (temporary / "lilliput-uploads-trap").symlink_to(tmp_path / "precious")
        UploadFolder().close()
        assert (tmp_path / "precious" / "file").exists()

    def test_the_lock_is_a_real_one(self, temporary: Path):
        folder = UploadFolder()
        other = os.open(folder.path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        folder.close()


def _folder_of_a_killed_server(temporary: Path) -> Path:
    code = (
        "import os, pathlib, signal, sys\n"
        "from lilliput.server.uploads import UploadFolder\n"
        "folder = UploadFolder(pathlib.Path(sys.argv[1]))\n"
        'folder.new_file().write_bytes(b"someone\'s video")\n'
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, temporary], timeout=30).returncode == -9
    (left,) = temporary.iterdir()
    return left
