"""Several trained models as one checkpoint, whose scores are the mean of theirs (section 5.1)."""

import dataclasses
import statistics
from collections.abc import Sequence

import torch

from lilliput.checkpoint import Checkpoint
from lilliput.errors import CheckpointError
from lilliput.video.normalisation import Normalisation


def make_ensemble(models: Sequence[Checkpoint]) -> Checkpoint:
    """One checkpoint of several; it loads, exports and runs wherever a checkpoint does.

    Args:
        models: Two or more of the same network, classes and task. Each keeps what its clips are
            normalised with, as long as all subtract a common mean, or all each clip's own.

    Returns:
        With the thresholds of the first: those of an ensemble are to be tuned.

    Raises:
        CheckpointError: There are fewer than two, they differ, or are ensembles themselves.
    """
    first = models[0]
    for model in models:
        for what in (
            "config.model",
            "labels",
            "task",
            "normalisation.per_clip",
            "normalisation.own_contrast",
            "normalisation.motion",
        ):
            if _get(model, what) != _get(first, what):
                raise CheckpointError(f"these models differ in {what}: they make no ensemble")
    if len(models) < 2 or first.config.model.members > 1:
        raise CheckpointError("an ensemble takes two or more models that are none themselves")
    adapters = [_adapt(first.normalisation, model.normalisation) for model in models]
    state = {
        "scale": torch.tensor([scale for scale, _ in adapters]),
        "shift": torch.tensor([shift for _, shift in adapters]),
    }
    for number, model in enumerate(models):
        state |= {f"members.{number}.{name}": tensor for name, tensor in model.state.items()}
    settings = {
        "members": len(models),
        "average": "softmax" if first.task == "single" else "sigmoid",
    }
    network = first.config.model.model_copy(update=settings)
    return dataclasses.replace(
        first,
        state=state,
        config=first.config.model_copy(update={"model": network}),
        clip_seconds=statistics.median(model.clip_seconds for model in models),
    )


def _get(model: Checkpoint, dotted: str) -> object:
    value: object = model
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def _adapt(given: Normalisation, wanted: Normalisation) -> tuple[list[float], list[float]]:
    """What colors of one normalisation are multiplied with, and then given, to be of another."""
    scale = [ours / theirs for ours, theirs in zip(given.std, wanted.std, strict=True)]
    if given.per_clip:
        return scale, [0.0, 0.0, 0.0]
    shift = [
        (ours - theirs) / std
        for ours, theirs, std in zip(given.mean, wanted.mean, wanted.std, strict=True)
    ]
    return scale, shift
