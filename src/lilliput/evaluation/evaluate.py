"""Runs a model over a split and tunes its thresholds."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint
from lilliput.config import EvaluationConfig
from lilliput.data import Clip, VideoDataset, targets_matrix
from lilliput.data.loading import EvaluationClips, FrameSource, collate
from lilliput.errors import DataError, VideoError
from lilliput.evaluation.scored import ScoredClips
from lilliput.evaluation.views import score_views
from lilliput.scoring import compute_metrics, tune_global, tune_per_class
from lilliput.video.decode import probe


def score_split(
    checkpoint: Checkpoint,
    dataset: VideoDataset,
    split: str,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> ScoredClips:
    """Scores every clip of a split, with the checkpoint's own test-time augmentation.

    Args:
        checkpoint: The model.
        dataset: Where the split is found; its classes must be the model's.
        split: Labelled or not.
        advance: Told how many more clips are done.

    Raises:
        DataError: The classes differ, or not one clip can be read.
    """
    _check_classes(checkpoint, dataset)
    clips = dataset.split(split, labelled=False)
    config = checkpoint.config
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = checkpoint.build_model().to(device)
    loader = DataLoader(
        EvaluationClips(
            FrameSource(clips),
            len(checkpoint.labels),
            build_evaluation_sampler(config, config.evaluation.num_clips),
            build_evaluation_transform(config, checkpoint.normalisation),
        ),
        config.evaluation.batch_size,
        num_workers=config.data.workers,
        collate_fn=collate,
    )
    scores = np.zeros((len(clips), len(checkpoint.labels)), dtype=np.float32)
    unreadable: list[str] = []
    for batch in loader:
        unreadable += [clip.reason for clip in batch.unreadable]
        if len(batch.indices):
            scores[batch.indices.numpy()] = score_views(
                model, batch.clips.to(device), config.evaluation, checkpoint.flip_pairs
            )
        advance(len(batch.indices) + len(batch.unreadable))
    if len(unreadable) == len(clips):
        raise DataError(f"{dataset.root}: not one clip of split '{split}' can be read")
    labelled = all(clip.labels is not None for clip in clips)
    targets = targets_matrix(clips if labelled else [], len(checkpoint.labels))
    return ScoredClips(
        clip_ids=np.array([clip.clip_id for clip in clips]),
        recordings=np.array([clip.recording for clip in clips]),
        sides=_sides(clips),
        scores=scores,
        targets=targets,
        class_names=np.array(checkpoint.labels.class_names),
        unreadable=np.array(unreadable, dtype=str),
    )


def tune_thresholds(scored: ScoredClips, config: EvaluationConfig) -> np.ndarray:
    """(K,) thresholds as the configuration asks (section 3.5)."""
    num_classes = scored.scores.shape[1]
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
    metrics = compute_metrics(scored.scores, scored.targets, thresholds).to_dict()
    return dataclasses.replace(
        checkpoint,
        thresholds=tuple(float(value) for value in thresholds),
        metrics={**checkpoint.metrics, split: metrics},
    )


def _check_classes(checkpoint: Checkpoint, dataset: VideoDataset) -> None:
    ours, theirs = checkpoint.labels.class_names, dataset.labels.class_names
    if ours != theirs:
        raise DataError(
            f"{dataset.root}: its {len(theirs)} classes are not the model's {len(ours)}, or come "
            f"in another order; the model knows {', '.join(ours[:5])}…"
        )


def _sides(clips: Sequence[Clip]) -> np.ndarray:
    sides = np.zeros(len(clips), dtype=np.int64)
    for row, clip in enumerate(clips):
        try:
            info = probe(clip.path)
        except VideoError:
            continue  # listed as unreadable already
        sides[row] = min(info.height, info.width)
    return sides
