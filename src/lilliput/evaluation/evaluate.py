"""Runs a model over a split and tunes its thresholds."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint, Description
from lilliput.config import EvaluationConfig
from lilliput.data import Clip, VideoDataset, targets_matrix
from lilliput.data.loading import (
    EvaluationClips,
    EvaluationStream,
    FrameSource,
    UnreadableClip,
    collate,
)
from lilliput.errors import ConfigError, DataError, VideoError
from lilliput.evaluation.scored import ScoredClips
from lilliput.evaluation.views import VideoScorer
from lilliput.scoring import (
    classify,
    compute_metrics,
    tune_global,
    tune_per_class,
    tune_unknown,
)


def score_split(
    model: Description,
    dataset: VideoDataset,
    split: str,
    *,
    forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> ScoredClips:
    """Scores every clip of a split, with the model's own test-time augmentation.

    Args:
        model: A checkpoint, or the description of the network that ``forward`` runs.
        dataset: Where the split is found; its classes must be the model's.
        split: Labelled or not.
        forward: From clips (N, 3, T, H, W) to logits (N, K), such as an engine of
            ``lilliput.inference``; None runs the checkpoint's network in PyTorch.
        advance: Told how many more clips are done.

    Raises:
        ConfigError: There is neither a checkpoint nor ``forward``.
        DataError: The classes differ, or not one clip can be read.
    """
    check_classes(model, dataset)
    clips = dataset.split(split, labelled=False)
    config = model.config
    forward, device = _find_runner(model, forward)
    loader = DataLoader(
        EvaluationStream(
            EvaluationClips(
                FrameSource(clips),
                len(model.labels),
                build_evaluation_sampler(config),
                build_evaluation_transform(config, model.normalisation),
            )
        ),
        config.evaluation.batch_size,
        num_workers=config.data.workers,
        collate_fn=collate,
        pin_memory=device.type == "cuda",
    )
    scorer = VideoScorer(forward, model, len(clips))
    unreadable: list[UnreadableClip] = []
    done = 0
    for batch in loader:
        unreadable += batch.unreadable
        if len(batch.indices):
            scorer.add(batch.indices.numpy(), batch.clips.to(device))
        before, done = done, scorer.seen + len(unreadable)
        advance(done - before)
    scores = scorer.scores()
    scores[[clip.index for clip in unreadable]] = 0  # of some, a first part could be read
    if len(unreadable) == len(clips):
        raise DataError(f"{dataset.root}: not one clip of split '{split}' can be read")
    labelled = all(clip.labels is not None for clip in clips)
    targets = targets_matrix(clips if labelled else [], len(model.labels))
    return ScoredClips(
        clip_ids=np.array([clip.clip_id for clip in clips]),
        recordings=np.array([clip.recording for clip in clips]),
        sides=_sides(clips),
        scores=scores,
        targets=targets,
        class_names=np.array(model.labels.class_names),
        unreadable=np.array([clip.reason for clip in unreadable], dtype=str),
        task=model.task,
    )


def tune_thresholds(scored: ScoredClips, config: EvaluationConfig) -> np.ndarray:
    """(K,) thresholds as the configuration asks (section 3.5).

    Those of clips with one label are all equal: the probability below which a clip is unknown.
    """
    num_classes = scored.scores.shape[1]
    if scored.task == "single":
        limit = config.unknown_below
        if limit == "tuned":
            limit = tune_unknown(scored.scores, scored.targets, config.objective)
        return np.full(num_classes, limit)
    match config.threshold:
        case "fixed":
            return np.full(num_classes, config.fixed_threshold)
        case "global":
            threshold = tune_global(scored.scores, scored.targets, config.objective)
            return np.full(num_classes, threshold)
        case "per_class":
            return tune_per_class(
                scored.scores,
                scored.targets,
                min_support=config.min_support,
                objective=config.objective,
            )


def with_thresholds(checkpoint: Checkpoint, scored: ScoredClips, split: str) -> Checkpoint:
    """The checkpoint with thresholds tuned on ``scored`` and the metrics they reach there."""
    thresholds = tune_thresholds(scored, checkpoint.config.evaluation)
    metrics = measure(scored, thresholds)
    return dataclasses.replace(
        checkpoint,
        thresholds=tuple(float(value) for value in thresholds),
        metrics={**checkpoint.metrics, split: metrics},
    )


def measure(scored: ScoredClips, thresholds: np.ndarray) -> dict[str, Any]:
    """All metrics of an evaluation, ready for JSON; accuracies where a clip has one label."""
    metrics = compute_metrics(scored.scores, scored.targets, thresholds, scored.task).to_dict()
    if scored.task == "single":
        labels = scored.label(thresholds)
        metrics["classification"] = classify(scored.scores, scored.targets, labels).to_dict()
    return metrics


def _find_runner(
    model: Description, forward: Callable[[torch.Tensor], torch.Tensor] | None
) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.device]:
    """What runs the network, and where its clips go first: there views are made of them."""
    if forward is not None:
        return forward, getattr(forward, "device", torch.device("cpu"))
    if not isinstance(model, Checkpoint):
        raise ConfigError("a description has no weights; give the engine that has them")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.build_model().to(device), device


def check_classes(model: Description, dataset: VideoDataset) -> None:
    """Refuses a data set of other classes than the model's.

    Raises:
        DataError: They differ, or come in another order.
    """
    ours, theirs = model.labels.class_names, dataset.labels.class_names
    if ours != theirs:
        raise DataError(
            f"{dataset.root}: its {len(theirs)} classes are not the model's {len(ours)}, or come "
            f"in another order; the model knows {', '.join(ours[:5])}…"
        )


def check_labels(model: Description, clips: Sequence[Clip]) -> None:
    """Refuses labelled clips that a model of one label per clip cannot be judged by.

    Raises:
        DataError: The model gives one label, and a clip has several or none.
    """
    other = next((clip for clip in clips if len(clip.labels or ()) != 1), None)
    if model.task == "single" and other is not None:
        raise DataError(
            f"clip {other.clip_id} has {len(other.labels or ())} labels, but the model gives each "
            "clip one; evaluate it on clips with one label each"
        )


def _sides(clips: Sequence[Clip]) -> np.ndarray:
    sides = np.zeros(len(clips), dtype=np.int64)
    for row, clip in enumerate(clips):
        try:
            info = clip.probe()
        except VideoError:
            continue  # listed as unreadable already
        sides[row] = min(info.height, info.width)
    return sides
