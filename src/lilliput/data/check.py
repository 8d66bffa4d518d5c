"""Looks for what spoils a training silently: broken files, wrong labels, leaks between splits."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lilliput.data import published
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.leaks import Shared, find_shared
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import VideoError
from lilliput.video.decode import VideoReader


@dataclass(frozen=True)
class CheckReport:
    """Everything found. ``findings`` are faults; what is shared between splits is a warning.

    Attributes:
        clips: Clips listed.
        average_frames: Over all decodable clips.
        missing: Listed files that do not exist.
        empty: Files of 0 bytes, and splits without clips.
        corrupt: Files that do not decode to their end, each with the cause.
        mislabelled: Entries the reader refused.
        differences: Where counts depart from the thesis' tables 4.1 and 4.2.
        comparison: What was compared with the tables, or why nothing was.
        shared: What splits have in common.
        without_label: Clips whose list of labels is empty: background, or forgotten.
    """

    clips: int
    average_frames: float
    missing: tuple[str, ...]
    empty: tuple[str, ...]
    corrupt: tuple[str, ...]
    mislabelled: tuple[str, ...]
    differences: tuple[str, ...]
    comparison: str
    shared: tuple[Shared, ...]
    without_label: int

    @property
    def findings(self) -> dict[str, tuple[str, ...]]:
        """The faults by kind, those kinds left out that have none."""
        kinds = ("missing", "empty", "corrupt", "mislabelled", "differences")
        return {kind: getattr(self, kind) for kind in kinds if getattr(self, kind)}


@dataclass(frozen=True)
class _Inspection:
    """One decoded file: the kind of its fault, if any, and a digest of its bytes."""

    num_frames: int = 0
    fault: str | None = None
    cause: str = ""
    digest: str | None = None


def check(dataset: VideoDataset, on_clip: Callable[[], None] = lambda: None) -> CheckReport:
    """Decodes every frame of every clip; ``on_clip`` is called after each clip."""
    inspections = {split: _inspect_all(clips, on_clip) for split, clips in dataset.splits.items()}
    everything = [item for items in inspections.values() for item in items]
    lengths = [item.num_frames for item in everything if item.num_frames]
    causes: dict[str, list[str]] = {"missing": [], "empty": [], "corrupt": []}
    for item in everything:
        if item.fault is not None:
            causes[item.fault].append(item.cause)
    causes["empty"] += [f"split '{name}' has no clips" for name, i in inspections.items() if not i]
    digests = {split: [item.digest for item in items] for split, items in inspections.items()}
    comparison, differences = compare_with_tables(dataset)
    return CheckReport(
        clips=len(everything),
        average_frames=sum(lengths) / max(1, len(lengths)),
        missing=tuple(causes["missing"]),
        empty=tuple(causes["empty"]),
        corrupt=tuple(causes["corrupt"]),
        mislabelled=dataset.problems,
        differences=tuple(differences),
        comparison=comparison,
        shared=tuple(find_shared(dataset.splits, digests)),
        without_label=sum(c.labels == () for clips in dataset.splits.values() for c in clips),
    )


def compare_with_tables(dataset: VideoDataset) -> tuple[str, list[str]]:
    """Compares clips per split and class with tables 4.1 and 4.2.

    Returns:
        What was compared, or why nothing was, and one line for each difference.
    """
    expected = published.CLIPS_PER_SPLIT.get(dataset.layout)
    if expected is None or set(dataset.labels.class_names) != set(TINYVIRAT_CLASSES):
        return "tables 4.1 and 4.2 do not apply: not TinyVIRAT and its 26 classes", []
    if dataset.synthetic:
        return "tables 4.1 and 4.2 do not apply: a synthetic set", []
    differences = [
        f"split '{split}' has {len(dataset.splits.get(split, ()))} clips, table 4.1 says {count}"
        for split, count in expected.items()
        if len(dataset.splits.get(split, ())) != count
    ]
    average = f"table 4.1 says {published.AVERAGE_FRAMES[dataset.layout]} frames"
    if dataset.layout != "TinyVIRAT-v2":
        return f"{average}; clips per split compared with table 4.1", differences
    for column, split in enumerate(("train", "val")):
        counts = Counter(
            label for clip in dataset.splits.get(split, ()) for label in clip.labels or ()
        )
        for label, name in enumerate(dataset.labels.class_names):
            count = published.CLIPS_PER_CLASS[name][column]
            if counts[label] != count:
                differences.append(
                    f"{name} has {counts[label]} clips in '{split}', table 4.2 says {count}"
                )
    return f"{average}; clips per split and class compared with 4.1 and 4.2", differences


def _inspect_all(clips: Sequence[Clip], on_clip: Callable[[], None]) -> list[_Inspection]:
    inspections = []
    # Threads suffice: PyAV lets go of the interpreter while it decodes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for inspection in pool.map(_inspect, clips):
            inspections.append(inspection)
            on_clip()
    return inspections


def _inspect(clip: Clip) -> _Inspection:
    if not clip.path.is_file():
        return _Inspection(fault="missing", cause=f"{clip.path}: no such file")
    if clip.path.stat().st_size == 0:
        return _Inspection(fault="empty", cause=f"{clip.path}: 0 bytes")
    try:
        with clip.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with VideoReader(clip.path) as reader:
            num_frames = sum(1 for _ in reader)
    except (VideoError, OSError) as error:
        return _Inspection(fault="corrupt", cause=str(error))
    if reader.damage is not None:
        return _Inspection(num_frames, "corrupt", f"{clip.path}: {reader.damage}", digest)
    return _Inspection(num_frames, digest=digest)
