"""Writes untrimmed synthetic footage and what is true of it to disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lilliput.data.spans import COLUMNS
from lilliput.data.synthetic.footage import (
    ActorTruth,
    FootagePlan,
    plan_footage,
    render_footage,
    truth,
)
from lilliput.data.synthetic.motion import FPS
from lilliput.errors import DataError
from lilliput.video.encode import VideoWriter


def write_footage(
    out: Path,
    count: int,
    seed: int = 1,
    *,
    seconds: float = 30.0,
    progress: Callable[[], None] | None = None,
) -> None:
    """Renders recordings ``synthetic-0000.mp4`` and so on, with their truth.

    ``spans.csv`` names all actions (see ``lilliput.data.spans``). ``tubelets.json`` holds, for
    each recording, its actors with their boxes and actions::

        {"synthetic": true, "fps": 30, "recordings": {"synthetic-0000": [
            {"first_frame": 60, "boxes": [[left, top, right, bottom], ...],
             "actions": [{"start_frame": 60, "end_frame": 99, "action": "activity_walking"}]}]}}

    Args:
        out: A folder that does not exist yet, or is empty.
        count: How many recordings.
        seed: Decides every pixel.
        seconds: Length of each.
        progress: Called after each recording.

    Raises:
        DataError: ``out`` holds something, or the recordings would be too short.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: holds something already; remove it or give another folder")
    plans = [plan_footage(seed, number, seconds=seconds) for number in range(count)]
    out.mkdir(parents=True, exist_ok=True)
    actors = {plan.recording.name: truth(plan) for plan in plans}
    for plan in plans:
        _write_video(out / f"{plan.recording.name}.mp4", plan)
        if progress is not None:
            progress()
    with (out / "spans.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for name, present in actors.items():
            spans = [span for actor in present for span in actor.spans]
            table.writerows([name, s.start_frame, s.end_frame, s.action] for s in spans)
    content = {
        "synthetic": True,
        "fps": FPS,
        "recordings": {name: [_plain(one) for one in all_] for name, all_ in actors.items()},
    }
    (out / "tubelets.json").write_text(json.dumps(content), encoding="utf-8")


def _write_video(path: Path, plan: FootagePlan) -> None:
    crf = plan.recording.crf
    with VideoWriter(path, plan.size, fps=FPS, crf=crf, preset="superfast") as video:
        for picture in render_footage(plan):
            video.add(picture)


def _plain(actor: ActorTruth) -> dict[str, Any]:
    return {
        "first_frame": actor.first_frame,
        "boxes": actor.boxes.tolist(),
        "actions": [vars(span) for span in actor.spans],
    }
