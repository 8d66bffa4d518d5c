"""Scores of clips with one label, for several tests."""

import numpy as np

from lilliput.evaluation.scored import ScoredClips

NAMES = ["walk", "a<b>&[red]$x_{", "sit", "stand", "lie", "run", "never"]


def make_scored(num_clips=120, seed=0, num_unreadable=0):
    """Every seventh class has no clips; the last clips could not be read."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(7, 0.4), size=num_clips).astype(np.float32)
    truth = np.where(
        rng.random(num_clips) < 0.5, scores[:, :6].argmax(axis=1), rng.integers(6, size=num_clips)
    )
    unreadable = [f"{index}.mp4: no" for index in range(num_unreadable)]
    if num_unreadable:
        scores[-num_unreadable:] = 0
    return ScoredClips(
        clip_ids=np.array([f"c{index}" for index in range(num_clips)]),
        recordings=np.array([f"r{index // 4}" for index in range(num_clips)]),
        sides=np.full(num_clips, 15),
        scores=scores,
        targets=np.eye(7, dtype=bool)[truth],
        class_names=np.array(NAMES),
        unreadable=np.array(unreadable, dtype=str),
        task="single",
    )
