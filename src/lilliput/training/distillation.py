"""Learning from the scores of trained models beside the labels (knowledge distillation).

The scores of the teachers, averaged, take a share of the targets: with cross entropy, whose loss
is linear in the targets, that is the usual sum of two losses, and every other setting goes on as
without a teacher. A teacher may see the clips larger than the network that learns from it, be
several, or be an earlier training of the same network (born again).

Sources: Hinton et al., Distilling the Knowledge in a Neural Network, 2015; Furlanello et al.,
Born-Again Neural Networks, ICML 2018; Beyer et al., Knowledge Distillation: A Good Teacher Is
Patient and Consistent, CVPR 2022 (teachers that see the same view).
"""

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint, find_checkpoint
from lilliput.config import Config
from lilliput.data import LabelSet
from lilliput.data.loading import EvaluationClips, FrameSource, TrainingClips, collate
from lilliput.scoring.logits import score_logits
from lilliput.training.teachers import ViewTeacher
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import Flips, swap_order
from lilliput.video.paired import PairedTransform
from lilliput.video.transforms import TrainingTransform

SCORES_FILE = "teacher.npz"


def prepare_teaching(
    teachers: Sequence[Checkpoint],
    clips: TrainingClips,
    labels: LabelSet,
    config: Config,
    folder: Path,
) -> ViewTeacher | None:
    """Lets the training clips carry what the teachers say of them, or what these are to see.

    Args:
        teachers: None changes nothing.
        clips: The training clips.
        labels: Their classes.
        config: The recipe.
        folder: The run folder, where fixed scores are kept for a resume.

    Returns:
        What scores each view while training; None where the scores are fixed.
    """
    if not teachers:
        return None
    if config.training.teacher_views == "fixed":
        scores = torch.from_numpy(_read_or_score(teachers, clips.source, labels, config, folder))
        clips.learned = blend(clips.targets, scores, config.training.teacher_weight)
        return None
    student, first = clips.transform, teachers[0]
    assert isinstance(student, TrainingTransform)  # "same" without augmentation was refused
    clips.transform = PairedTransform(
        student,
        TrainingTransform(
            RandomCrop(first.config.model.clip_size),
            first.normalisation,
            flips=student.flips,
            rand_augment=student.rand_augment,
            rand_augment_size=student.rand_augment_size,
            square=student.square,
        ),
    )
    return ViewTeacher(
        [teacher.build_model() for teacher in teachers],
        first.task,
        with_features=config.training.teacher_features > 0,
    )


def _read_or_score(
    teachers: Sequence[Checkpoint],
    source: FrameSource,
    labels: LabelSet,
    config: Config,
    folder: Path,
) -> np.ndarray:
    path, identity = folder / SCORES_FILE, _identity(source, config, labels)
    if path.is_file():
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            if str(saved["identity"]) == identity:
                kept: np.ndarray = saved["scores"]
                return kept
    scores = score_fixed(teachers, source, config, labels)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as target:
        np.savez_compressed(target, scores=scores, identity=np.array(identity))
    partial.replace(path)
    return scores


def _identity(source: FrameSource, config: Config, labels: LabelSet) -> str:
    """What fixed scores depend on: the teachers, the clips, and how they may be flipped.

    A run that ended before its first epoch did may begin anew, with others.
    """
    digest = hashlib.sha256()
    for name in config.training.teacher:
        digest.update(find_checkpoint(name).read_bytes())
    clips = [(clip.clip_id, str(clip.path)) for clip in source.clips]
    flips = (possible_flips(config), config.augment.flip_labels, labels.flip_pairs)
    digest.update(repr((clips, flips)).encode())
    return digest.hexdigest()


def blend(targets: torch.Tensor, scores: torch.Tensor, weight: float) -> torch.Tensor:
    """Targets of which the teachers' scores are a share: (N, K) in [0, 1]."""
    return torch.lerp(targets, scores.to(targets), weight)


@torch.inference_mode()
def score_fixed(
    teachers: Sequence[Checkpoint], source: FrameSource, config: Config, labels: LabelSet
) -> np.ndarray:
    """What teachers say of whole clips, averaged over the ways in which the recipe flips them.

    A clip that cannot be read has scores of 0; it is never learned.

    Returns:
        (N, K) scores.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scores = np.zeros((len(source), len(labels)), dtype=np.float32)
    flips = possible_flips(config)
    order = swap_order(len(labels), labels.flip_pairs)
    swaps = config.augment.flip_labels == "swap"
    for teacher in teachers:
        model = teacher.build_model().to(device)
        loader = DataLoader(
            EvaluationClips(
                source,
                len(labels),
                build_evaluation_sampler(teacher.config, num_clips=1),
                build_evaluation_transform(teacher.config, teacher.normalisation),
            ),
            config.evaluation.batch_size,
            collate_fn=collate,
        )
        for batch in loader:
            if len(batch.indices) == 0:
                continue
            assert isinstance(batch.clips, torch.Tensor)
            clips = batch.clips[:, 0].to(device)
            for flip in flips:
                found = score_logits(model(flip(clips)), teacher.task).cpu()
                found = found[:, order] if flip.horizontal and swaps else found
                scores[batch.indices.numpy()] += found.numpy() / (len(flips) * len(teachers))
    return scores


def possible_flips(config: Config) -> list[Flips]:
    """All the ways in which a recipe flips its training clips; unflipped is the first."""
    augment = config.augment
    chances = (augment.horizontal_flip, augment.vertical_flip, augment.quarter_turn)
    sides = [(False, True) if augment.enabled and chance else (False,) for chance in chances]
    return [Flips(*drawn) for drawn in itertools.product(*sides)]
