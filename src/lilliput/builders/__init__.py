"""Configuration into objects: the one place that knows both."""

from lilliput.builders.front_ends import FRONT_ENDS, start_front_end, tell_normalisation
from lilliput.builders.losses import build_loss, resolve_loss
from lilliput.builders.networks import BACKBONES, MODELS, build_model
from lilliput.builders.pipeline import (
    build_evaluation_sampler,
    build_evaluation_transform,
    build_labels,
    build_mixing,
    build_normalisation,
    build_training_sampler,
    build_training_transform,
    build_validation_sampler,
)
from lilliput.builders.task import resolve_task

__all__ = [
    "BACKBONES",
    "FRONT_ENDS",
    "MODELS",
    "build_evaluation_sampler",
    "build_evaluation_transform",
    "build_labels",
    "build_loss",
    "build_mixing",
    "build_model",
    "build_normalisation",
    "build_training_sampler",
    "build_training_transform",
    "build_validation_sampler",
    "resolve_loss",
    "resolve_task",
    "start_front_end",
    "tell_normalisation",
]
