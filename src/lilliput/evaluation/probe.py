"""A linear probe: whether what a network learned elsewhere says something about these clips.

The network is frozen. A logistic regression on its pooled features learns the training clips and
is scored on others; beside it the same on the same network with random weights, and on nothing.
Source: Alain and Bengio, Understanding intermediate layers using linear classifier probes, 2016.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform, build_model
from lilliput.checkpoint import Checkpoint
from lilliput.data import Clip, VideoDataset, targets_matrix
from lilliput.data.folds import divide
from lilliput.data.loading import (
    EvaluationClips,
    EvaluationStream,
    FrameSource,
    UnreadableClip,
    collate,
)
from lilliput.data.task import check_learnable, find_task
from lilliput.errors import DataError
from lilliput.evaluation.logistic import choose_strength, fit_logistic
from lilliput.models.pooled import forward_pooled
from lilliput.scoring import (
    Interval,
    PairedComparison,
    bootstrap_intervals,
    classify,
    compute_metrics,
    give_labels,
    paired_comparison,
    tune_global,
)
from lilliput.task import Task

_MAX_FOLDS = 5
_SEED = 0  # of the random weights, and of the folds
TRAIN = "train"


@dataclass(frozen=True)
class ProbeRow:
    """What a linear classifier reaches with some features; fractions in [0, 1].

    Attributes:
        name: Of the features: ``model``, ``random`` or ``chance``.
        strength: Of the regularization, chosen on training clips.
        scores: Of the held-out clips: ``macro_f1`` and ``map``; of clips with one label ``top1``
            and ``mean_class_accuracy``, too.
        intervals: 95 % intervals over recordings, of those that have one.
    """

    name: str
    strength: float
    scores: dict[str, float]
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class ProbeReport:
    """A network's probe beside the same with random weights, and beside chance.

    Attributes:
        task: How many labels a clip has.
        num_features: Of a clip.
        num_clips: That could be read, by split.
        unreadable: One line per clip that could not.
        rows: The model, random weights, chance.
        gain: Macro F1 of the model minus that of random weights.
    """

    task: Task
    num_features: int
    num_clips: dict[str, int]
    unreadable: tuple[str, ...]
    rows: tuple[ProbeRow, ...]
    gain: PairedComparison

    @property
    def advice(self) -> str:
        """What to make of it, in a sentence."""
        model, _, chance = (row.scores["macro_f1"] for row in self.rows)
        if self.gain.distinguishable and self.gain.difference.estimate > 0 and model > chance:
            return (
                "What it learned before helps on these clips: start a training from it "
                "(training.pretrained)"
            )
        if self.gain.distinguishable and self.gain.difference.estimate < 0:
            return "Random weights do better on these clips: do not start from this model"
        if model <= chance:
            return "Its features tell no more of these clips than chance: do not start from it"
        return (
            "These clips cannot tell it from random weights: do not expect much of starting from "
            "it, or probe with clips of more recordings"
        )


@dataclass(frozen=True)
class _Part:
    """The readable clips of a split."""

    clips: list[Clip]
    targets: np.ndarray
    features: list[np.ndarray]
    unreadable: list[str]


def probe(
    model: Checkpoint,
    dataset: VideoDataset,
    split: str = "val",
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> ProbeReport:
    """Probes a checkpoint on a data set, whose classes may be others than the model's.

    Args:
        model: Its sampling, input size and normalisation prepare the clips.
        dataset: Its training split is learned from.
        split: Labeled split that is scored.
        advance: Told how many more clips are done.

    Raises:
        DataError: The labels cannot be learned or judged, see ``check_learnable``; or clips of
            fewer than two recordings can be read of a split.
    """
    task = find_task(dataset, (TRAIN, split), "auto")
    check_learnable(dataset, TRAIN, split, task)
    networks = [model.build_model(), _random_network(model)]
    train, held_out = (_extract(model, networks, dataset, name, advance) for name in (TRAIN, split))
    recordings = len({clip.recording for clip in train.clips})
    folds = divide(train.clips, min(_MAX_FOLDS, max(recordings, 2)), seed=_SEED)
    position = {clip.clip_id: row for row, clip in enumerate(train.clips)}
    rows_of = [np.array([position[clip.clip_id] for clip in fold]) for fold in folds]
    rows, labels = [], []
    for name, ours, theirs in zip(
        ("model", "random", "chance"), train.features, held_out.features, strict=True
    ):
        strength, out_of_fold = choose_strength(ours, train.targets, task, rows_of)
        threshold = 0.0 if task == "single" else tune_global(out_of_fold, train.targets)
        scores = fit_logistic(ours, train.targets, task, strength).score(theirs)
        labels.append(give_labels(scores, threshold, task))
        rows.append(_row(name, strength, scores, labels[-1], threshold, held_out, task))
    return ProbeReport(
        task,
        train.features[0].shape[1],
        {TRAIN: len(train.clips), split: len(held_out.clips)},
        (*train.unreadable, *held_out.unreadable),
        tuple(rows),
        paired_comparison(labels[0], labels[1], held_out.targets, _recordings(held_out)),
    )


def _random_network(model: Checkpoint) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        config = model.config
        return build_model(config.model, len(model.labels), config.sampling.num_frames).eval()


@torch.inference_mode()
def _extract(
    model: Checkpoint,
    networks: Sequence[nn.Module],
    dataset: VideoDataset,
    split: str,
    advance: Callable[[int], None],
) -> _Part:
    """Features of each network, means over a clip's views; last those of none, without columns."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    networks = [network.to(device) for network in networks]
    clips = dataset.split(split)
    config = model.config
    loader = DataLoader(
        EvaluationStream(
            EvaluationClips(
                FrameSource(clips),
                len(dataset.labels),
                build_evaluation_sampler(config),
                build_evaluation_transform(config, model.normalisation),
            )
        ),
        config.evaluation.batch_size,
        num_workers=config.data.workers,
        collate_fn=collate,
    )
    views = np.zeros(len(clips), dtype=np.int64)
    sums: list[np.ndarray] = []
    unreadable: list[UnreadableClip] = []
    done = 0
    for batch in loader:
        unreadable += batch.unreadable
        if len(batch.indices):
            indices, seen = batch.indices.numpy(), batch.clips.to(device)
            pooled = [forward_pooled(network, seen)[1].double().cpu() for network in networks]
            sums = sums or [np.zeros((len(clips), part.shape[1])) for part in pooled]
            for total, part in zip(sums, pooled, strict=True):
                np.add.at(total, indices, part.numpy())
            np.add.at(views, indices, 1)
        before, done = done, int(np.count_nonzero(views)) + len(unreadable)
        advance(done - before)
    views[[clip.index for clip in unreadable]] = 0  # of some, a first part could be read
    rows = np.flatnonzero(views).tolist()
    readable = [clips[row] for row in rows]
    if len({clip.recording for clip in readable}) < 2:
        raise DataError(
            f"{dataset.root}: the readable clips of split '{split}' come from fewer than two "
            "recordings, which tells nothing of others; add recordings"
        )
    by_network = [total[rows] / views[rows, None] for total in sums]
    targets = targets_matrix(readable, len(dataset.labels))
    reasons = [clip.reason for clip in unreadable]
    return _Part(readable, targets, [*by_network, np.zeros((len(rows), 0))], reasons)


def _row(
    name: str,
    strength: float,
    scores: np.ndarray,
    labels: np.ndarray,
    threshold: float,
    part: _Part,
    task: Task,
) -> ProbeRow:
    metrics = compute_metrics(scores, part.targets, threshold, task)
    found = {"macro_f1": metrics.macro.f1, "map": metrics.mean_average_precision}
    intervals = bootstrap_intervals(labels, part.targets, _recordings(part))
    if task == "single":
        accuracies = classify(scores, part.targets, labels)
        found |= {"top1": accuracies.top1, "mean_class_accuracy": accuracies.mean_class_accuracy}
    return ProbeRow(
        name, strength, found, {key: intervals[key] for key in found if key in intervals}
    )


def _recordings(part: _Part) -> list[str]:
    return [clip.recording for clip in part.clips]
