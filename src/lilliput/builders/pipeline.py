"""What leads from a clip on disk to the network's input."""

from functools import partial

import numpy as np
import torch

from lilliput.config import AugmentConfig, Config, ModelConfig, SamplingConfig
from lilliput.data.labels import LabelSet
from lilliput.data.loading import ClipSampler, ClipsSampler, ClipTransform, FrameSource
from lilliput.data.statistics import measure_normalisation
from lilliput.errors import ConfigError
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.mixing import ClipMixing
from lilliput.video.normalisation import (
    IMAGENET,
    KINETICS,
    MOTION,
    OWN_CONTRAST,
    SYMMETRIC,
    Normalisation,
)
from lilliput.video.sampling import consecutive_clips, sample_evaluation, sample_training
from lilliput.video.transforms import EvaluationTransform, TrainingTransform


def build_labels(config: Config, labels: LabelSet) -> LabelSet:
    """The classes with the flip pairs that the recipe declares, or those found by name."""
    pairs = config.augment.flip_pairs
    if pairs is None:
        return labels
    return LabelSet(
        labels.class_names,
        tuple((labels.index(left), labels.index(right)) for left, right in pairs),
    )


def build_normalisation(config: ModelConfig, source: FrameSource) -> Normalisation:
    """The published statistics, or those of the training clips."""
    match config.normalisation:
        case "kinetics":
            return KINETICS
        case "imagenet":
            return IMAGENET
        case "symmetric":
            return SYMMETRIC
        case "clip_contrast":
            return OWN_CONTRAST
        case "motion":
            return MOTION
        case "dataset" | "clip" as kind:
            return measure_normalisation(source, kind)


def build_training_sampler(config: Config) -> ClipSampler:
    """Frame count and generator to the indices of one clip."""
    return partial(_sample_training, config.sampling)


def build_evaluation_sampler(config: Config, num_clips: int | None = None) -> ClipsSampler:
    """Frame count and name of a video to the indices of its clips.

    Args:
        config: The recipe.
        num_clips: How many, 1 for the centre clip; None takes what the recipe evaluates, which
            may be all of them.
    """
    if num_clips is None and config.sampling.evaluation == "all":
        return partial(_sample_all, config.sampling)
    num_clips = config.evaluation.num_clips if num_clips is None else num_clips
    return partial(_sample_evaluation, config.sampling, num_clips, config.training.seed)


def build_validation_sampler(config: Config) -> ClipsSampler:
    """The same without test-time augmentation: what each epoch of a training is judged by."""
    return build_evaluation_sampler(config, None if config.sampling.evaluation == "all" else 1)


def build_training_transform(
    config: Config, normalise: Normalisation, labels: LabelSet
) -> TrainingTransform | ClipTransform:
    """Augmentation as the recipe asks, or the evaluation transform where it asks for none.

    Raises:
        ConfigError: The recipe turns clips, in training or in evaluation, of classes that have a
            direction.
    """
    _check_directions(config, labels)
    augment = config.augment
    # A front end that learns with the network is given these clips degraded, and learns them.
    joint = config.loss.super_resolution > 0
    size = config.model.input_size if joint else config.model.clip_size
    if not augment.enabled:
        square = config.model.resize == "square"
        return partial(_leave_targets, EvaluationTransform(size, normalise, square))
    operations = augment.rand_augment_operations
    drawn = (operations, augment.rand_augment_magnitude, augment.rand_augment_probability)
    return TrainingTransform(
        RandomCrop(size, augment.padding, augment.rotation),
        normalise,
        short_side=augment.short_side,
        flips=_build_flips(augment, labels),
        rand_augment=drawn if operations else None,
        rand_augment_size=augment.rand_augment_size,
        contrast=augment.contrast,
        square=config.model.resize == "square",
    )


def build_mixing(augment: AugmentConfig) -> ClipMixing | None:
    """MixUp and CutMix of training batches, where the recipe asks for them."""
    if not augment.enabled or not (augment.mixup or augment.cutmix):
        return None
    return ClipMixing(
        mixup=augment.mixup, cutmix=augment.cutmix, adaptive=augment.mixing == "adaptive"
    )


def build_evaluation_transform(config: Config, normalise: Normalisation) -> EvaluationTransform:
    """To the input size, or what a front end enlarges to it; normalise."""
    square = config.model.resize == "square"
    return EvaluationTransform(config.model.clip_size, normalise, square)


# Functions with names, not lambdas: processes that do not fork receive them by name.
def _sample_training(
    sampling: SamplingConfig, num_source: int, rng: np.random.Generator
) -> np.ndarray:
    return sample_training(
        sampling.method,
        num_source,
        sampling.num_frames,
        rng,
        frame_step=sampling.frame_step,
        coverage=sampling.coverage,
    )


def _sample_evaluation(
    sampling: SamplingConfig, num_clips: int, seed: int, num_source: int, clip_id: str = ""
) -> list[np.ndarray]:
    return sample_evaluation(
        sampling.method,
        num_source,
        sampling.num_frames,
        frame_step=sampling.frame_step,
        num_clips=num_clips,
        seed=seed,
        clip_id=clip_id,
    )


def _sample_all(
    sampling: SamplingConfig,
    num_source: int,
    clip_id: str = "",  # noqa: ARG001
) -> list[np.ndarray]:
    return consecutive_clips(num_source, sampling.num_frames, frame_step=sampling.frame_step)


def _leave_targets(
    transform: EvaluationTransform,
    frames: torch.Tensor,
    targets: torch.Tensor,
    generator: torch.Generator | None = None,  # noqa: ARG001
) -> tuple[torch.Tensor, torch.Tensor]:
    return transform(frames), targets


def _check_directions(config: Config, labels: LabelSet) -> None:
    if config.augment.flip_labels == "keep" or not labels.flip_pairs:
        return
    augment, evaluation = config.augment, config.evaluation
    turns = {
        "augment.vertical_flip": augment.enabled and augment.vertical_flip,
        "augment.quarter_turn": augment.enabled and augment.quarter_turn,
        "evaluation.vertical_flip": evaluation.vertical_flip,
        "evaluation.quarter_turn": evaluation.quarter_turn,
    }
    if any(turns.values()):
        left, right = (labels.class_names[index] for index in labels.flip_pairs[0])
        used = " and ".join(name for name, value in turns.items() if value)
        raise ConfigError(
            f"{used} must be 0 or false: the classes {left} and {right} have a direction, and "
            "what they become when turned is not known"
        )


def _build_flips(augment: AugmentConfig, labels: LabelSet) -> RandomFlips:
    return RandomFlips(
        augment.horizontal_flip,
        augment.vertical_flip,
        augment.quarter_turn,
        labels.flip_pairs if augment.flip_labels == "swap" else (),
    )
