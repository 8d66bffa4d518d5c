"""Cross-validation by recording: honest scores from little data.

::

    RUN/config.json       the recipe              RUN/folds.csv   which clip is in which fold
    RUN/fold-1/ …         a run folder per fold, trained on the other folds
        finished          there once the training has ended
    RUN/all/              the run folder of one more model, trained on all clips
    RUN/folds/            the report on all clips, each scored by the model that has not seen it
    RUN/best.safetensors  that one more model, or the folds' models as one

No model sees its own fold before it is scored: trainings have no validation split, so that the
last epoch counts, and thresholds that a fold is judged with are tuned on the other folds.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lilliput.builders import build_labels
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.folds import Folds, check_folds, divide, holds_folds, pool_dataset, write_folds
from lilliput.errors import ConfigError, TrainingError
from lilliput.evaluation.evaluate import measure, tune_thresholds
from lilliput.evaluation.rendering import write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips, join_scores
from lilliput.evaluation.strips import film_strips
from lilliput.experiments.ensemble import make_ensemble
from lilliput.experiments.run import Evaluation, score_with_progress
from lilliput.experiments.saved import SCORES_FILE
from lilliput.training.fit import fit, settle
from lilliput.training.folder import prepare_folder, write_settings
from lilliput.training.recorder import RESUME_FILE

Final = Literal["all", "ensemble"]
REPORT = "folds"  # the report's folder, and the name of its scores in the model
_TABLE = "folds.csv"
_FINISHED = "finished"


@dataclass(frozen=True)
class FoldScores:
    """Scores of all clips, each from the model that has not seen its fold.

    Attributes:
        scored: Fold after fold.
        thresholds: (K,) tuned on all clips, for new ones.
        held_out: (N, K) those that each clip is judged with, tuned on the other folds.
    """

    scored: ScoredClips
    thresholds: np.ndarray
    held_out: np.ndarray


def cross_validate(
    config: Config,
    dataset: VideoDataset,
    folder: Path,
    *,
    num_folds: int = 5,
    final: Final = "all",
    resume: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Trains a model per fold, reports on what they say of clips they have not seen, and keeps one.

    Args:
        config: The recipe. Its training and validation splits are pooled.
        dataset: The clips.
        folder: The run folder.
        num_folds: Folds, at least 2.
        final: What ``best.safetensors`` becomes: one more model, trained on ``"all"`` clips, or
            the ``"ensemble"`` of the folds' models. Its thresholds are tuned on all clips.
        resume: Go on; folds that are done are left as they are.
        tell: Given a line for each class that some fold does without, and for each step.

    Returns:
        The report, which lies in ``folds/`` of the run folder.

    Raises:
        ConfigError: The recipe stops early, which takes a split to stop on, or asks for several
            devices.
        DataError: A class has too few clips or recordings.
        TrainingError: The folder is taken, or began with other folds; see ``fit``.
    """
    _check_recipe(config)
    recipe = config
    dataset, name = pool_dataset(dataset, config.data.train, config.data.val)
    dataset = dataclasses.replace(dataset, labels=build_labels(config, dataset.labels))
    data = config.data.model_copy(update={"train": name, "val": ""})
    config = settle(config.model_copy(update={"data": data}), dataset)
    folds = divide(dataset.split(name), num_folds, seed=config.training.seed)
    for note in check_folds(dataset, folds, config.known_task):
        tell(f"note: {note}")
    if config.training.teacher:
        tell("note: a teacher that has learned from these clips makes their scores flatter")
    _claim(folder, folds, resume)
    recipe = recipe.model_copy(update={"task": config.task, "loss": config.loss})
    write_settings(recipe, folder)
    models, parts = [], []
    for number in range(1, num_folds + 1):
        tell(f"fold {number} of {num_folds}")
        apart, held_out = _hold_out(dataset, name, folds, number)
        models.append(_train(config, apart, folder / f"fold-{number}", resume))
        parts.append(score_with_progress(models[-1], apart, held_out))
    scores = _judge(parts, config)
    if final == "all":
        tell(f"all {len(scores.scored.clip_ids)} clips")
        model = _train(config, dataset, folder / "all", resume)
    else:
        model = make_ensemble(models)
    save_checkpoint(_with_scores(model, scores), folder / "best.safetensors")
    return _report(model, dataset, scores, folder, num_folds)


def _check_recipe(config: Config) -> None:
    if config.training.patience:
        raise ConfigError(
            f"training.patience = {config.training.patience}: with --folds there is no split to "
            "stop on, since the clips of a fold must not choose its model; set it to 0"
        )
    if config.training.devices != 1:
        raise ConfigError(
            f"training.devices = {config.training.devices}: folds are trained on one device; set "
            "it to 1"
        )


def _claim(folder: Path, folds: Folds, resume: bool) -> None:
    """Writes the table of folds, or checks that the run began with it."""
    table = folder / _TABLE
    if not table.is_file() and _holds_run(folder):
        raise TrainingError(f"{folder}: holds a run without folds; choose another --run")
    # One that ended before its first epoch did leaves nothing to go on from, or to lose.
    if table.is_file() and _holds_run(folder / "fold-1"):
        if not resume:
            raise TrainingError(
                f"{folder}: holds a run already; add --resume, or choose another --run"
            )
        if not holds_folds(table, folds):
            raise TrainingError(
                f"{folder}: began with other folds or clips than these; resume with the same "
                "--folds, data and training.seed, or choose another --run"
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_folds(table, folds)


def _holds_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (RESUME_FILE, "best.safetensors"))


def _hold_out(
    dataset: VideoDataset, name: str, folds: Folds, number: int
) -> tuple[VideoDataset, str]:
    """The data set without a fold's clips in its training split, and the split that has them."""
    held_out = f"fold {number}"
    chosen = set(folds[number - 1])
    rest = [clip for clip in dataset.split(name) if clip not in chosen]
    return dataclasses.replace(dataset, splits={name: rest, held_out: folds[number - 1]}), held_out


def _train(config: Config, dataset: VideoDataset, folder: Path, resume: bool) -> Checkpoint:
    """Trains, or takes what was trained already, if it began with the same settings."""
    finished = folder / _FINISHED
    if resume and finished.is_file():
        prepare_folder(config, dataset, folder, resume=True)
    else:
        fit(config, dataset, folder, resume=resume)
        finished.touch()
    # A resumed run may evaluate in another way than it began with.
    return dataclasses.replace(load_checkpoint(folder / "last.safetensors"), config=config)


def _judge(parts: Sequence[ScoredClips], config: Config) -> FoldScores:
    scored = join_scores(parts)
    held_out = []
    for number, part in enumerate(parts):
        others = join_scores([*parts[:number], *parts[number + 1 :]])
        thresholds = tune_thresholds(others, config.evaluation)
        held_out.append(np.broadcast_to(thresholds, part.scores.shape))
    thresholds = tune_thresholds(scored, config.evaluation)
    return FoldScores(scored, thresholds, np.concatenate(held_out))


def _with_scores(model: Checkpoint, scores: FoldScores) -> Checkpoint:
    metrics = measure(scores.scored, scores.held_out)
    return dataclasses.replace(
        model,
        thresholds=tuple(float(value) for value in scores.thresholds),
        metrics={**model.metrics, REPORT: metrics},
    )


def _report(
    model: Checkpoint, dataset: VideoDataset, scores: FoldScores, folder: Path, num_folds: int
) -> Evaluation:
    evaluation = model.config.evaluation
    single = model.task == "single"
    choice = evaluation.unknown_below if single else evaluation.threshold
    facts = {
        "model": str(folder / "best.safetensors"),
        "data": str(dataset.root),
        "split": f"{model.config.data.train}, in {num_folds} folds of whole recordings; each clip "
        "is scored by a model that was trained on the other folds",
        "thresholds": "those of the recipe",
    }
    if choice in ("tuned", "global", "per_class"):
        facts["thresholds"] = (
            "each fold is judged with thresholds tuned on the other folds; shown are those of the "
            "model, tuned on all clips"
        )
    title = f"{model.config.title or 'Evaluation'}, cross-validated, {num_folds} folds"
    context = ReportContext(title, model.note, facts)
    report = evaluate_report(scores.scored, scores.held_out, context)
    for row, threshold in zip(report["per_class"], scores.thresholds.tolist(), strict=True):
        row["threshold"] = threshold
    if single:
        report["unknown_below"] = float(scores.thresholds.max())
    target = folder / REPORT
    target.mkdir(parents=True, exist_ok=True)
    scores.scored.save(target / SCORES_FILE)
    clips = dataset.split(model.config.data.train)
    strips = film_strips(clips, scores.scored, scores.held_out)
    return Evaluation(report, write_report(report, target, strips))
