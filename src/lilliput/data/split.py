"""New validation splits that keep a recording, or a camera, on one side.

TinyVIRAT's published validation split flatters: models reach an F1 of 0.75 there and 0.30 to
0.35 on test (thesis section 5.1). Clips of one recording look alike; split by recording or
by camera and the validation score tells more about new footage.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from lilliput.data.clips import Clip, VideoDataset
from lilliput.errors import DataError

GroupBy = Literal["recording", "camera"]


def resplit(
    dataset: VideoDataset, by: GroupBy, *, fraction: float = 0.2, seed: int = 1
) -> VideoDataset:
    """Pools training and validation clips and divides them anew, group by group.

    Other splits stay as they are. Pooled clips are renamed ``<old split>/<id>``, since ids
    restart in every split of TinyVIRAT.

    Raises:
        DataError: No labelled training split, or all its clips belong to one group.
    """
    clips = pool_splits(dataset, "train", "val")
    groups = [clip.camera if by == "camera" else clip.recording for clip in clips]
    train, val = split_groups(clips, groups, fraction=fraction, seed=seed)
    return replace(dataset, splits={**dataset.splits, "train": train, "val": val})


def pool_splits(dataset: VideoDataset, train: str, val: str) -> list[Clip]:
    """The clips of both splits, renamed ``<split>/<id>``; of ``train`` alone if ``val`` is empty.

    Raises:
        DataError: There is no training split, or labels are withheld.
    """
    return [
        replace(clip, clip_id=f"{name}/{clip.clip_id}")
        for name in dict.fromkeys((train, val))
        if name == train or dataset.splits.get(name)
        for clip in dataset.split(name)
    ]


def split_groups(
    clips: Sequence[Clip], groups: Sequence[str], *, fraction: float = 0.2, seed: int = 1
) -> tuple[list[Clip], list[Clip]]:
    """Moves whole groups to validation until it holds about ``fraction`` of every class.

    Greedy: of the groups, in a random order, each goes to validation when that brings the
    label counts closer to the wanted ones.

    Args:
        clips: Labelled clips.
        groups: The group of each clip.
        fraction: Share of clips that validation should hold.
        seed: Fixes the order in which groups are tried.

    Returns:
        The training and the validation clips, each in the given order.

    Raises:
        DataError: There is only one group, so nothing can be held out.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        raise DataError(f"all {len(clips)} clips belong to one group; nothing can be held out")
    counts = label_counts(clips, groups, names)
    wanted = counts.sum(axis=0) * fraction
    scale = np.maximum(wanted, 1.0)
    held_out: list[int] = []
    total = np.zeros_like(wanted)
    for group in np.random.default_rng(seed).permutation(len(names)):
        before = np.square((total - wanted) / scale).sum()
        after = np.square((total + counts[group] - wanted) / scale).sum()
        if after < before and len(held_out) < len(names) - 1:
            held_out.append(int(group))
            total = total + counts[group]
    if not held_out:  # every group is larger than the wanted share: take the smallest
        held_out = [int(counts[:, -1].argmin())]
    chosen = {names[group] for group in held_out}
    train = [clip for clip, group in zip(clips, groups, strict=True) if group not in chosen]
    val = [clip for clip, group in zip(clips, groups, strict=True) if group in chosen]
    return train, val


def label_counts(clips: Sequence[Clip], groups: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(G, K + 1): labels of each class in each group; the last column counts clips."""
    num_classes = 1 + max((label for clip in clips for label in clip.labels or ()), default=-1)
    counts = np.zeros((len(names), num_classes + 1))
    row = {name: position for position, name in enumerate(names)}
    for clip, group in zip(clips, groups, strict=True):
        counts[row[group], list(clip.labels or ())] += 1
        counts[row[group], -1] += 1
    return counts
