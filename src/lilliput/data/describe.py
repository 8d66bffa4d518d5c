"""What a data set holds: the numbers of the thesis' tables 4.1 and 4.2, figures 4.4 and 4.5.

Sizes and lengths come from the files' headers, so thousands of clips take seconds; whether
they decode is the business of ``check.py``.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lilliput.data.clips import Clip, VideoDataset, targets_matrix
from lilliput.errors import VideoError
from lilliput.video.decode import VideoInfo

RESOLUTION_GROUPS = ("0–20", "20–40", "40–60", "60–80", "80–100", "100–128", ">128")
_GROUP_STARTS = (20, 40, 60, 80, 100, 129)  # figure 4.5's six groups, and what is larger


@dataclass(frozen=True)
class SplitSummary:
    """One split in numbers.

    Attributes:
        clips: How many it lists.
        readable: How many of them could be opened; frames and sides speak of these.
        frames: Mean, least and most frames of a clip; zeros when none is readable.
        sides_px: Shortest and longest side of any clip.
        clips_per_resolution: Readable clips of each of ``RESOLUTION_GROUPS``, by short side.
        labels_per_clip: Mean number of labels, or None where labels are withheld.
        multi_label: Whether any clip has several labels, or None likewise.
        clips_per_class: Listed clips that carry each class, or None likewise.
        class_resolutions: ``[class][group]``, readable clips, or None likewise.
    """

    clips: int
    readable: int
    frames: tuple[float, int, int]
    sides_px: tuple[int, int]
    clips_per_resolution: tuple[int, ...]
    labels_per_clip: float | None = None
    multi_label: bool | None = None
    clips_per_class: tuple[int, ...] | None = None
    class_resolutions: tuple[tuple[int, ...], ...] | None = None

    @property
    def labelled(self) -> bool:
        """Whether the labels are given."""
        return self.clips_per_class is not None


@dataclass(frozen=True)
class Description:
    """A data set in numbers.

    Attributes:
        layout: Which reader understood it.
        class_names: In the order of every per-class tuple.
        splits: A summary of each split.
        unreadable: One line for each clip that could not be opened.
        problems: Entries that the reader left out.
    """

    layout: str
    class_names: tuple[str, ...]
    splits: Mapping[str, SplitSummary]
    unreadable: tuple[str, ...]
    problems: tuple[str, ...]


def describe(dataset: VideoDataset, on_clip: Callable[[], None] = lambda: None) -> Description:
    """Opens every clip's header and counts; ``on_clip`` is called after each clip."""
    names = dataset.labels.class_names
    splits: dict[str, SplitSummary] = {}
    unreadable: list[str] = []
    for split, clips in dataset.splits.items():
        infos = _probe_all(clips, unreadable, on_clip)
        splits[split] = _summarise(clips, infos, len(names))
    return Description(dataset.layout, names, splits, tuple(unreadable), dataset.problems)


def resolution_group(side_px: int) -> int:
    """The index in ``RESOLUTION_GROUPS`` of a clip with this short side."""
    return int(np.searchsorted(_GROUP_STARTS, side_px, side="right"))


def _probe_all(
    clips: Sequence[Clip], unreadable: list[str], on_clip: Callable[[], None]
) -> list[VideoInfo | None]:
    infos: list[VideoInfo | None] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(_probe, clips):
            if isinstance(outcome, VideoError):
                unreadable.append(str(outcome))
            infos.append(outcome if isinstance(outcome, VideoInfo) else None)
            on_clip()
    return infos


def _probe(clip: Clip) -> VideoInfo | VideoError:
    try:
        return clip.probe()
    except VideoError as error:
        return error


def _summarise(
    clips: Sequence[Clip], infos: Sequence[VideoInfo | None], num_classes: int
) -> SplitSummary:
    known = [info for info in infos if info is not None]
    frames = [info.num_frames for info in known] or [0]
    sides = [side for info in known for side in (info.width, info.height)] or [0]
    groups = np.zeros((len(clips), len(RESOLUTION_GROUPS)), dtype=np.int64)  # one-hot rows
    for row, info in enumerate(infos):
        if info is not None:
            groups[row, resolution_group(min(info.width, info.height))] = 1
    summary = SplitSummary(
        clips=len(clips),
        readable=len(known),
        frames=(float(np.mean(frames)), min(frames), max(frames)),
        sides_px=(min(sides), max(sides)),
        clips_per_resolution=tuple(groups.sum(axis=0).tolist()),
    )
    if not clips or any(clip.labels is None for clip in clips):
        return summary
    targets = targets_matrix(clips, num_classes).astype(np.int64)
    return replace(
        summary,
        labels_per_clip=float(targets.sum(axis=1).mean()),
        multi_label=bool((targets.sum(axis=1) > 1).any()),
        clips_per_class=tuple(targets.sum(axis=0).tolist()),
        class_resolutions=tuple(map(tuple, (targets.T @ groups).tolist())),
    )
