import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from starlette.testclient import TestClient

from lilliput.checkpoint import Checkpoint
from lilliput.inference.recognizer import Recognizer
from lilliput.server.app import create_app
from lilliput.server.settings import Limits, ServerSettings
from lilliput.server.work import Watch
from tests.server.stand_in import stand_in

StartServer = Callable[..., TestClient]
HERE = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, as the server sees it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="session")
def recognizer(micro_checkpoint: Checkpoint) -> Recognizer:
    return Recognizer(micro_checkpoint)


@pytest.fixture
def start(recognizer: Recognizer) -> Iterator[StartServer]:
    """Starts servers with these limits and settings; a client of each."""
    with ExitStack() as stack:

        def start_server(watch: Watch | None = None, **values: Any) -> TestClient:
            limits = {key: values.pop(key) for key in list(values) if key in Limits.model_fields}
            settings = ServerSettings(limits=Limits(**limits), **values)
            app = create_app(settings, recognizer, watch or stand_in())
            return stack.enter_context(
                TestClient(app, base_url=HERE, raise_server_exceptions=False)
            )

        yield start_server


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """2 seconds of 64x48 px at 10 fps."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    rng = np.random.default_rng(0)
    write_video(path, rng.integers(0, 256, (20, 48, 64, 3), dtype=np.uint8), fps=10)
    return path.read_bytes()


def write_video(path: Path, frames: np.ndarray, fps: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_black(path: Path, width: int, height: int, num_frames: int, fps: int) -> None:
    """Next to nothing on disk, however large it is decoded."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(num_frames):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """``wide``: 8000x8000 px. ``long``: 4000 s in 60 kB."""
    folder = tmp_path_factory.mktemp("bombs")
    write_black(folder / "wide.mp4", 8000, 8000, 1, 10)
    write_black(folder / "long.mp4", 64, 48, 4000, 1)
    return {path.stem: path.read_bytes() for path in folder.iterdir()}
