"""``lilliput adapt`` from footage to a model, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.video.encode import write_video

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory, noise: Callable[..., np.ndarray]) -> Path:
    """17 seconds, which are 33 windows of a second that overlap by half."""
    path = tmp_path_factory.mktemp("footage") / "yard.mp4"
    write_video(path, noise(170, 20, 24, 3), fps=10)
    return path


def test_adapts_to_footage_and_says_so(
    run_cli: RunCli, micro_file: Path, footage: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine.safetensors"
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    code, told, errors = run_cli(
        "adapt", micro_file, footage, broken, "--detector", "none", "--out", out
    )
    assert code == 0, errors
    assert "windows: 33 in 2 files, 33 used" in told
    assert "left out: " in errors and "broken.mp4" in errors
    adapted, before = load_checkpoint(out), load_checkpoint(micro_file)
    assert adapted.note == "for tests; adapted to 33 windows of footage without labels"
    assert len(set(adapted.thresholds)) == 1
    assert adapted.labels == before.labels
    code, told, _ = run_cli("info", out)
    assert code == 0 and "adapted to 33 windows" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "mine.onnx"), "mine.onnx: name a file that ends with .safetensors"),
        (("--out", "taken.safetensors"), "taken.safetensors: exists already"),
        ((), "nothing to adapt to: give videos of the camera"),
        (("gone.mp4",), "0 windows with somebody in them are too few"),
        (("rtsp://127.0.0.1:9/live",), "has no end; record some of it first"),
    ],
)
def test_what_cannot_be_adapted_is_told_in_one_line(
    run_cli: RunCli,
    micro_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.safetensors").touch()
    code, _, errors = run_cli("adapt", micro_file, *arguments)
    assert code == 2
    assert message in errors
    assert "Traceback" not in errors
    assert not Path("adapted.safetensors").exists()
