"""The most memory that whole processes hold, as the operating system counted it."""

import sys
from pathlib import Path

import numpy as np

from benchmarks.commands import LILLIPUT, run_command
from benchmarks.context import Context
from benchmarks.networks import make_checkpoint
from benchmarks.tables import Claim, Row, Table
from lilliput.checkpoint import save_checkpoint
from lilliput.video.encode import write_video

FPS, SIDE = 10, 64
SMALL = {"name": "resnet3d", "width": 8, "input_size": 28, "adapted": True}
_MIB = 2**20


def run(context: Context) -> list[Table]:
    model = small_model(context.folder)
    minutes = (1, context.count(60, 6))
    rows = tuple(peak_of_predict(context.folder, model, each) for each in minutes)
    baseline = Row(
        "python -c 'import torch'",
        (run_command([sys.executable, "-c", "import torch"]).peak / _MIB,),
    )
    short, long = (row.name for row in rows)
    claim = Claim(
        "Peak memory of predict: a 1-hour video as a 1-minute one (± 10 %)", long, short, 0.9, 1.1
    )
    return [
        Table(
            "Peak memory of `lilliput predict`",
            f"Resident memory of the whole process, video of {SIDE}×{SIDE} px at {FPS} frames "
            "a second, cut into windows; a small network, so that the frames would show.",
            "MiB",
            (*rows, baseline),
            baseline=short,
            claims=(claim,),
        )
    ]


def small_model(folder: Path) -> Path:
    """Writes the network, and lets predict convert it, which takes memory of its own."""
    model = folder / "small.safetensors"
    save_checkpoint(make_checkpoint(SMALL), model)
    peak_of_predict(folder, model, 1)
    return model


def peak_of_predict(folder: Path, model: Path, minutes: int) -> Row:
    """Measured once: the operating system's count hardly varies."""
    video = folder / f"{minutes}min.mp4"
    if not video.is_file():
        write_video(video, _film(60 * FPS * minutes), fps=FPS, preset="ultrafast")
    done = run_command([*LILLIPUT, "predict", str(model), str(video), "--json"])
    return Row(f"predict, {minutes} min", (done.peak / _MIB,), ours=True)


def _film(num_frames: int) -> np.ndarray:
    """Noise that repeats, without holding all of it: (T, H, W, 3)."""
    pattern = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)
    return pattern[np.arange(num_frames) % 8]
