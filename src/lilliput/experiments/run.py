"""Whole jobs on labelled clips: train and tune, evaluate, submit."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress

from lilliput.checkpoint import Checkpoint, Description, load_checkpoint, save_checkpoint
from lilliput.config import Config, change_views
from lilliput.data import VideoDataset
from lilliput.errors import ConfigError
from lilliput.evaluation.evaluate import check_labels, score_split, with_thresholds
from lilliput.evaluation.history import read_history
from lilliput.evaluation.rendering import write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips, average_scores
from lilliput.evaluation.strips import FilmStrips, film_strips
from lilliput.evaluation.submission import write_submission
from lilliput.experiments.agreement import common_thresholds, read_same_task
from lilliput.experiments.saved import SCORES_FILE, SavedReport
from lilliput.training.fit import fit, settle

Forward = Callable[[torch.Tensor], torch.Tensor]  # clips (N, 3, T, H, W) to logits (N, K)


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
        ConfigError: The recipe has no validation split.
        TrainingError: The training cannot go on; see ``fit``.
    """
    if not config.data.val:
        raise ConfigError(
            "data.val is empty: nothing is left to report on; name a labeled split, or "
            "cross-validate with --folds 5"
        )
    config = settle(config, dataset)
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
        "split": _split_in_words(tuned, split),
    }
    history = read_history(folder / "history.csv")
    context = ReportContext(tuned.config.title, tuned.note, facts, history)
    strips = film_strips(dataset.split(split), scored, tuned.thresholds)
    return report_on(scored, tuned.thresholds, folder / split, context, strips=strips)


def evaluate_checkpoint(
    checkpoint: Checkpoint, dataset: VideoDataset, split: str, folder: Path, *, model: str
) -> Evaluation:
    """``evaluate_models`` of a single model, which has thresholds of its own."""
    return evaluate_models([checkpoint], dataset, split, folder, model=model)


def evaluate_models(
    models: Sequence[Description],
    dataset: VideoDataset,
    split: str,
    folder: Path,
    *,
    model: str,
    forwards: Sequence[Forward] = (),
    tuned: Path | None = None,
    baseline: Path | None = None,
) -> Evaluation:
    """Scores a labelled split and reports.

    Args:
        models: One, or several whose scores are averaged (an ensemble, section 5.1).
        dataset: Where the split is found.
        split: A labelled split.
        folder: Where ``scores.npz`` and the report go.
        model: What to call the model in the report.
        forwards: What runs each of them; none runs checkpoints in PyTorch.
        tuned: The report folder of ``lilliput tune`` whose thresholds to use; None takes the
            model's own.
        baseline: The report folder of another run on the same split, to compare with.

    Raises:
        DataError: The labels are withheld, or are several where the model gives one; or the
            thresholds are missing or do not fit; or several models are of different tasks.
    """
    clips = dataset.split(split)
    for one in models:  # refuses labels that do not fit before any work is done
        check_labels(one, clips)
    thresholds = common_thresholds(models, tuned)
    other = None if baseline is None else read_same_task(baseline, models[0])
    scored = _score_all(models, dataset, split, forwards)
    facts = {"model": model, "data": str(dataset.root)}
    facts["split"] = _split_in_words(models[0], split)
    single = len(models) == 1
    title = models[0].config.title if single else f"{len(models)} models, averaged"
    context = ReportContext(title, join_notes(one.note for one in models), facts)
    strips = film_strips(clips, scored, thresholds)
    return report_on(scored, thresholds, folder, context, strips=strips, baseline=other)


def change_model_views(model: Description, overrides: Sequence[str]) -> Description:
    """The model with other test-time augmentation; see ``change_views``."""
    return dataclasses.replace(model, config=change_views(model.config, overrides))


def submit(
    models: Sequence[Description],
    dataset: VideoDataset,
    split: str,
    path: Path,
    tuned: Path | None = None,
    forwards: Sequence[Forward] = (),
) -> ScoredClips:
    """Scores a split without labels; writes the challenge's zip and the scores beside it.

    Args:
        models: One, or several whose scores are averaged (an ensemble, section 5.1).
        dataset: Where the split is found.
        split: The split.
        path: The zip.
        tuned: The report folder of ``lilliput tune`` whose thresholds to use; None takes the
            model's own.
        forwards: What runs each of them; none runs checkpoints in PyTorch.

    Raises:
        DataError: Several models are of different tasks or classes, or come without thresholds
            for their average; or the thresholds do not fit.
    """
    thresholds = common_thresholds(models, tuned)
    scored = _score_all(models, dataset, split, forwards)
    write_submission(scored, thresholds, path)
    scored.save(path.with_name(f"{path.stem}_{SCORES_FILE}"))
    return scored


def _score_all(
    models: Sequence[Description],
    dataset: VideoDataset,
    split: str,
    forwards: Sequence[Forward],
) -> ScoredClips:
    return average_scores(
        [
            score_with_progress(model, dataset, split, forward)
            for model, forward in zip_longest(models, forwards)
        ]
    )


def score_with_progress(
    model: Description, dataset: VideoDataset, split: str, forward: Forward | None = None
) -> ScoredClips:
    """``score_split`` with a progress bar."""
    with Progress(transient=True) as progress:
        total = len(dataset.split(split, labelled=False))
        task = progress.add_task(f"scoring {split}", total=total)
        return score_split(
            model,
            dataset,
            split,
            forward=forward,
            advance=lambda done: progress.advance(task, done),
        )


def join_notes(notes: Iterable[str]) -> str:
    """The warnings of several models or reports, each once."""
    return "; ".join(dict.fromkeys(note for note in notes if note))


def _split_in_words(checkpoint: Description, split: str) -> str:
    """The split's name, and a warning where scores flatter."""
    if split in checkpoint.config.data.train.split("+"):
        return f"{split} (the model learned from the split of this name, so scores flatter)"
    if split not in checkpoint.metrics:
        return split
    evaluation = checkpoint.config.evaluation
    chosen = ["best epoch"] if checkpoint.config.training.keep == "best" else []
    if checkpoint.task == "single" and evaluation.unknown_below == "tuned":
        chosen.append("unknown threshold")
    elif checkpoint.task == "multi" and evaluation.threshold != "fixed":
        chosen.append("thresholds")
    if not chosen:
        return split
    words = " and ".join(chosen)
    return f"{split} ({words} chosen on the split of this name, so scores flatter)"


def report_on(
    scored: ScoredClips,
    thresholds: Sequence[float] | np.ndarray,
    folder: Path,
    context: ReportContext,
    *,
    strips: FilmStrips | None = None,
    baseline: SavedReport | None = None,
) -> Evaluation:
    """Writes the scores and their report.

    Args:
        scored: Scores of labelled clips.
        thresholds: (K,) those in use.
        folder: Where all of it goes.
        context: Title, warning, facts and history.
        strips: Clips to look at, where they are at hand.
        baseline: Another run on the same clips, to compare with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scored.save(folder / SCORES_FILE)
    other = None if baseline is None else (baseline.scored, baseline.thresholds)
    report = evaluate_report(scored, np.asarray(thresholds), context, other)
    return Evaluation(report, write_report(report, folder, strips))
