from pathlib import Path

import pytest

from lilliput.server.settings import ServerSettings
from tests.server.conftest import StartServer
from tests.server.test_api import read_stream, send

SECRET = {"Authorization": "Bearer s3cret"}
PRIVATE = [
    ("GET", "/v1/model"),
    ("GET", "/v1/events"),
    ("GET", "/v1/jobs/x"),
    ("GET", "/v1/jobs/x/stream"),
    ("DELETE", "/v1/jobs/x"),
    ("POST", "/v1/watch"),
    ("POST", "/v1/recognize"),
    ("GET", "/metrics"),
    ("GET", "/whatever"),
]


class TestToken:
    @pytest.mark.parametrize(("method", "path"), PRIVATE)
    def test_is_asked_of_everyone(self, start: StartServer, method: str, path: str):
        client = start(token="s3cret")
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Bearer s3cre"},
            {"Authorization": "Bearer s3crets"},
            {"Authorization": "Basic s3cret"},
            {"Authorization": "s3cret"},
            {"Authorization": "Bearer "},
            {"Authorization": b"Bearer s\xe9cret"},
            {"Cookie": "token=s3cret"},
        ):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 401, headers
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["detail"].startswith("give the server's token")
        assert client.request(method, f"{path}?token=s3cret").status_code == 401
        assert client.request(method, path, headers=SECRET).status_code not in (401, 403)

    @pytest.mark.parametrize("path", ["/", "/healthz", "/docs", "/openapi.json", "/static/docs.js"])
    def test_not_for_what_tells_no_secret(self, start: StartServer, path: str):
        assert start(token="s3cret").get(path).status_code == 200

    def test_a_path_that_only_looks_public(self, start: StartServer):
        client = start(token="s3cret")
        for path in ("//v1/model", "/static/../v1/model", "/static/%2e%2e/v1/model", "/docs/"):
            answer = client.get(path, follow_redirects=False)
            assert "class_names" not in answer.text
            assert answer.status_code in (401, 404), path

    def test_does_not_show_in_settings(self):
        assert "s3cret" not in repr(ServerSettings(token="s3cret"))

    def test_nothing_is_read_of_who_has_none(self, start: StartServer, clip, temporary: Path):
        client = start(token="s3cret")
        assert send(client, clip).status_code == 401
        assert client.app.state.service.metrics.upload_bytes._value.get() == 0


class TestOtherSites:
    """A web page elsewhere makes its visitor's browser ask."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:9999"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Host": "evil.example"},  # a name of theirs that leads to loopback
            {"Host": "127.0.0.1.evil.example"},
        ],
    )
    def test_are_refused(self, start: StartServer, clip: bytes, headers: dict[str, str]):
        answer = start().post("/v1/watch", files={"video": clip}, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
    def test_the_own_page_is_not(self, start: StartServer, clip: bytes, host: str):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        answer = start().post("/v1/watch", files={"video": clip}, headers=headers)
        assert answer.status_code == 202

    def test_with_a_token_any_name_will_do(self, start: StartServer):
        client = start(token="s3cret", host="0.0.0.0")
        headers = {**SECRET, "Host": "cameras.example"}
        assert client.get("/v1/model", headers=headers).status_code == 200


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/v1/model", "/none", "/static/docs.js", "/healthz"])
    def test_are_on_every_answer(self, start: StartServer, path: str):
        headers = start().get(path).headers
        policy = dict(one.split(" ", 1) for one in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"

    def test_pages_ask_for_nothing_from_outside(self):
        import lilliput.server

        page = Path(lilliput.server.__file__).with_name("page")
        for file in [*page.glob("*.html"), *page.glob("*.css"), *page.glob("docs.js")]:
            text = file.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
            assert "http://" not in text, file
            assert "https://" not in text, file


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["../../x", "/etc/cron.d/x", "a\r\nSet-Cookie: x=1", "a\0b", "<script>", "n" * 10_000],
    )
    def test_reach_nothing_but_people(
        self, start: StartServer, clip: bytes, name: str, temporary: Path
    ):
        client = start()
        answer = send(client, clip, name=name)
        assert answer.status_code == 202
        assert "set-cookie" not in answer.headers
        read_stream(client, answer.json()["job"])
        text = client.get(answer.headers["location"]).text
        assert "/secret/path" not in text  # nor does our own path
        assert str(temporary) not in text
        for dangerous in ("..", "<script>", "/etc", "\\r\\n", "\\u0000"):
            assert dangerous not in text
        assert [path for path in temporary.rglob("*") if path.is_file()] == []
        assert not (temporary.parent / "x").exists()


class TestErrors:
    def test_are_json_of_one_line(self, start: StartServer):
        client = start()
        for method, path, status in (
            ("GET", "/none", 404),
            ("GET", "/v1/jobs/none", 404),
            ("GET", "/v1/jobs/none/stream", 404),
            ("DELETE", "/v1/jobs/none", 404),
            ("GET", "/v1/watch", 405),
            ("DELETE", "/healthz", 405),
            ("GET", "/static/../app.py", 404),
            ("GET", "/static/%2e%2e/app.py", 404),
        ):
            answer = client.request(method, path)
            assert answer.status_code == status, path
            assert list(answer.json()) == ["detail"]

    def test_a_defect_tells_nothing(self, start: StartServer):
        client = start()

        def fail(job_id: str) -> None:
            raise RuntimeError("/secret/path")

        client.app.state.service.jobs.find = fail
        answer = client.get("/v1/jobs/x")
        assert answer.status_code == 500
        assert answer.json() == {"detail": "internal error; the server's log tells more"}
