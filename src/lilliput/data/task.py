"""How many labels a clip has: one, or any number. And whether the labels can be learned at all."""

from collections.abc import Iterable
from typing import Literal

from lilliput.data.clips import VideoDataset, targets_matrix
from lilliput.errors import DataError
from lilliput.task import Task


def find_task(
    dataset: VideoDataset, splits: Iterable[str], wanted: Literal["auto", "single", "multi"]
) -> Task:
    """The task that the labels of these splits allow.

    Args:
        dataset: The clips.
        splits: Labeled splits.
        wanted: ``"auto"`` is single where each clip has exactly one label, else multi.

    Raises:
        DataError: ``"single"`` is wanted, and a clip has several labels or none; a split is
            missing, empty or without labels.
    """
    clips = [clip for split in splits for clip in dataset.split(split)]
    if wanted == "multi":
        return "multi"
    other = next((clip for clip in clips if len(clip.labels or ()) != 1), None)
    if other is None:
        return "single"
    if wanted == "single":
        names = [dataset.labels.class_names[label] for label in other.labels or ()]
        raise DataError(
            f"task = 'single', but clip {other.clip_id} has "
            f"{'the labels ' + ', '.join(names) if names else 'no label'}; give each clip one "
            "label, or set task = 'multi'"
        )
    return "multi"


def check_learnable(dataset: VideoDataset, train: str, val: str, task: Task) -> tuple[str, ...]:
    """Looks for classes that cannot be learned or judged, before anything is decoded.

    Args:
        dataset: The clips.
        train: The training split.
        val: The validation split; empty for a training without one.
        task: How many labels a clip has. Published multi-label sets have classes without clips,
            which count 0; so there these are told, not refused.

    Returns:
        One line for each such class of a multi-label set.

    Raises:
        DataError: A class of single-label clips has fewer than two training clips, or no
            validation clip; all training clips are of one class, or no clip of a split has a
            label.
    """
    names = dataset.labels.class_names
    in_train = _clips_per_class(dataset, train)
    in_val = _clips_per_class(dataset, val) if val else in_train
    used = [name for name, count in zip(names, in_train, strict=True) if count]
    if task == "single" and len(used) < 2:
        other = next((f"class '{name}'" for name in names if name not in used), "another class")
        raise DataError(
            f"{dataset.root}: all clips of '{train}' are of class '{used[0]}'; add clips of {other}"
        )
    problems = []
    for name, learned, held_out in zip(names, in_train, in_val, strict=True):
        if learned < 2:
            count = "one clip" if learned else "no clip"
            remedy = f"add clips of it to '{train}', or remove the class"
            problems.append((f"class '{name}' has {count} in '{train}'", remedy))
        elif held_out == 0:
            remedy = f"add clips of it to '{val}', or cross-validate on all clips with --folds 5"
            problems.append((f"class '{name}' has no clip in '{val}'", remedy))
    if task == "single" and problems:
        raise DataError(f"{dataset.root}: {'; '.join(problems[0])}")
    return tuple(problem for problem, _ in problems)


def _clips_per_class(dataset: VideoDataset, split: str) -> list[int]:
    """Of a labeled split.

    Raises:
        DataError: Not one of its clips has a label.
    """
    counts = targets_matrix(dataset.split(split), len(dataset.labels)).sum(axis=0).tolist()
    if not any(counts):
        raise DataError(f"{dataset.root}: no clip of '{split}' has a label; label some")
    return list(counts)
