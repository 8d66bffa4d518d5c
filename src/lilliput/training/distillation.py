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
from torch import nn
from torch.utils.data import DataLoader

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from lilliput.config import Config
from lilliput.data import LabelSet
from lilliput.data.loading import EvaluationClips, FrameSource, TrainingClips, collate
from lilliput.errors import ConfigError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.scoring.logits import score_logits
from lilliput.task import Task
from lilliput.video.flips import Flips, swap_order
from lilliput.video.paired import PairedTransform
from lilliput.video.transforms import TrainingTransform

SCORES_FILE = "teacher.npz"


def load_teachers(config: Config, labels: LabelSet) -> tuple[Checkpoint, ...]:
    """The models that a recipe names as teachers; none is the usual case.

    Raises:
        CheckpointError: One is missing or damaged.
        ConfigError: One knows other classes, or cannot see the clips as the recipe wants.
    """
    teachers = tuple(load_checkpoint(name) for name in config.training.teacher)
    for name, teacher in zip(config.training.teacher, teachers, strict=True):
        _check_teacher(name, teacher, config, labels)
    return teachers


def _check_teacher(name: str, teacher: Checkpoint, config: Config, labels: LabelSet) -> None:
    ours, theirs = labels.class_names, teacher.labels.class_names
    if ours != theirs:
        other = next((one for one in theirs if one not in ours), None)
        other = other or next((one for one in ours if one not in theirs), None)
        detail = f"class '{other}' is in one of them only" if other else "their order differs"
        raise ConfigError(
            f"training.teacher = '{name}': its classes are not those of the data: {detail}; "
            "train a teacher on the same classes"
        )
    if teacher.task != config.task:
        raise ConfigError(
            f"training.teacher = '{name}': was trained with task = '{teacher.task}', not "
            f"'{config.task}'; train one with the same task"
        )
    if config.training.teacher_views == "fixed":
        return
    if teacher.config.sampling.num_frames != config.sampling.num_frames:
        raise ConfigError(
            f"training.teacher = '{name}': takes {teacher.config.sampling.num_frames} frames, not "
            f"{config.sampling.num_frames}; set training.teacher_views = 'fixed'"
        )
    first = load_checkpoint(config.training.teacher[0])
    if teacher.clip_shape != first.clip_shape or teacher.normalisation != first.normalisation:
        raise ConfigError(
            f"training.teacher = '{name}': takes clips of another size or normalisation than the "
            "first teacher; set training.teacher_views = 'fixed'"
        )
    if not config.augment.enabled:
        raise ConfigError(
            "training.teacher_views = 'same' has no effect without augment.enabled; leave it out"
        )


def prepare_teaching(
    teachers: Sequence[Checkpoint],
    clips: TrainingClips,
    labels: LabelSet,
    config: Config,
    folder: Path,
) -> "ViewTeacher | None":
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
            first.config.model.input_size,
            first.normalisation,
            flips=student.flips,
            rand_augment=student.rand_augment,
            rand_augment_size=student.rand_augment_size,
        ),
    )
    return ViewTeacher(
        [teacher.build_model() for teacher in teachers],
        first.task,
        with_features=config.training.teacher_features > 0,
    )


class ViewTeacher:
    """Teachers that see each training clip as it is augmented, only larger.

    No ``nn.Module``: their weights are neither trained nor saved with the training.

    Args:
        models: Networks whose scores, and features, are averaged.
        task: How many labels a clip has.
        with_features: Give features, too.
    """

    def __init__(
        self, models: Sequence[nn.Module], task: Task, *, with_features: bool = False
    ) -> None:
        self.models = [model.eval().requires_grad_(False) for model in models]
        self.task: Task = task
        self.with_features = with_features

    @torch.no_grad()
    def __call__(self, larger: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(N, 3, T, L, L) to scores (N, K) and features (N, C), or None."""
        if not self.with_features:
            each = [model.to(larger.device)(larger) for model in self.models]
            return self._mean_scores(each), None
        pairs = [forward_features(model.to(larger.device), larger) for model in self.models]
        features = torch.stack([feature for _, feature in pairs]).mean(dim=0)
        return self._mean_scores([logits for logits, _ in pairs]), features

    def _mean_scores(self, logits: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.stack([score_logits(each, self.task) for each in logits]).mean(dim=0)


def forward_features(model: nn.Module, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits (N, K) of a network, and its last map averaged over time and space (N, C)."""
    assert isinstance(model, Classifier), "checked when the training began"
    stages = model.backbone(clips)
    return model.head(stages).sum(dim=0), stages[-1].mean(dim=(2, 3, 4))


def feature_loss(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """One minus the cosine between two nets' features, (N, C) each, averaged over the clips."""
    similarity = nn.functional.cosine_similarity(ours.float(), theirs.float())
    return (1 - similarity).mean()


def check_features(name: str, model: nn.Module, teacher: nn.Module) -> None:
    """Refuses features that cannot be compared.

    Raises:
        ConfigError: A network has no single last map, or the maps differ in their channels.
    """
    channels = [_last_channels(network) for network in (model, teacher)]
    if None in channels or channels[0] != channels[1]:
        ours, theirs = (count or "no single last map" for count in channels)
        raise ConfigError(
            f"training.teacher_features: the last map of the network has {ours} channels, that of "
            f"'{name}' {theirs}; choose networks of equal width and depth, or leave it out"
        )


def _last_channels(network: nn.Module) -> int | None:
    channels = getattr(getattr(network, "backbone", None), "out_channels", None)
    is_single = isinstance(network, Classifier) and isinstance(network.head, LinearHead)
    return int(channels[-1]) if is_single and channels else None


def _read_or_score(
    teachers: Sequence[Checkpoint],
    source: FrameSource,
    labels: LabelSet,
    config: Config,
    folder: Path,
) -> np.ndarray:
    path, identity = folder / SCORES_FILE, _identity(config.training.teacher)
    if path.is_file():
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            if str(saved["identity"]) == identity and len(saved["scores"]) == len(source):
                kept: np.ndarray = saved["scores"]
                return kept
    scores = score_fixed(teachers, source, config, labels)
    np.savez_compressed(path, scores=scores, identity=np.array(identity))
    return scores


def _identity(names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update(find_checkpoint(name).read_bytes())
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
    flips = _possible_flips(config)
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


def _possible_flips(config: Config) -> list[Flips]:
    augment = config.augment
    chances = (augment.horizontal_flip, augment.vertical_flip, augment.quarter_turn)
    sides = [(False, True) if augment.enabled and chance else (False,) for chance in chances]
    return [Flips(*drawn) for drawn in itertools.product(*sides)]
