"""Writes the synthetic data set to disk, in TinyVIRAT-v2's layout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lilliput.data.parallel import run_tasks
from lilliput.data.synthetic.motion import FPS
from lilliput.data.synthetic.plan import SPLITS, ClipPlan, plan_dataset
from lilliput.data.synthetic.render import render_clip, stage
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError
from lilliput.video.encode import write_video

_STAMP = "synthetic.json"
_GENERATOR = 1  # raise it whenever the same seed gives other clips
_CLIPS_PER_TASK = 12  # two recordings, so that a worker draws their backgrounds once
_README = """\
SYNTHETIC DATA. Every clip here was rendered by Lilliput; nothing was filmed.

seed {seed}; {train} training, {val} validation and {test} test clips; generator {generator}.

The layout is TinyVIRAT-v2's. The test split comes from other scenes, smaller, darker and noisier.
tiny_test_v2_public.json withholds its labels, as the challenge does; tiny_test_v2.json has them.
Scores on these clips say nothing about real footage.
"""


def write_synthetic(
    root: Path,
    *,
    num_train: int,
    num_val: int,
    num_test: int,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Renders the data set into ``root``; a finished one of the same parameters is kept.

    The folder appears when everything in it is complete; an interrupted run leaves none.

    Args:
        root: A folder that does not exist yet, or is empty.
        num_train: Clips to train on.
        num_val: Validation clips; a part of them from cameras of the training split.
        num_test: Test clips, from other cameras.
        seed: Decides every pixel, whatever the number of workers.
        workers: Processes; by default one per core.
        progress: Called with the number of newly finished clips.

    Raises:
        DataError: ``root`` holds something else, or a number of clips is negative.
    """
    num_clips = {"train": num_train, "val": num_val, "test": num_test}
    if min(num_clips.values()) < 0:
        raise DataError(f"{root}: a split cannot have fewer than 0 clips; got {num_clips}")
    stamp = {"synthetic": True, "generator": _GENERATOR, "seed": seed, **num_clips}
    if root.exists() and _is_finished(root, stamp):
        return
    unfinished = root.absolute().with_name(f".{root.name}.partial-{os.getpid()}")
    try:
        _write_all(
            unfinished, plan_dataset(num_clips, seed), workers or os.cpu_count() or 1, progress
        )
        _write_json(unfinished / _STAMP, stamp)
        (unfinished / "README.txt").write_text(_README.format(**stamp), encoding="utf-8")
        if root.exists():
            root.rmdir()
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def clip_path(plan: ClipPlan) -> Path:
    """Path of the clip below ``videos/<split>``; training numbers have six digits."""
    if plan.split == "test":
        return Path(f"{plan.number:05d}.mp4")
    return Path(plan.recording.name) / f"{_clip_id(plan)}.mp4"


def _is_finished(root: Path, stamp: Mapping[str, Any]) -> bool:
    if not root.is_dir():
        raise DataError(f"{root}: is a file; give a folder for the synthetic data")
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


def _write_all(
    root: Path,
    plans: Mapping[str, list[ClipPlan]],
    workers: int,
    progress: Callable[[int], None] | None,
) -> None:
    root.mkdir(parents=True)
    for split in SPLITS:
        (root / "videos" / split).mkdir(parents=True)
    flat = [plan for split in SPLITS for plan in plans[split]]
    tasks = [flat[i : i + _CLIPS_PER_TASK] for i in range(0, len(flat), _CLIPS_PER_TASK)]
    entries: dict[ClipPlan, dict[str, Any]] = {}
    for finished in run_tasks([partial(_write_clips, root, task) for task in tasks], workers):
        entries.update(finished)
        if progress is not None:
            progress(len(finished))
    _write_json(root / "class_map.json", {name: i for i, name in enumerate(TINYVIRAT_CLASSES)})
    for split in SPLITS:
        _write_json(root / f"tiny_{split}_v2.json", [entries[plan] for plan in plans[split]])
    withheld = ("label", "video_id")
    public = [
        {key: value for key, value in entries[plan].items() if key not in withheld}
        for plan in plans["test"]
    ]
    _write_json(root / "tiny_test_v2_public.json", public)


def _write_clips(root: Path, plans: list[ClipPlan]) -> dict[ClipPlan, dict[str, Any]]:
    for plan in plans:
        path = root / "videos" / plan.split / clip_path(plan)
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = render_clip(plan).transpose(0, 2, 3, 1)
        write_video(path, frames, fps=FPS, crf=plan.recording.crf, preset="superfast")
    return {plan: _entry(plan) for plan in plans}


def _entry(plan: ClipPlan) -> dict[str, Any]:
    return {
        "id": _clip_id(plan),
        "video_id": plan.recording.name,
        "path": clip_path(plan).as_posix(),
        "dim": [plan.num_frames, plan.size, plan.size],
        "label": sorted(stage(plan).labels, key=TINYVIRAT_CLASSES.index),
    }


def _clip_id(plan: ClipPlan) -> str:
    return f"{plan.number:0{6 if plan.split == 'train' else 5}d}"


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
