"""What the scores of a run are worth as probabilities."""

from typing import Any

import numpy as np

from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import reliability_of

_MOST_POINTS = 200


def reliability_rows(scored: ScoredClips) -> dict[str, Any]:
    """The bins of a reliability diagram, and the expected calibration error.

    A bin without predictions has None for both of its means.
    """
    reliability = reliability_of(scored.scores, scored.targets, scored.task)
    edges = np.linspace(0, 1, len(reliability.count) + 1)
    columns = (reliability.count, reliability.confidence, reliability.accuracy)
    return {
        "bins": [
            {
                "low": float(low),
                "high": float(high),
                "count": int(number),
                "confidence": float(confidence) if number else None,
                "accuracy": float(accuracy) if number else None,
            }
            for low, high, number, confidence, accuracy in zip(
                edges, edges[1:], *columns, strict=False
            )
        ],
        "error": reliability.error,
    }


def coverage_curve(scored: ScoredClips) -> dict[str, list[float]]:
    """How accurate the answered clips are, as fewer of them are answered.

    The clips are answered from the most to the least certain; those of equal probability
    together. A clip that could not be read is never answered. No more than 200 points.

    Source: El-Yaniv and Wiener, On the Foundations of Noise-free Selective Classification,
    JMLR 11, 2010 (the risk-coverage curve; accuracy is 1 - risk).

    Args:
        scored: Of clips with one label.

    Returns:
        ``threshold``, the probability that answered clips exceed; ``answered``, their share of
        all clips; ``accuracy``, the share of them that is right.
    """
    best = scored.scores.max(axis=1)
    order = np.argsort(-best, kind="stable")[: np.count_nonzero(best)]
    right = scored.targets[np.arange(len(best)), scored.scores.argmax(axis=1)][order]
    below = np.append(best[order][1:], 0)
    ends = np.flatnonzero(best[order] > below)
    if len(ends) > _MOST_POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, _MOST_POINTS).round().astype(int)]
    return {
        "threshold": below[ends].tolist(),
        "answered": ((ends + 1) / len(best)).tolist(),
        "accuracy": (np.cumsum(right)[ends] / (ends + 1)).tolist(),
    }
