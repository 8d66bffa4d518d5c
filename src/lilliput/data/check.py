"""Looks for what spoils a training silently: broken files, wrong labels, leaks between splits."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lilliput.data import published
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.folder import find_other_folders
from lilliput.data.frames import Fault, PackedClip
from lilliput.data.leaks import Shared, find_shared
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import VideoError
from lilliput.video.decode import VideoReader, check_clip_length


@dataclass(frozen=True)
class CheckReport:
    """Everything found. ``findings`` are faults; what is shared between splits is a warning.

    Attributes:
        clips: Clips listed.
        average_frames: Over all decodable clips.
        missing: Listed files that do not exist.
        empty: Files of 0 bytes, splits without clips, and what is odd about class folders.
        corrupt: Clips that do not decode to their end or were damaged in a pack, with the cause.
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
    fault: Fault | None = None
    cause: str = ""
    digest: str | None = None


def check(dataset: VideoDataset, on_clip: Callable[[], None] = lambda: None) -> CheckReport:
    """Decodes every clip, or compares a packed one with its checksum.

    Args:
        dataset: The clips.
        on_clip: Called after each clip.
    """
    inspections = {split: _inspect_all(clips, on_clip) for split, clips in dataset.splits.items()}
    everything = [item for items in inspections.values() for item in items]
    lengths = [item.num_frames for item in everything if item.num_frames]
    causes: dict[str, list[str]] = {"missing": [], "empty": [], "corrupt": []}
    for item in everything:
        if item.fault is not None:
            causes[item.fault].append(item.cause)
    causes["empty"] += [f"split '{name}' has no clips" for name, i in inspections.items() if not i]
    causes["empty"] += find_odd_classes(dataset)
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


def find_odd_classes(dataset: VideoDataset) -> list[str]:
    """What looks wrong about a folder per class, one line each; lists may have such classes.

    Classes without clips, folders that are no class, and names that a slip of the keyboard or
    another file system has made two of one.
    """
    if dataset.layout != "folder per class":
        return []
    used = {label for clips in dataset.splits.values() for c in clips for label in c.labels or ()}
    names = dataset.labels.class_names
    is_on_disk = all(clip.packed is None for clips in dataset.splits.values() for clip in clips)
    others = find_other_folders(dataset.root) if is_on_disk else []
    return [
        *(f"class '{name}' has no clips" for i, name in enumerate(names) if i not in used),
        *(f"{folder}: holds no videos, so is no class" for folder in others),
        *_much_alike(names),
    ]


def _much_alike(names: Sequence[str]) -> list[str]:
    by_look: dict[str, list[str]] = {}
    for name in names:
        by_look.setdefault(" ".join(name.split()).casefold(), []).append(repr(name))
    return [
        f"classes {' and '.join(alike)} differ in capitals or blanks only; rename one"
        for alike in by_look.values()
        if len(alike) > 1
    ]


def _inspect_all(clips: Sequence[Clip], on_clip: Callable[[], None]) -> list[_Inspection]:
    inspections = []
    # Threads suffice: PyAV lets go of the interpreter while it decodes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for inspection in pool.map(_inspect, clips):
            inspections.append(inspection)
            on_clip()
    return inspections


def _inspect(clip: Clip) -> _Inspection:
    return _inspect_file(clip) if clip.packed is None else _inspect_packed(clip, clip.packed)


def _inspect_file(clip: Clip) -> _Inspection:
    """Decodes and converts every frame, one at a time."""
    num_frames, path = 0, clip.path
    try:
        with VideoReader(path, clip.part) as reader:
            digest = digest_of_clip(clip)
            for frame in reader:
                num_frames += 1
                check_clip_length(path, num_frames, frame.nbytes)
    except (VideoError, OSError) as error:
        return _Inspection(fault=fault_of(path), cause=str(error))
    if reader.damage is not None:
        return _Inspection(num_frames, "corrupt", f"{path}: {reader.damage}", digest)
    return _Inspection(num_frames, digest=digest)


def _inspect_packed(clip: Clip, packed: PackedClip) -> _Inspection:
    """Compares the frames with their checksum."""
    frames, digest = packed.frames, packed.file_digest
    if frames is None:
        return _Inspection(fault=packed.fault, cause=str(packed.error))
    if not frames.is_intact:
        cause = f"{frames.file.path}: the frames of {clip.path} are damaged; pack again"
        return _Inspection(len(frames), "corrupt", cause, digest)
    if frames.damage is not None:
        return _Inspection(len(frames), "corrupt", f"{clip.path}: {frames.damage}", digest)
    return _Inspection(len(frames), digest=digest)


def fault_of(path: Path) -> Fault:
    """What kind of fault keeps a video file from being read."""
    if not path.is_file():
        return "missing"
    return "corrupt" if path.stat().st_size else "empty"


def digest_of_clip(clip: Clip) -> str | None:
    """SHA-256 of its file, in hexadecimal digits; None for a part, as others are of that file."""
    if clip.part is not None:
        return None
    with clip.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
