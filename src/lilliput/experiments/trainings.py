"""What a table's rows are made of: trainings, scores and reports, each kept once it is made.

::

    OUT/data.json                      the clips that all of this is about
    OUT/trainings/NAME-HASH/           a run folder; rows of equal training settings share it
        finished                       there once the training has ended
        scores/SPLIT-HASH.npz          scores of one choice of test-time augmentation
    OUT/rows/RECIPE-seedS-SPLIT/       a row's report, as `lilliput evaluate` writes it
        row.json                       its settings, written last
"""

import dataclasses
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lilliput.checkpoint import Checkpoint, load_checkpoint
from lilliput.config import NEUTRAL_SETTINGS, VIEW_SETTINGS, Config
from lilliput.data import VideoDataset
from lilliput.errors import DataError
from lilliput.evaluation.evaluate import tune_thresholds
from lilliput.evaluation.rendering import write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips, load_scores
from lilliput.experiments.run import score_with_progress
from lilliput.experiments.saved import SCORES_FILE, SavedReport, read_report_folder
from lilliput.training.fit import fit

_FINISHED = "finished"
_SETTINGS = "row.json"
_NOT_TRAINING: dict[str, bool | set[str]] = {"title": True, "evaluation": True, **NEUTRAL_SETTINGS}


@dataclass(frozen=True)
class RowRun:
    """One row at one seed.

    Attributes:
        recipe: The row's recipe.
        config: Its settings at this scale and seed.
        split: What it is evaluated on.
        out: The folder of all experiments.
    """

    recipe: str
    config: Config
    split: str
    out: Path

    @property
    def training(self) -> Path:
        """The run folder, which rows of equal training settings share."""
        return self.out / "trainings" / training_name(self.config)

    @property
    def folder(self) -> Path:
        """The report folder."""
        slug = self.recipe.removeprefix("thesis/").replace("/", "-")
        return self.out / "rows" / f"{slug}-seed{self.config.training.seed}-{self.split}"

    @property
    def trained(self) -> bool:
        """Whether the training has ended and what it left is still there."""
        kept = (_FINISHED, "best.safetensors", "history.csv")
        return all((self.training / name).is_file() for name in kept)

    @property
    def done(self) -> bool:
        """Whether the report is there, whole, and was made with these settings."""
        path = self.folder / _SETTINGS
        if not path.is_file() or path.read_bytes() != _as_json(self.config).encode():
            return False
        try:
            saved = read_row(self)
        except DataError:
            return False
        return bool(len(saved.thresholds) == saved.scored.scores.shape[1])


def training_name(config: Config) -> str:
    """A readable name that is the same for settings that give the same training."""
    model, training = config.model, config.training
    settings = config.model_dump(mode="json", exclude=_NOT_TRAINING)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    words = [
        f"{model.name}{model.depth if 'depth' in model.used_settings else ''}",
        "adapted" if model.adapted else "",
        "attention" if model.pool == "attention" else "",
        "filters" if model.classifier == "filter_bank" else "",
        config.sampling.method,
        "augmented" if config.augment.enabled else "",
        "asymmetric" if config.loss.name == "asymmetric" else "",
        f"seed{training.seed}",
        digest[:8],
    ]
    return "-".join(word for word in words if word)


def train(run: RowRun, dataset: VideoDataset) -> None:
    """Trains, or goes on with what was interrupted; a finished training is not touched."""
    if not run.trained:
        if (run.training / _FINISHED).is_file():  # it ended, but its model was lost since
            shutil.rmtree(run.training)
        fit(run.config, dataset, run.training, resume=True)
        (run.training / _FINISHED).touch()


def evaluate(run: RowRun, dataset: VideoDataset) -> None:
    """Tunes the row's thresholds on the validation split and reports on the row's split."""
    if run.done:
        return
    checkpoint = _load(run)
    thresholds = tune_thresholds(score(run, dataset, run.config.data.val), run.config.evaluation)
    scored = score(run, dataset, run.split)
    report = row_report(run, scored, thresholds, note=checkpoint.note)
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / _SETTINGS).unlink(missing_ok=True)  # of another report, until this one is whole
    scored.save(run.folder / SCORES_FILE)
    write_report(report, run.folder)
    (run.folder / _SETTINGS).write_text(_as_json(run.config), encoding="utf-8")


def row_report(
    run: RowRun, scored: ScoredClips, thresholds: np.ndarray, note: str = ""
) -> dict[str, Any]:
    """The document of ``report.json``."""
    facts = {"recipe": run.recipe, "model": str(run.training), "split": run.split}
    return evaluate_report(scored, thresholds, ReportContext(run.config.title, note, facts))


def read_row(run: RowRun) -> SavedReport:
    """What a finished row predicts."""
    return read_report_folder(run.folder)


def score(run: RowRun, dataset: VideoDataset, split: str) -> ScoredClips:
    """Scores of a split with the row's views, kept for the rows that share them."""
    views = {key.partition(".")[2] for key in VIEW_SETTINGS}
    settings = run.config.evaluation.model_dump_json(include=views)
    digest = hashlib.sha256(settings.encode()).hexdigest()[:8]
    path = run.training / "scores" / f"{split}-{digest}.npz"
    try:
        return load_scores(path)
    except DataError:  # not there yet, or damaged
        scored = score_with_progress(_load(run), dataset, split)
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial.npz")
    scored.save(partial)
    partial.replace(path)  # a kill never leaves half a file
    return scored


def claim(out: Path, dataset: VideoDataset) -> None:
    """Marks the folder as being about these clips.

    Raises:
        DataError: It is about others.
    """
    clips = {
        name: [(clip.clip_id, clip.labels) for clip in split]
        for name, split in sorted(dataset.splits.items())
    }
    document = json.dumps([dataset.labels.class_names, clips])
    digest = hashlib.sha256(document.encode()).hexdigest()
    path = out / "data.json"
    if path.is_file():
        if digest.encode() not in path.read_bytes():
            raise DataError(
                f"{out}: holds experiments on other clips, or its data.json is damaged; choose "
                "another --out"
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    facts = {"root": str(dataset.root), "sha256": digest}
    partial = path.with_name(".data.json.partial")
    partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _load(run: RowRun) -> Checkpoint:
    checkpoint = load_checkpoint(run.training / "best.safetensors")
    return dataclasses.replace(checkpoint, config=run.config)


def _as_json(config: Config) -> str:
    return config.model_dump_json(indent=1, exclude=NEUTRAL_SETTINGS) + "\n"
