"""Test-time augmentation: several views of a video, one row of scores (section 3.4)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from lilliput.checkpoint import Description
from lilliput.config import EvaluationConfig
from lilliput.scoring import MergedScores, merge_views, swap_pairs
from lilliput.scoring.logits import score_logits
from lilliput.task import Task


class VideoScorer:
    """Scores videos whose clips come in batches, any number of each.

    Every clip is seen in the views that the model's configuration asks for; then the clips of a
    video are merged.

    Args:
        forward: (M, 3, T, H, W) to logits (M, K).
        model: What belongs to the network.
        num_videos: Videos N.
    """

    def __init__(
        self,
        forward: Callable[[torch.Tensor], torch.Tensor],
        model: Description,
        num_videos: int,
    ) -> None:
        self._forward = forward
        self._model = model
        self._merged = MergedScores(num_videos, len(model.labels), model.config.clip_merge)

    @property
    def seen(self) -> int:
        """Videos of which a clip has come."""
        return self._merged.seen

    def add(self, videos: Sequence[int] | np.ndarray, clips: torch.Tensor) -> None:
        """Scores clips (M, 3, T, H, W) of the videos (M,)."""
        model = self._model
        scores = score_views(
            self._forward, clips, model.config.evaluation, model.flip_pairs, model.task
        )
        self._merged.add(np.asarray(videos), scores)

    def scores(self) -> np.ndarray:
        """(N, K) in [0, 1]; those of a video with one label sum to 1, of one not seen to 0."""
        scores = self._merged.merge()
        if self._model.task == "single":  # the highest of several views do not sum to 1
            scores = scores / np.maximum(scores.sum(axis=1, keepdims=True), _LEAST)
        return scores.astype(np.float32)


_LEAST = 1e-12  # no sum of probabilities is below it


@torch.inference_mode()
def score_views(
    forward: Callable[[torch.Tensor], torch.Tensor],
    clips: torch.Tensor,
    config: EvaluationConfig,
    flip_pairs: Sequence[tuple[int, int]],
    task: Task,
) -> np.ndarray:
    """Scores clips from the views that the configuration asks for.

    Every clip is seen plain and mirrored; the mirrored scores are put back in order (a clip
    mirrored turns left where the original turns right) and merged.

    Args:
        forward: (M, 3, T, H, W) to logits (M, K).
        clips: (M, 3, T, H, W).
        config: Which views, and how they merge.
        flip_pairs: Label indices that a horizontal flip exchanges.
        task: How many labels a clip has, which says how logits become scores.

    Returns:
        (M, K) scores in [0, 1].
    """
    views = []
    for vertical in (False, True) if config.vertical_flip else (False,):
        for turned in (False, True) if config.quarter_turn else (False,):
            for mirrored in (False, True) if config.flip else (False,):
                view = clips.flip(-2) if vertical else clips
                view = view.rot90(1, (-2, -1)) if turned else view
                view = view.flip(-1) if mirrored else view
                scores = score_logits(forward(view), task).cpu().numpy()
                views.append(swap_pairs(scores, flip_pairs) if mirrored else scores)
    return merge_views(np.stack(views), config.flip_merge)
