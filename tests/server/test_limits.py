import io
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.server.conftest import StartServer, write_video
from tests.server.stand_in import stand_in
from tests.server.test_api import read_stream, send

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{clip}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile {clip}\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet contentType="video"><Representation id="0"><BaseURL>{clip}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>"
)


def png() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG")
    return file.getvalue()


def archive(clip: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("clip.mp4", clip)
    return file.getvalue()


@pytest.mark.parametrize("route", ["/v1/recognize", "/v1/watch"])
class TestRefusals:
    """Each with its status, one line, no path of ours, and nothing left on disk."""

    def refused(self, answer, temporary: Path) -> tuple[int, str]:
        detail = answer.json()["detail"]
        assert "\n" not in detail
        assert str(temporary) not in answer.text
        assert [path for path in temporary.rglob("*") if path.is_file()] == []
        return answer.status_code, detail

    def test_wrong_types(self, start: StartServer, clip: bytes, temporary: Path, route: str):
        client = start()
        for content in (b"just text\n" * 100, png(), archive(clip), bytes(range(256)) * 40):
            status, detail = self.refused(send(client, content, route), temporary)
            assert status == 415
            assert detail.startswith("the upload is not a video")

    @pytest.mark.parametrize("text", [PLAYLIST, CONCAT, DASH], ids=["hls", "concat", "dash"])
    def test_playlists_that_name_other_files(
        self,
        start: StartServer,
        clip: bytes,
        temporary: Path,
        tmp_path: Path,
        route: str,
        text: str,
    ):
        (tmp_path / "other.mp4").write_bytes(clip)
        content = text.format(clip=tmp_path / "other.mp4").encode()
        status, _ = self.refused(send(start(), content, route, name="list.m3u8"), temporary)
        assert status == 415

    def test_empty(self, start: StartServer, temporary: Path, route: str):
        assert self.refused(send(start(), b"", route), temporary) == (
            422,
            "the upload is empty (0 bytes); send it again",
        )

    def test_cut_off_before_its_index(
        self, start: StartServer, clip: bytes, temporary: Path, route: str
    ):
        cut = clip[: len(clip) // 2]  # an MP4's index comes last
        assert self.refused(send(start(), cut, route), temporary)[0] == 415

    def test_too_many_bytes(self, start: StartServer, clip: bytes, temporary: Path, route: str):
        client = start(max_upload_bytes=len(clip) - 1)
        status, detail = self.refused(send(client, clip, route), temporary)
        assert status == 413
        assert "MiB" in detail

    def test_too_long(self, start: StartServer, bombs: dict, temporary: Path, route: str):
        status, detail = self.refused(send(start(), bombs["long"], route), temporary)
        assert (status, "3600 seconds" in detail) == (422, True)

    def test_too_many_pixels(self, start: StartServer, bombs: dict, temporary: Path, route: str):
        status, detail = self.refused(send(start(), bombs["wide"], route), temporary)
        assert (status, "8000x8000" in detail) == (422, True)

    def test_no_form(self, start: StartServer, clip: bytes, temporary: Path, route: str):
        client = start()
        for answer in (
            client.post(route),
            client.post(route, content=clip, headers={"content-type": "video/mp4"}),
            client.post(route, content=clip, headers={"content-type": "multipart/form-data"}),
            client.post(route, files={"film": ("a", clip)}),
        ):
            assert self.refused(answer, temporary)[0] == 400


class TestCutOff:
    def test_what_is_there_is_used_and_the_rest_told(self, start: StartServer, tmp_path: Path):
        frames = np.random.default_rng(1).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
        write_video(tmp_path / "whole.mkv", frames, 10)
        whole = (tmp_path / "whole.mkv").read_bytes()
        answer = send(start(), whole[: len(whole) // 2], "/v1/recognize")
        assert answer.status_code == 200
        assert answer.json()["windows"][-1]["end_seconds"] < 4


class TestTimeOut:
    def test_recognising_too_slowly(self, start: StartServer, clip: bytes, temporary: Path):
        client = start(job_seconds=0.0001)
        answer = send(client, clip, "/v1/recognize")
        assert answer.status_code == 504
        assert [path for path in temporary.rglob("*") if path.is_file()] == []

    def test_decoding_to_more_than_was_declared(self, start: StartServer, clip: bytes):
        client = start(stand_in(100), max_duration_seconds=3)  # the clip has 2 s, its frames 10 s
        name, data = read_stream(client, send(client, clip).json()["job"])[-1]
        assert (name, data["error"]) == ("failed", "the upload lasts longer than 3 seconds")


class TestEnd:
    def test_a_server_that_ends_cancels_and_cleans_up(
        self, start: StartServer, clip: bytes, temporary: Path, recognizer
    ):
        gate = threading.Event()
        client = start(stand_in(10_000, gate, pause=0.001))
        job = send(client, clip).json()["job"]
        gate.set()
        service = client.app.state.service
        running = service.jobs.find(job)
        service.close()
        assert running.state == "cancelled"
        assert list(temporary.iterdir()) == []
        assert send(client, clip).status_code == 503
