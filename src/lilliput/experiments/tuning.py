"""Thresholds tuned again from saved scores."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lilliput.checkpoint import find_checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import EvaluationConfig
from lilliput.errors import DataError
from lilliput.evaluation.evaluate import tune_thresholds, with_thresholds
from lilliput.evaluation.report import ReportContext
from lilliput.evaluation.scored import ScoredClips, average_scores
from lilliput.experiments.run import Evaluation, join_notes, report_on
from lilliput.experiments.saved import read_report_folder
from lilliput.task import IN_WORDS


def tune_again(
    folders: Sequence[Path], config: EvaluationConfig, out: Path, model: Path | None = None
) -> Evaluation:
    """Tunes thresholds from saved scores, without a second pass over the clips.

    Args:
        folders: Report folders; the scores of several are averaged (an ensemble, section 5.1).
        config: What to tune, and how; see ``tune_thresholds``.
        out: Where the scores and their report go.
        model: A checkpoint to write the thresholds into.

    Raises:
        DataError: The folders hold no scores of the same clips, or thresholds of an ensemble
            should be written into one model, or into one of another task.
    """
    if model is not None and len(folders) > 1:
        raise DataError(
            f"{model}: thresholds of several averaged models fit none of them; give one report "
            "folder, or leave out --model"
        )
    saved = [read_report_folder(folder) for folder in folders]
    scored = average_scores([report.scored for report in saved])
    thresholds = tune_thresholds(scored, config)
    if model is not None:
        _write_thresholds(find_checkpoint(model.resolve()), scored, config)
    facts = {
        "scores": ", ".join(map(str, folders)),
        "thresholds": _in_words(scored, config, thresholds),
    }
    context = ReportContext("Tuned again", join_notes(report.note for report in saved), facts)
    return report_on(scored, thresholds, out, context)


def _in_words(scored: ScoredClips, config: EvaluationConfig, thresholds: np.ndarray) -> str:
    if scored.task == "single":
        return f"unknown below {thresholds[0]:.3f}, tuned here"
    return f"{config.threshold}, tuned here"


def _write_thresholds(path: Path, scored: ScoredClips, config: EvaluationConfig) -> None:
    checkpoint = load_checkpoint(path)
    if tuple(scored.class_names) != checkpoint.labels.class_names:
        raise DataError(f"{path}: knows other classes than these scores")
    if scored.task != checkpoint.task:
        raise DataError(
            f"{path}: gives {IN_WORDS[checkpoint.task]}, these scores are of a model that gives "
            f"{IN_WORDS[scored.task]}; give the model that they are of"
        )
    # The views that were scored stay as they are.
    tuning = config.model_dump(include={"threshold", "objective", "min_support"})
    if scored.task == "single":
        limit = float(tune_thresholds(scored, config)[0])
        tuning = {"objective": config.objective, "unknown_below": limit}
    evaluation = checkpoint.config.evaluation.model_copy(update=tuning)
    changed = checkpoint.config.model_copy(update={"evaluation": evaluation})
    checkpoint = dataclasses.replace(checkpoint, config=changed)
    save_checkpoint(with_thresholds(checkpoint, scored, "tuning"), path)
