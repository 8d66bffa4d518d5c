"""Whole jobs on labelled clips: train and tune, evaluate, tune again, submit."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from lilliput.checkpoint import Checkpoint, find_checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import Config, EvaluationConfig
from lilliput.data import VideoDataset
from lilliput.errors import DataError
from lilliput.evaluation.evaluate import score_split, tune_thresholds, with_thresholds
from lilliput.evaluation.rendering import write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips, average_scores, load_scores
from lilliput.evaluation.submission import write_submission
from lilliput.training.fit import fit

SCORES_FILE = "scores.npz"
REPORT_FILE = "report.json"


@dataclass(frozen=True)
class Evaluation:
    """A report (the document of ``report.json``) and the page it was written to."""

    report: dict[str, Any]
    page: Path


def run_recipe(
    config: Config, dataset: VideoDataset, folder: Path, *, resume: bool = False
) -> Evaluation:
    """Trains, tunes thresholds on the validation split, and reports on it.

    The tuned model is ``best.safetensors`` of the run folder; the report lies in ``val/``.

    Raises:
        TrainingError: The training cannot go on; see ``fit``.
    """
    path = fit(config, dataset, folder, resume=resume)
    split = config.data.val
    # A resumed run may evaluate in another way than it began with.
    checkpoint = dataclasses.replace(load_checkpoint(path), config=config)
    scored = score_with_progress(checkpoint, dataset, split)
    tuned = with_thresholds(checkpoint, scored, split)
    save_checkpoint(tuned, path)
    facts = {
        "model": str(path),
        "data": str(dataset.root),
        "split": f"{split} (thresholds tuned on it)",
    }
    return _report(tuned.config.title, tuned.note, scored, tuned.thresholds, folder / split, facts)


def evaluate_checkpoint(
    checkpoint: Checkpoint,
    dataset: VideoDataset,
    split: str,
    folder: Path,
    *,
    model: str,
    baseline: Path | None = None,
) -> Evaluation:
    """Scores a labelled split with the checkpoint's own thresholds and reports.

    Args:
        checkpoint: The model.
        dataset: Where the split is found.
        split: A labelled split.
        folder: Where ``scores.npz`` and the report go.
        model: What to call the model in the report.
        baseline: The report folder of another run on the same split, to compare with.
    """
    dataset.split(split)  # refuses withheld labels before any work is done
    other = None if baseline is None else read_report_folder(baseline)
    scored = score_with_progress(checkpoint, dataset, split)
    facts = {"model": model, "data": str(dataset.root), "split": split}
    return _report(
        checkpoint.config.title,
        checkpoint.note,
        scored,
        checkpoint.thresholds,
        folder,
        facts,
        other,
    )


def tune_again(
    folders: Sequence[Path], config: EvaluationConfig, out: Path, model: Path | None = None
) -> Evaluation:
    """Tunes thresholds from saved scores, without a second pass over the clips.

    Args:
        folders: Report folders; the scores of several are averaged (an ensemble, section 5.1).
        config: What to tune, and how.
        out: Where the scores and their report go.
        model: A checkpoint to write the thresholds into.
    """
    scored = average_scores([read_report_folder(folder)[0] for folder in folders])
    thresholds = tune_thresholds(scored, config)
    if model is not None:
        _write_thresholds(find_checkpoint(model.resolve()), scored, config)
    facts = {
        "scores": ", ".join(map(str, folders)),
        "thresholds": f"{config.threshold}, tuned here",
    }
    return _report("Thresholds tuned again", "", scored, thresholds, out, facts)


def _write_thresholds(path: Path, scored: ScoredClips, config: EvaluationConfig) -> None:
    checkpoint = load_checkpoint(path)
    if tuple(scored.class_names) != checkpoint.labels.class_names:
        raise DataError(f"{path}: knows other classes than these scores")
    # The views that were scored stay as they are.
    tuning = config.model_dump(include={"threshold", "objective", "min_support"})
    evaluation = checkpoint.config.evaluation.model_copy(update=tuning)
    changed = checkpoint.config.model_copy(update={"evaluation": evaluation})
    checkpoint = dataclasses.replace(checkpoint, config=changed)
    save_checkpoint(with_thresholds(checkpoint, scored, "tuning"), path)


def submit(checkpoint: Checkpoint, dataset: VideoDataset, split: str, path: Path) -> ScoredClips:
    """Scores a split without labels; writes the challenge's zip and the scores beside it."""
    scored = score_with_progress(checkpoint, dataset, split)
    write_submission(scored, np.array(checkpoint.thresholds), path)
    scored.save(path.with_name(f"{path.stem}_{SCORES_FILE}"))
    return scored


def score_with_progress(checkpoint: Checkpoint, dataset: VideoDataset, split: str) -> ScoredClips:
    """``score_split`` with a progress bar."""
    with Progress(transient=True) as progress:
        total = len(dataset.split(split, labelled=False))
        task = progress.add_task(f"scoring {split}", total=total)
        return score_split(
            checkpoint, dataset, split, advance=lambda done: progress.advance(task, done)
        )


def read_report_folder(folder: Path) -> tuple[ScoredClips, np.ndarray]:
    """The scores in a report folder, and the thresholds that its report used.

    Raises:
        DataError: It is not a folder that ``lilliput evaluate`` wrote.
    """
    scored = load_scores(folder / SCORES_FILE)
    try:
        report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
        thresholds = [row["threshold"] for row in report["per_class"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / REPORT_FILE}: not a report of `lilliput evaluate` ({error})"
        ) from None
    return scored, np.array(thresholds)


def _report(
    title: str,
    note: str,
    scored: ScoredClips,
    thresholds: Sequence[float] | np.ndarray,
    folder: Path,
    facts: dict[str, str],
    baseline: tuple[ScoredClips, np.ndarray] | None = None,
) -> Evaluation:
    folder.mkdir(parents=True, exist_ok=True)
    scored.save(folder / SCORES_FILE)
    context = ReportContext(title or "Evaluation", note, facts)
    report = evaluate_report(scored, np.asarray(thresholds), context, baseline)
    return Evaluation(report, write_report(report, folder))
