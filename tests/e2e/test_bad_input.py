"""The videos people really have, through ``predict`` and ``data check``: none is lost."""

import json
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.inference.recognizer import Recognizer
from lilliput.video.decode import VIDEO_SUFFIXES
from lilliput.video.encode import write_video

RunCli = Callable[..., tuple[int, str, str]]

# What becomes of each: a prediction, one with a warning, or the reason that there is none.
FINE = (
    "1-frame.mp4", "10x10.mp4", "odd 33x17.mkv", "sideways.mp4", "4k.mp4",
    "name with ünïcode [x].mp4", "picture.png",
)  # fmt: skip
DAMAGED = ("cut in half.avi",)
BROKEN = {
    "corrupt.mp4": "not a readable video",
    "empty.mp4": "0 bytes",
    "truncated.mp4": "not a readable video",
    "zero-frame.avi": "",
    "audio-only.mp4": "has no video stream",
    "text.txt": "",
    "text named.mp4": "not a readable video",
}


def _write_plain(path: Path, frames: np.ndarray, codec: str, pixel_format: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 10)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixel_format
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", 8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base, frame.pts = 8000, Fraction(1, 8000), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _turn_sideways(path: Path) -> None:
    """A display matrix of a quarter turn, as phones write it (ISO 14496-12, tkhd)."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, start, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@pytest.fixture(scope="module")
def videos(
    tmp_path_factory: pytest.TempPathFactory,
    noise: Callable[..., np.ndarray],
    write_lossless: Callable[..., Path],
) -> dict[str, Path]:
    """Every file of the lists above, by its name."""
    folder = tmp_path_factory.mktemp("bad input")
    files = {name: folder / name for name in (*FINE, *DAMAGED, *BROKEN)}
    write_video(files["1-frame.mp4"], noise(1, 16, 16, 0), fps=10)
    write_video(files["10x10.mp4"], noise(8, 10, 10, 1), fps=10)
    _write_plain(files["odd 33x17.mkv"], noise(8, 17, 33, 2), "ffv1", "bgr0")
    write_lossless(files["sideways.mp4"], noise(8, 24, 16, 3))
    _turn_sideways(files["sideways.mp4"])
    write_video(files["4k.mp4"], np.full((2, 2160, 3840, 3), 90, np.uint8), fps=10)
    write_video(files["name with ünïcode [x].mp4"], noise(8, 16, 16, 4), fps=10)
    _write_plain(files["picture.png"], noise(1, 17, 33, 5), "png", "rgb24")
    _write_plain(files["cut in half.avi"], noise(20, 32, 32, 6), "rawvideo", "bgr24")
    whole = files["cut in half.avi"].read_bytes()
    files["cut in half.avi"].write_bytes(whole[: len(whole) // 2])
    files["zero-frame.avi"].write_bytes(whole[: whole.index(b"movi") + 4])
    files["corrupt.mp4"].write_bytes(noise(1, 40, 40, 7).tobytes())
    files["empty.mp4"].touch()
    write_video(files["truncated.mp4"], noise(20, 32, 32, 8), fps=10)
    files["truncated.mp4"].write_bytes(files["truncated.mp4"].read_bytes()[:-1500])
    _write_sound(files["audio-only.mp4"])
    files["text.txt"].write_text("hello, this is no video\n" * 50)
    files["text named.mp4"].write_text("hello, this is no video\n" * 50)
    return files


def test_predict(videos: dict[str, Path], micro_file: Path, run_cli: RunCli) -> None:
    code, out, err = run_cli("predict", micro_file, *videos.values(), "--json")
    assert code == 2
    assert "Traceback" not in err
    documents = {document["source"]: document for document in map(json.loads, out.splitlines())}
    assert list(documents) == [str(path) for path in videos.values()]
    for name in FINE:
        document = documents[str(videos[name])]
        assert set(document["scores"]) == {"[Sit]", "turn_left", "turn_right"}, name
        assert document["warning"] is None, name
    for name in DAMAGED:
        assert "frame" in documents[str(videos[name])]["warning"]
    for name, reason in BROKEN.items():
        error = documents[str(videos[name])]["error"]
        assert error.startswith(f"{videos[name]}: ")
        assert reason in error
        assert f"skipped: {error}" in err.splitlines()
    assert f"{len(BROKEN)} of the videos could not be read" in err


def test_predict_on_the_folder(videos: dict[str, Path], micro_file: Path, run_cli: RunCli) -> None:
    code, out, err = run_cli("predict", micro_file, videos["4k.mp4"].parent)
    assert code == 2
    assert "Traceback" not in err
    skipped = [line for line in err.splitlines() if line.startswith("skipped: ")]
    assert len(skipped) == len([name for name in BROKEN if Path(name).suffix in VIDEO_SUFFIXES])
    assert "[x].mp4" in out


def test_data_check(videos: dict[str, Path], run_cli: RunCli, tmp_path: Path) -> None:
    rows = ["path,labels,split", *(f"{path},walk,train" for path in videos.values())]
    missing = videos["4k.mp4"].with_name("missing.mp4")
    rows.append(f"{missing},walk,train")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, out, err = run_cli("data", "check", manifest, "--out", tmp_path)
    assert code == 1
    assert "Traceback" not in out + err
    report = json.loads((tmp_path / "check.json").read_text())
    assert report["clips"] == len(videos) + 1
    listed = [*report["missing"], *report["empty"], *report["corrupt"]]
    places = {line.partition(": ")[0] for line in listed}
    assert places == {str(missing), *(str(videos[name]) for name in (*DAMAGED, *BROKEN))}
    assert len(listed) == len(places)
    assert all("\n" not in line for line in listed)


def test_a_sideways_video_is_recognised_upright(
    videos: dict[str, Path], micro_file: Path, noise: Callable[..., np.ndarray]
) -> None:
    recognizer = Recognizer.load(micro_file)
    upright = np.rot90(noise(8, 24, 16, 3), -1, axes=(1, 2))
    scores = recognizer.predict(videos["sideways.mp4"]).scores
    np.testing.assert_array_equal(scores, recognizer.predict(upright).scores)
