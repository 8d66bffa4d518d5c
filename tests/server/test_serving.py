"""``lilliput serve`` as a process, and clients who mean no good."""

import asyncio
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lilliput.inference.recognizer import Recognizer
from lilliput.server import serving
from lilliput.server.app import create_app
from lilliput.server.settings import Limits, ServerSettings
from tests.conftest import RunCli
from tests.server.stand_in import stand_in
from tests.server.test_jobs import wait_until

MIB = 2**20
TOKEN = "s3cret"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FORM = "multipart/form-data; boundary=limit"
OPTIONS = ("--max-upload-mb", "1", "--detector", "none", "--engine", "torch")
_LILLIPUT = "from lilliput.cli.main import main; main()"
HEAD = b'--limit\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'


class Process:
    """A running ``lilliput serve``."""

    def __init__(self, model: Path, temporary: Path, *options: str) -> None:
        environment = os.environ | {"TMPDIR": str(temporary), "LILLIPUT_TOKEN": TOKEN}
        words = [sys.executable, "-c", _LILLIPUT, "serve", str(model), "--port", "0"]
        self.process = subprocess.Popen(
            [*words, *options], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.temporary = temporary
        self.lines: list[str] = []
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(ready,))
        self._reader.start()
        assert ready.wait(60), self.lines
        assert self.process.poll() is None, self.lines
        self.port = int(re.search(r":(\d+)/", "".join(self.lines))[1])
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=HEADERS, timeout=30
        )

    def _read(self, ready: threading.Event) -> None:
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith("open http"):
                ready.set()
        ready.set()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    @property
    def files(self) -> list[Path]:
        return [path for path in self.temporary.rglob("*") if path.is_file()]

    @property
    def megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def is_idle(self) -> bool:
        text = self.client.get("/metrics").text
        idle = re.findall(r"^lilliput_(?:queue_length|jobs_running) (\S+)", text, re.MULTILINE)
        return idle == ["0.0", "0.0"] and not self.files

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(30)
        self._reader.join(10)
        self.client.close()
        self.process.stderr.close()
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, micro_file: Path) -> Iterator[Process]:
    temporary = tmp_path_factory.mktemp("temporary")
    process = Process(micro_file, temporary, *OPTIONS)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()


def send_head(server: Process, *lines: str) -> socket.socket:
    """A connection on which an upload was announced."""
    connection = server.connect()
    head = [
        "POST /v1/watch HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Type: {FORM}",
        *lines,
    ]
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    return connection


def read_status(connection: socket.socket) -> int:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


class TestAbuse:
    def test_oversized_by_its_own_account(self, server: Process):
        with send_head(server, f"Content-Length: {10**12}", "Expect: 100-continue") as connection:
            assert read_status(connection) == 413  # before a byte of it was sent

    def test_oversized_and_sent(self, server: Process):
        answer = server.client.post("/v1/watch", files={"video": b"x" * (3 * MIB)})
        assert answer.status_code == 413

    def test_oversized_without_saying_so(self, server: Process):
        with send_head(server, "Transfer-Encoding: chunked") as connection:
            for piece in [HEAD] + [b"x" * MIB] * 3:
                connection.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            assert read_status(connection) == 413

    def test_more_than_announced(self, server: Process):
        with send_head(server, "Content-Length: 100") as connection:
            connection.sendall(HEAD + b"x" * 1000)
            assert read_status(connection) == 400

    def test_gone_in_the_middle_of_an_upload(self, server: Process):
        with send_head(server, "Content-Length: 900000") as connection:
            connection.sendall(HEAD + b"x" * 400_000)
            wait_until(lambda: len(server.files) == 1)
        wait_until(lambda: not server.files)

    def test_no_http_at_all(self, server: Process):
        with server.connect() as connection:
            connection.sendall(b"\x16\x03\x01" + bytes(range(256)) + b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")

    def test_bombs(self, server: Process, bombs: dict[str, bytes]):
        for bomb in bombs.values():
            for route in ("/v1/watch", "/v1/recognize"):
                assert server.client.post(route, files={"video": bomb}).status_code == 422

    def test_a_hundred_at_once(self, server: Process, clip: bytes):
        wait_until(server.is_idle)
        before = server.megabytes
        base = str(server.client.base_url)
        statuses = asyncio.run(send_many(base, clip, 100))
        assert set(statuses) <= {200, 202, 429}
        assert statuses.count(429) > 0
        assert statuses.count(202) >= 1
        assert statuses.count(200) >= 1
        wait_until(server.is_idle, 30)
        assert server.megabytes < before + 150
        assert server.client.get("/healthz").json() == {"status": "ok"}

    def test_nothing_was_logged_that_clients_sent(self, server: Process, clip: bytes):
        answer = server.client.post("/v1/watch", files={"video": ("n\x1b[31mame", clip)})
        assert answer.status_code in (202, 429)
        assert not any("\x1b[31m" in line or "Traceback" in line for line in server.lines)

    def test_terminating_leaves_nothing(self, server: Process, clip: bytes):
        for _ in range(3):
            server.client.post("/v1/watch", files={"video": clip})
        assert server.stop() in (0, -signal.SIGTERM)
        assert list(server.temporary.iterdir()) == []


async def send_many(base: str, clip: bytes, count: int) -> list[int]:
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(
        base_url=base, headers=HEADERS, timeout=60, limits=limits
    ) as client:
        routes = ["/v1/watch", "/v1/recognize"] * (count // 2)
        answers = [client.post(route, files={"video": ("a.mp4", clip)}) for route in routes]
        return [answer.status_code for answer in await asyncio.gather(*answers)]


@pytest.fixture
def thread(recognizer: Recognizer) -> Iterator[tuple[serving.Server, int, threading.Event]]:
    """A server in a thread of this process, its port, and the gate of its jobs."""
    gate, ready = threading.Event(), threading.Event()
    settings = ServerSettings(port=0, limits=Limits(silence_seconds=0.2))
    with serving.listen("127.0.0.1", 0) as listening:
        app = create_app(settings, recognizer, stand_in(10_000, gate, pause=0.001))
        server = serving.Server(app, ready.set)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(server.run, sockets=[listening])
            assert ready.wait(30)
            yield server, listening.getsockname()[1], gate
            server.should_exit = True
            gate.set()
            running.result(30)


class TestConnections:
    def test_gone_in_the_middle_of_a_stream(self, thread, clip: bytes):
        server, port, gate = thread
        gate.set()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            job = client.post("/v1/watch", files={"video": clip}).json()["job"]
            news = server._service.jobs.find(job).news
            with client.stream("GET", f"/v1/jobs/{job}/stream") as answer:
                heard = answer.iter_text()  # once it is forgotten, the connection is closed
                assert next(heard).startswith("event: progress")
                assert news.num_listeners == 1
            wait_until(lambda: news.num_listeners == 0)
            assert client.get(f"/v1/jobs/{job}").json()["state"] == "running"

    def test_gone_while_waiting_for_an_answer(self, thread, clip: bytes):
        server, port, _ = thread
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            busy = client.post("/v1/watch", files={"video": clip}).json()["job"]
            with socket.create_connection(("127.0.0.1", port)) as connection:
                body = HEAD + clip + b"\r\n--limit--\r\n"
                head = (
                    f"POST /v1/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                )
                connection.sendall(head.encode() + body)
                wait_until(lambda: server._service.jobs.count("queued") == 1)
            wait_until(lambda: server._service.jobs.count("queued") == 0)
            assert client.get(f"/v1/jobs/{busy}").json()["state"] == "running"

    def test_an_upload_that_falls_silent(self, thread):
        _, port, _ = thread
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/watch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n"
                b"Content-Type: " + FORM.encode() + b"\r\n\r\n" + HEAD
            )
            assert read_status(connection) == 408

    def test_a_head_that_never_ends(self, thread, monkeypatch: pytest.MonkeyPatch):
        _, port, _ = thread
        monkeypatch.setattr(serving, "_HEAD_SECONDS", 0.1)
        for beginning in (b"", b"GET / HTT", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(beginning)
                assert connection.recv(1) == b""

    def test_a_second_head_that_never_ends(self, thread, monkeypatch: pytest.MonkeyPatch):
        _, port, _ = thread
        monkeypatch.setattr(serving, "_HEAD_SECONDS", 0.1)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert read_status(connection) == 200
            connection.sendall(b"GET / HTT")
            assert connection.recv(1) == b""


class TestCommand:
    def test_a_port_in_use(self, run_cli: RunCli, micro_file: Path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            code, _, err = run_cli("serve", micro_file, "--port", port)
        assert code == 2
        assert err.splitlines()[-1].startswith(f"error: cannot listen on 127.0.0.1 port {port} (")

    def test_a_missing_package(self, run_cli: RunCli, micro_file: Path, monkeypatch):
        command = sys.modules["lilliput.cli.serve"]
        monkeypatch.setattr(command, "find_spec", lambda name: None if name == "uvicorn" else 1)
        code, _, err = run_cli("serve", micro_file)
        assert code == 2
        assert err == "error: serving needs the package uvicorn: pip install 'lilliput[serve]'\n"

    def test_an_empty_token_is_none(self, run_cli: RunCli, micro_file: Path, tmp_path: Path):
        (tmp_path / "token").write_text(" \n")
        code, _, err = run_cli("serve", micro_file, "--token-file", tmp_path / "token")
        assert code == 2
        assert "the file is empty" in err

    def test_others_need_a_token(self, run_cli: RunCli, micro_file: Path, monkeypatch):
        monkeypatch.delenv("LILLIPUT_TOKEN", raising=False)
        code, _, err = run_cli("serve", micro_file, "--host", "0.0.0.0")
        assert code == 2
        assert len(err.splitlines()) == 1
        assert "--token-file" in err
        assert "--insecure" in err

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (["--detector", "radar"], "detector"),
            (["--host", "no host"], "--host"),
            (["--database", "nothing://x"], "--database"),
            (["--token-file", "/nonexistent"], "/nonexistent"),
        ],
    )
    def test_mistakes_are_one_line(self, run_cli: RunCli, micro_file: Path, options, told: str):
        code, _, err = run_cli("serve", micro_file, "--port", 0, "--engine", "torch", *options)
        assert code == 2
        assert err.splitlines()[-1].startswith("error: ")
        assert told in err.splitlines()[-1]

    @pytest.mark.parametrize(
        ("host", "is_local"),
        [
            ("127.0.0.1", True),
            ("127.8.8.8", True),
            ("localhost", True),
            ("::1", True),
            ("0.0.0.0", False),
            ("::", False),
            ("192.0.2.1", False),
            ("localhost.example", False),
            ("", False),
        ],
    )
    def test_what_is_local(self, host: str, is_local: bool):
        assert ServerSettings(host=host).is_local is is_local
