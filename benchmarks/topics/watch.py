"""Watching: many times faster than real time, in memory that does not grow with the footage."""

import shutil
from pathlib import Path

from benchmarks.commands import LILLIPUT, run_command
from benchmarks.context import Context
from benchmarks.tables import Claim, Row, Table
from lilliput.data.synthetic.footage import plan_footage, render_footage
from lilliput.data.synthetic.motion import FPS
from lilliput.video.encode import VideoWriter
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.footage import open_footage
from lilliput.watch.writers import WRITERS

REAL_TIME = "real time"
_MIB = 2**20


def run(context: Context) -> list[Table]:
    footage = context.footage or _render(context.folder, context.count(60, 15))
    camera = CameraSettings(name="footage", source=str(footage))
    with open_footage(camera) as opened:
        seconds, size = opened.duration_seconds, opened.size
    assert seconds is not None  # a file says how long it is
    work = f"{footage.name}, {size[0]}×{size[1]} px at full size, {seconds:.0f} s"
    return [_speed(context, footage, seconds, work), _memory(context, footage, work)]


def _speed(context: Context, footage: Path, seconds: float, work: str) -> Table:
    rows = [Row(REAL_TIME, (1.0,))]
    for name, options in {
        "motion": ("--detector", "motion", "--write", "report"),
        "motion, every format": ("--detector", "motion", *_every_format()),
        "whole frame": ("--detector", "none", "--write", "report"),
        "people": ("--detector", "people", "--write", "report"),
    }.items():
        rows.append(_measure(context, footage, seconds, name, options))
    text = "Watching with the motion detector and every format, against real time"
    claim = Claim(text, "motion, every format", REAL_TIME, 1)
    return Table(
        "Speed of `lilliput watch`",
        f"{work}; the shipped model, all cores; from the start of the process to its end.",
        "times real time",
        tuple(rows),
        baseline=REAL_TIME,
        higher_is_better=True,
        claims=(claim,),
    )


def _memory(context: Context, footage: Path, work: str) -> Table:
    times = context.count(6, 2)
    long = context.folder / "long.mp4"
    rows = []
    for name, video in (("once", footage), (f"{times} times", _repeat(footage, long, times))):
        _, peak = _watch(context.folder, video, "--detector", "motion", *_every_format())
        rows.append(Row(name, (peak / _MIB,), ours=True))
    once, often = (row.name for row in rows)
    text = f"Peak memory of watching {times} times the footage, every format (± 10 %)"
    return Table(
        "Peak memory of `lilliput watch`",
        f"{work}, once and repeated without a break; resident memory of the whole process.",
        "MiB",
        tuple(rows),
        baseline=once,
        claims=(Claim(text, often, once, 0.9, 1.1),),
    )


def _measure(
    context: Context, footage: Path, seconds: float, name: str, options: tuple[str, ...]
) -> Row:
    try:
        took = [_watch(context.folder, footage, *options)[0] for _ in range(context.count(3, 1))]
    except RuntimeError as error:  # a package that is missing, such as the people detector's
        return Row(name, ours=True, note=f"not measured: {error}")
    return Row(name, tuple(seconds / each for each in took), ours=True)


def _watch(folder: Path, footage: Path, *options: str) -> tuple[float, int]:
    """Seconds and peak bytes of the whole command."""
    out = folder / "watched"
    command = [*LILLIPUT, "watch", "synthetic", str(footage), "--out", str(out), *options]
    done = run_command(command)
    shutil.rmtree(out)
    return done.seconds, done.peak


def _every_format() -> tuple[str, ...]:
    return tuple(word for name in WRITERS if name != "jsonl" for word in ("--write", name))


def _render(folder: Path, seconds: int) -> Path:
    """A rendered recording of several actors."""
    plan = plan_footage(1, seconds=seconds)
    path = folder / "rendered.mp4"
    with VideoWriter(path, plan.size, fps=FPS, crf=23, preset="superfast") as video:
        for picture in render_footage(plan):
            video.add(picture)
    return path


def _repeat(footage: Path, path: Path, times: int) -> Path:
    """The same pictures again and again."""
    camera = CameraSettings(name="footage", source=str(footage), max_fps=1000)
    video: VideoWriter | None = None
    for _ in range(times):
        with open_footage(camera) as opened:
            if video is None:
                video = VideoWriter(path, opened.size, fps=opened.fps, preset="ultrafast")
            for frame in opened:
                video.add(frame.pixels)
    assert video is not None
    video.close()
    return path
