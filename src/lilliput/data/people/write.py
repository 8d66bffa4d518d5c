"""Writes rendered people to disk: clips, and the manifest that every command takes."""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from lilliput.data.motion import read_motions
from lilliput.data.parallel import run_tasks
from lilliput.data.people.captured import Captured
from lilliput.data.people.render import PEOPLE_CLASSES, render_clip
from lilliput.errors import DataError
from lilliput.video.encode import write_video

MANIFEST = "manifest.csv"
_STAMP = "people.json"
_GENERATOR = 5  # raise it whenever the same seed gives other clips
_CLIPS_PER_TASK = 50
_CLIPS_PER_FOLDER = 1000
_VAL_SHARE = 0.05
_Row = tuple[str, str, str, str, str]  # of the manifest
_README = """\
SYNTHETIC DATA. Every clip here was rendered by Lilliput; nothing was filmed.

{count} clips, seed {seed}, generator {generator}, {motions} takes of motion capture.
"""


def write_people(
    root: Path,
    count: int,
    seed: int,
    *,
    motion: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Renders clips into ``root``; finished ones of the same parameters are kept.

    The folder appears when everything in it is complete; an interrupted run leaves none.

    Args:
        root: A folder that does not exist yet, or is empty.
        count: Clips.
        seed: Decides every pixel, whatever the number of workers.
        motion: A file or a folder of motion capture beside the keyed actions.
        workers: Processes; by default one per core.
        progress: Called with the number of newly finished clips.
        tell: Given a line for each file of motion that cannot be read.

    Raises:
        DataError: ``root`` holds something else, or there is no motion in ``motion``.
    """
    stamp: dict[str, object] = {
        "synthetic": True,
        "generator": _GENERATOR,
        "count": count,
        "seed": seed,
        "motions": len(read_motions(motion, tell)) if motion else 0,
        "motion": _digest(motion) if motion else "",
    }
    if root.exists() and _is_finished(root, stamp):
        return
    unfinished = root.absolute().with_name(f".{root.name}.partial-{os.getpid()}")
    try:
        _write_all(unfinished, count, seed, motion, workers or os.cpu_count() or 1, progress)
        (unfinished / _STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        (unfinished / "README.txt").write_text(_README.format(**stamp), encoding="utf-8")
        if root.exists():
            root.rmdir()
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_all(
    root: Path,
    count: int,
    seed: int,
    motion: Path | None,
    workers: int,
    progress: Callable[[int], None] | None,
) -> None:
    root.mkdir(parents=True)
    rows: list[_Row] = []
    tasks = [
        partial(_write_clips, root, seed, range(first, min(first + _CLIPS_PER_TASK, count)), motion)
        for first in range(0, count, _CLIPS_PER_TASK)
    ]
    for finished in run_tasks(tasks, workers):
        rows += finished
        if progress is not None:
            progress(len(finished))
    with (root / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "labels", "split", "group", "id"))
        writer.writerows(sorted(rows))
    classes = {name: number for number, name in enumerate(PEOPLE_CLASSES)}
    (root / "class_map.json").write_text(json.dumps(classes, indent=1), encoding="utf-8")


def _write_clips(root: Path, seed: int, numbers: range, motion: Path | None) -> list[_Row]:
    """Writes clips; returns their rows of the manifest."""
    captured = _read_captured(motion)
    rows = []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        clip = render_clip(rng, captured)
        path = Path(f"{number // _CLIPS_PER_FOLDER:04d}") / f"{number:07d}.mp4"
        (root / path).parent.mkdir(exist_ok=True)
        write_video(root / path, clip.frames, fps=clip.fps, crf=clip.crf, preset="superfast")
        split = "val" if rng.random() < _VAL_SHARE else "train"
        labels = "|".join(clip.labels) or "|"
        rows.append((path.as_posix(), labels, split, f"SYNTHETIC_{number:07d}", path.stem))
    return rows


@lru_cache(maxsize=1)
def _read_captured(motion: Path | None) -> Captured:
    return Captured(read_motions(motion) if motion else ())


def _digest(motion: Path) -> str:
    """Names and sizes of the files of motion."""
    files = sorted(motion.rglob("*")) if motion.is_dir() else [motion]
    listed = [(file.name, file.stat().st_size) for file in files if file.is_file()]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def _is_finished(root: Path, stamp: dict[str, object]) -> bool:
    if not root.is_dir():
        raise DataError(f"{root}: is a file; give a folder for the clips")
    if not any(root.iterdir()):
        return False
    path = root / _STAMP
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError:
        found = None
    if found != stamp:
        raise DataError(f"{root}: holds something else; remove it or give another folder")
    return True
