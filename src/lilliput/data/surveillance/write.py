"""A data set in TinyVIRAT-v2's layout from annotated footage.

::

    class_map.json                     all 26 classes
    tiny_train_v2.json  tiny_val_v2.json
    cut.json                           the settings, and what was left out and why
    videos/<split>/<video_id>/000000.mp4

Entries have what TinyVIRAT-v2's have, and where the clip comes from: ``first_frame`` and ``square``
(left, top, side).
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lilliput.data.class_map import write_class_map
from lilliput.data.clips import Clip
from lilliput.data.labels import LabelSet
from lilliput.data.parallel import run_tasks
from lilliput.data.split import GroupBy, split_groups
from lilliput.data.surveillance.activity import Activity
from lilliput.data.surveillance.annotations import Annotations, VideoFinder, find_annotations
from lilliput.data.surveillance.cut import CutJob, CutResult, cut_recording
from lilliput.data.surveillance.names import CLASS_OF
from lilliput.data.surveillance.plan import ClipPlan, CutRule, plan_clips
from lilliput.data.tinyvirat import CUT_REPORT
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError, VideoError
from lilliput.video.decode import probe

_LABELS = LabelSet.from_names(TINYVIRAT_CLASSES)


@dataclass(frozen=True)
class Division:
    """How clips are divided into training and validation.

    Attributes:
        by: What stays on one side.
        fraction: Share of the clips held out as ``val``; 0 holds nothing out.
        seed: Another seed, another division.
    """

    by: GroupBy = "camera"
    fraction: float = 0.2
    seed: int = 1


@dataclass
class CutReport:
    """What came of it.

    Attributes:
        clips: Clips written, by split.
        problems: Recordings that were skipped or are not whole, one line each.
        left_out: Activities and clips that were left out, by reason.
        without_class: Activities that TinyVIRAT has no class for, by name.
        unknown: Activities of names that nobody mapped, by name.
    """

    clips: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    without_class: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Planned:
    recording: str
    video: Path
    clips: Sequence[ClipPlan]


def write_tinyvirat(
    videos: Path,
    annotations: Path,
    out: Path,
    *,
    rule: CutRule,
    division: Division,
    names: Mapping[str, str | None] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> CutReport:
    """Cuts all recordings of a folder; one that cannot be used is skipped and listed.

    Args:
        videos: Folder of the recordings; those in folders in it count.
        annotations: Folder of KPF's or VIRAT's annotations, likewise.
        out: A folder that does not exist yet, or is empty.
        rule: What is cut.
        division: What is held out.
        names: Classes of activities, by names in small letters, before those that are known.
        workers: Processes that decode, a recording each.
        progress: Told how many recordings are cut, of how many.

    Raises:
        DataError: There are no annotations or videos, nothing is left to cut, or ``out`` holds
            something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: holds something already; give a new folder")
    report = CutReport()
    class_of = {**CLASS_OF, **(names or {})}
    find_video = VideoFinder(videos)
    planned: list[_Planned] = []
    for found in find_annotations(annotations):
        try:
            if any(found.recording == other.recording for other in planned):
                raise DataError(
                    f"{found.path}: '{found.recording}' is annotated twice; give one set of "
                    "annotations"
                )
            planned.append(_plan(found, find_video, class_of, rule, report))
        except (DataError, VideoError) as error:
            report.problems.append(str(error))
    jobs = _assign(planned, out, division, report)
    tasks = [partial(cut_recording, job, rule.min_frames) for job in jobs]
    results = []
    for result in run_tasks(tasks, workers):
        results.append(result)
        progress(len(results), len(tasks))
    _write_lists(results, out, report)
    settings = {"rule": asdict(rule), "division": asdict(division)}
    content = json.dumps({**settings, "report": vars(report)}, indent=2)
    (out / CUT_REPORT).write_text(content + "\n", encoding="utf-8")
    return report


def _plan(
    found: Annotations,
    find_video: VideoFinder,
    class_of: Mapping[str, str | None],
    rule: CutRule,
    report: CutReport,
) -> _Planned:
    video = find_video(found.recording)
    info = probe(video)
    activities = found.read(report.left_out)
    known = _known(activities, class_of, report)
    clips, left_out = plan_clips(activities, known, (info.width, info.height), rule)
    report.left_out += left_out
    return _Planned(found.recording, video, clips)


def _known(
    activities: Sequence[Activity], class_of: Mapping[str, str | None], report: CutReport
) -> dict[str, str]:
    """The class of each name that has one; others are counted."""
    known = {}
    for activity in activities:
        label = class_of.get(activity.name.lower())
        if label is not None:
            known[activity.name] = label
        elif activity.name.lower() in class_of:
            report.without_class[activity.name] += 1
        else:
            report.unknown[activity.name] += 1
    return known


def _assign(
    planned: Sequence[_Planned], out: Path, division: Division, report: CutReport
) -> list[CutJob]:
    """Gives every clip its split and file; ids restart in each split, as TinyVIRAT's do."""
    owners = [(one, plan) for one in planned for plan in one.clips]
    if not owners:
        cause = report.problems[0] if report.problems else _reasons(report)
        raise DataError(f"nothing to cut: {cause}")
    indexed = [
        Clip(str(number), one.video, tuple(sorted(map(_LABELS.index, plan.labels))), one.recording)
        for number, (one, plan) in enumerate(owners)
    ]
    held_out = {clip.recording for clip in _hold_out(indexed, division)}
    numbers: Counter[str] = Counter()
    jobs = []
    for one in planned:
        split = "val" if one.recording in held_out else "train"
        folder = out / "videos" / split / one.recording
        files = [folder / f"{numbers[split] + at:06d}.mp4" for at in range(len(one.clips))]
        numbers[split] += len(files)
        if files:
            jobs.append(CutJob(one.video, one.clips, files))
    return jobs


def _hold_out(clips: Sequence[Clip], division: Division) -> Sequence[Clip]:
    if division.fraction == 0:
        return ()
    groups = [clip.camera if division.by == "camera" else clip.recording for clip in clips]
    try:
        return split_groups(clips, groups, fraction=division.fraction, seed=division.seed)[1]
    except DataError as error:
        raise DataError(f"{error}; divide by recording, or hold out a fraction of 0") from None


def _reasons(report: CutReport) -> str:
    counts = {**report.left_out, **report.without_class, **report.unknown}
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"all is left out ({shown or 'there are no activities'}); give other annotations"


def _write_lists(results: Sequence[CutResult], out: Path, report: CutReport) -> None:
    entries: dict[str, list[dict[str, Any]]] = {"train": []}
    for result in sorted(results, key=lambda result: result.job.files[0]):
        if result.problem is not None:
            report.problems.append(result.problem)
        for plan, file, length in zip(
            result.job.clips, result.job.files, result.num_frames, strict=True
        ):
            split, recording = file.parts[-3:-1]
            if length:
                entries.setdefault(split, []).append(_entry(plan, file, recording, length))
    if not any(entries.values()):
        raise DataError(f"nothing could be cut: {report.problems[0]}")
    for split, listed in entries.items():
        listed.sort(key=lambda entry: str(entry["id"]))
        (out / f"tiny_{split}_v2.json").write_text(json.dumps(listed, indent=0), encoding="utf-8")
        report.clips[split] = len(listed)
    write_class_map(out / "class_map.json", _LABELS)


def _entry(plan: ClipPlan, file: Path, recording: str, num_frames: int) -> dict[str, Any]:
    side = plan.square.side
    return {
        "id": file.stem,
        "video_id": recording,
        "path": f"{recording}/{file.name}",
        "dim": [num_frames, side, side],
        "label": sorted(plan.labels, key=_LABELS.index),
        "first_frame": plan.first_frame,
        "square": list(plan.square),
    }
