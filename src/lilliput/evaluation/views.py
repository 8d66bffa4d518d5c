"""Test-time augmentation: several views of a video, one row of scores (section 3.4)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from lilliput.config import EvaluationConfig
from lilliput.scoring import merge_views, swap_pairs
from lilliput.scoring.logits import score_logits
from lilliput.task import Task


@torch.inference_mode()
def score_views(
    forward: Callable[[torch.Tensor], torch.Tensor],
    clips: torch.Tensor,
    config: EvaluationConfig,
    flip_pairs: Sequence[tuple[int, int]],
    task: Task,
) -> np.ndarray:
    """Scores videos from the views that the configuration asks for.

    Every clip is seen plain and mirrored; the mirrored scores are put back in order (a clip
    mirrored turns left where the original turns right) and merged; then the K clips of a video
    are merged.

    Args:
        forward: (N, 3, T, H, W) to logits (N, K).
        clips: (N, V, 3, T, H, W), V clips of each video.
        config: Which views, and how they merge.
        flip_pairs: Label indices that a horizontal flip exchanges.
        task: How many labels a clip has, which says how logits become scores.

    Returns:
        (N, K) scores in [0, 1]; those of a clip with one label sum to 1.
    """
    num_videos, num_clips = clips.shape[:2]
    flat = clips.flatten(0, 1)
    views = []
    for vertical in (False, True) if config.vertical_flip else (False,):
        for turned in (False, True) if config.quarter_turn else (False,):
            for mirrored in (False, True) if config.flip else (False,):
                view = flat.flip(-2) if vertical else flat
                view = view.rot90(1, (-2, -1)) if turned else view
                view = view.flip(-1) if mirrored else view
                scores = score_logits(forward(view), task).cpu().numpy()
                views.append(swap_pairs(scores, flip_pairs) if mirrored else scores)
    merged = merge_views(np.stack(views), config.flip_merge)
    by_clip = merged.reshape(num_videos, num_clips, -1).transpose(1, 0, 2)
    scores = merge_views(by_clip, config.clip_merge)
    if task == "single":  # the highest of several views do not sum to 1
        scores = scores / scores.sum(axis=1, keepdims=True)
    return scores
