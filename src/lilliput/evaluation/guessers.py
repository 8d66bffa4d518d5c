"""What is reached without looking at the clips, knowing only how frequent each class is.

A class of prior p that is given to the share q of the clips, whichever they are, is right in the
share pq of them (expected counts), so its F1 is 2pq / (p + q).
"""

from typing import Any

import numpy as np

from lilliput.scoring import count
from lilliput.task import Task

_TOP = 5


def blind_guesses(targets: np.ndarray, task: Task) -> list[dict[str, Any]]:
    """The best guesses of each kind, and their expected scores.

    Args:
        targets: (N, K) bool.
        task: How many labels a clip has.
    """
    return _guess_one(targets) if task == "single" else _guess_any(targets)


def chance_level(guessers: list[dict[str, Any]], name: str) -> float | None:
    """The highest score that one of the guesses reaches; None where none has this score."""
    return max((guess[name] for guess in guessers if guess[name] is not None), default=None)


def _guess_one(targets: np.ndarray) -> list[dict[str, Any]]:
    """One class per clip: the shares q of the classes sum to 1.

    Top-1 is then the sum of pq, which is highest where all clips get the most frequent class.
    Every class' accuracy is its q, so their mean is the same for all that give annotated classes
    only. The sum of 2pq / (p + q) is highest, 1, where q is p.
    """
    num_clips, num_classes = targets.shape
    prior = targets.sum(axis=0) / num_clips
    best = np.arange(num_classes) == prior.argmax()
    several = num_classes > _TOP
    return [
        {
            "name": "most frequent class",
            "meaning": "gives every clip the most frequent class, then the next ones: the best "
            "top-1 of a blind guess",
            **_expect_one(prior, best.astype(float)),
            "top5": float(np.sort(prior)[-_TOP:].sum()) if several else None,
        },
        {
            "name": "any class",
            "meaning": "gives each class at random, one as often as another (expected counts)",
            **_expect_one(prior, np.full(num_classes, 1 / num_classes)),
            "top5": _TOP / num_classes * float(prior.sum()) if several else None,
        },
        {
            "name": "random by prior",
            "meaning": "gives each class at random, as often as it occurs: the best macro F1 of a "
            "blind guess (expected counts)",
            **_expect_one(prior, prior),
            "top5": None,
        },
    ]


def _expect_one(prior: np.ndarray, given: np.ndarray) -> dict[str, float]:
    """Expected scores where the classes are given to these shares of the clips."""
    annotated = prior > 0
    f1 = 2 * prior * given / np.maximum(prior + given, 1e-12)
    return {
        "top1": float((prior * given).sum()),
        "mean_class_accuracy": float(given[annotated].mean()) if annotated.any() else 0.0,
        "macro_f1": float(f1.mean()),
    }


def _guess_any(targets: np.ndarray) -> list[dict[str, Any]]:
    """Any number of labels: F1 grows with q, so nothing beats "every label" in macro F1."""
    num_clips, num_classes = targets.shape
    support = targets.sum(axis=0)
    prior = support / num_clips
    ranking = np.argsort(-support, kind="stable")
    given = num_clips * np.arange(1, num_classes + 1)
    micro_f1 = 2 * np.cumsum(support[ranking]) / (given + support.sum())
    frequent = np.isin(np.arange(num_classes), ranking[: np.argmax(micro_f1) + 1])
    common = {"mean_average_precision": float(prior[prior > 0].mean()) if prior.any() else None}
    return [
        {
            "name": "every label",
            "meaning": "gives every label to every clip: the best macro F1 of a blind guess",
            **_constant_guess(np.ones(num_classes, dtype=bool), targets),
            **common,
        },
        {
            "name": "frequent labels",
            "meaning": f"gives every clip the {frequent.sum()} most frequent of the labels: the "
            "best micro F1 of a blind guess",
            **_constant_guess(frequent, targets),
            **common,
        },
        {
            "name": "random by prior",
            "meaning": "gives each label at random, as often as it occurs (expected counts)",
            "macro_f1": float(prior.mean()),
            "micro_f1": float(np.square(prior).sum() / prior.sum()) if prior.any() else 0.0,
            **common,
        },
    ]


def _constant_guess(given: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    labels = np.broadcast_to(given, targets.shape)
    return {
        "macro_f1": float(count(labels, targets, axis=0).f1.mean()),
        "micro_f1": float(count(labels, targets, axis=None).f1),
    }
