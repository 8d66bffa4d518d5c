"""The models that a training learns from: which may teach it, and what they say of a clip."""

from collections.abc import Sequence

import torch
from torch import nn

from lilliput.checkpoint import Checkpoint, load_checkpoint
from lilliput.config import Config
from lilliput.data import LabelSet
from lilliput.errors import ConfigError
from lilliput.models.pooled import find_classifiers, forward_pooled
from lilliput.scoring.logits import score_logits
from lilliput.task import Task


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
        pairs = [forward_pooled(model.to(larger.device), larger) for model in self.models]
        features = torch.stack([feature for _, feature in pairs]).mean(dim=0)
        return self._mean_scores([logits for logits, _ in pairs]), features

    def _mean_scores(self, logits: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.stack([score_logits(each, self.task) for each in logits]).mean(dim=0)


def feature_loss(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """One minus the cosine between two nets' features, (N, C) each, averaged over the clips."""
    similarity = nn.functional.cosine_similarity(ours.float(), theirs.float())
    return (1 - similarity).mean()


def check_features(names: Sequence[str], model: nn.Module, teachers: Sequence[Checkpoint]) -> None:
    """Refuses features that cannot be compared.

    Raises:
        ConfigError: The classifiers of the networks read vectors of other lengths.
    """
    ours = _num_features(model)
    for name, teacher in zip(names, teachers, strict=True):
        theirs = _num_features(teacher.build_model())
        if ours != theirs:
            raise ConfigError(
                f"training.teacher_features: the network has {ours} features, '{name}' has "
                f"{theirs}; choose networks of equal width and depth, or leave it out"
            )


def _num_features(network: nn.Module) -> int:
    return sum(layer.in_features for layer in find_classifiers(network))
