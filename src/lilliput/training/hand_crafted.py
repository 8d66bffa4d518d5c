"""Hand-crafted features fitted to a data set: what stands beside the loop of networks (2.1.1).

A run folder is written as theirs: ``config.json``, ``best.safetensors`` and the same file as
``last.safetensors``, ``history.csv`` of the one step there is, ``unreadable.txt``. What was begun
and not finished begins anew.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch.utils.data import DataLoader, Subset

from lilliput.builders import (
    build_evaluation_sampler,
    build_evaluation_transform,
    build_loss,
    build_model,
)
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.loading import EvaluationClips, collate
from lilliput.errors import TrainingError
from lilliput.models.idt.classifier import Idt
from lilliput.models.idt.extraction import Described
from lilliput.models.idt.learning import fit_fisher, fit_svm, import_sklearn
from lilliput.training.batches import TrainingData, prepare_data
from lilliput.training.recorder import COLUMNS, write_history

_CODEBOOK_CLIPS = 200  # that PCA and mixtures are fitted to
_DESCRIPTORS = 50_000  # of them, of each kind
_BATCH = 8


def fit_hand_crafted(config: Config, dataset: VideoDataset, folder: Path, *, note: str) -> Path:
    """Fits PCA, mixtures and SVM to the training split, into a run folder that is ready.

    Args:
        config: A recipe of ``model.name = "idt"``, with nothing left to the data.
        dataset: Where its training split is found.
        folder: The run folder; a finished one is left as it is.
        note: A warning to show whenever the model is used.

    Returns:
        The model's checkpoint, not yet with tuned thresholds.

    Raises:
        ConfigError: OpenCV or scikit-learn is not installed.
        DataError: The clips hold too few trajectories.
        TrainingError: Not two clips can be read.
    """
    best = folder / "best.safetensors"
    if best.is_file():
        return best
    import_sklearn()
    torch.manual_seed(config.training.seed)
    model = build_model(config.model, len(dataset.labels), config.sampling.num_frames)
    assert isinstance(model, Idt)
    data = prepare_data(config, dataset)
    clips = _TrainingClips(config, data)
    described = _fit_codebooks(model.eval(), clips, config.training.seed)
    rows, vectors = _encode(model, clips, described)
    clips.write_unreadable(folder)
    loss = _fit_classifier(model, config, data, rows, vectors)
    row = {name: math.nan for name in COLUMNS} | {"epoch": 1, "train_loss": loss}
    checkpoint = Checkpoint(
        state=model.state_dict(),
        config=config,
        labels=dataset.labels,
        normalisation=data.normalisation,
        clip_seconds=data.clip_seconds,
        thresholds=(config.evaluation.fixed_threshold,) * len(dataset.labels),
        metrics={"training": row},
        note=note,
    )
    write_history([row], folder)
    save_checkpoint(checkpoint, folder / "last.safetensors")
    save_checkpoint(checkpoint, best)
    return best


class _TrainingClips:
    """The training clips as evaluation sees clips; keeps the reasons of those it cannot read."""

    def __init__(self, config: Config, data: TrainingData) -> None:
        self.clips = EvaluationClips(
            data.train.source,
            data.train.targets.shape[1],
            build_evaluation_sampler(config, num_clips=1),
            build_evaluation_transform(config, data.normalisation),
        )
        self._workers = config.data.workers
        self._unreadable: dict[int, str] = {}

    def read(self, chosen: Sequence[int], what: str) -> Iterator[tuple[int, torch.Tensor]]:
        """Index and clip (3, T, H, W), in order, with a progress bar."""
        loader = DataLoader(
            Subset(self.clips, chosen), _BATCH, num_workers=self._workers, collate_fn=collate
        )
        with Progress(transient=True) as progress:
            task = progress.add_task(what, total=len(chosen))
            for batch in loader:
                self._unreadable |= {clip.index: clip.reason for clip in batch.unreadable}
                progress.advance(task, len(batch.unreadable))
                for index, views in zip(batch.indices.tolist(), batch.clips, strict=False):
                    yield index, views[0]
                    progress.advance(task)

    def write_unreadable(self, folder: Path) -> None:
        """Lists them, where there are any."""
        if self._unreadable:
            lines = [f"train: {reason}" for _, reason in sorted(self._unreadable.items())]
            (folder / "unreadable.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fit_codebooks(model: Idt, clips: _TrainingClips, seed: int) -> dict[int, Described]:
    """PCA and mixture of each descriptor, then those of stacked Fisher vectors.

    Returns:
        The trajectories of the clips that they are fitted to, which need not be found again.
    """
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(clips.clips))[:_CODEBOOK_CLIPS].tolist())
    read = clips.read(chosen, "trajectories for the codebooks")
    described = {index: model.describe(clip) for index, clip in read}
    if not described:
        raise TrainingError("not one training clip can be read; see `lilliput data check`")
    parts = [_draw(part, -(-_DESCRIPTORS // len(chosen)), rng) for part in described.values()]
    for name, encoder in model.fisher.items():
        descriptors = np.concatenate([part.descriptors[name] for part in parts])
        fit_fisher(encoder, descriptors, seed=seed)  # type: ignore[arg-type]
    if model.second is not None:
        vectors = [model.encode_subvolumes(part) for part in parts if len(part)]
        fit_fisher(model.second, torch.cat(vectors).numpy(), seed=seed)
    return described


def _draw(described: Described, count: int, rng: np.random.Generator) -> Described:
    """At most so many of a clip's trajectories."""
    kept = rng.permutation(len(described))[:count]
    descriptors = {name: values[kept] for name, values in described.descriptors.items()}
    return Described(descriptors, described.centers[kept])


def _encode(
    model: Idt, clips: _TrainingClips, described: dict[int, Described]
) -> tuple[list[int], np.ndarray]:
    """The clips that can be read, and their vectors (N, D); some may be described already."""
    vectors = {index: model.encode(part).numpy() for index, part in described.items()}
    still = sum(not len(part) for part in described.values())
    rest = [index for index in range(len(clips.clips)) if index not in described]
    for index, clip in clips.read(rest, "Fisher vectors"):
        part = model.describe(clip)
        still += not len(part)
        vectors[index] = model.encode(part).numpy()
    rows = sorted(vectors)
    if len(rows) < 2:
        raise TrainingError("fewer than two training clips can be read; see `lilliput data check`")
    if still:
        sys.stderr.write(f"note: {still} of {len(rows)} training clips hold no trajectory\n")
    return rows, np.stack([vectors[row] for row in rows])


def _fit_classifier(
    model: Idt, config: Config, data: TrainingData, rows: list[int], vectors: np.ndarray
) -> float:
    """Puts the SVM into the linear layer; returns the loss that a network would have."""
    targets = data.train.targets[rows]
    recordings = np.array([data.train.source.clips[row].recording for row in rows])
    weights, offsets = fit_svm(
        vectors,
        targets.numpy(),
        recordings,
        config.known_task,
        cost=config.model.idt.svm_cost,
        seed=config.training.seed,
    )
    with torch.no_grad():
        model.fc.weight.copy_(torch.from_numpy(weights))
        model.fc.bias.copy_(torch.from_numpy(offsets))
        logits = model.fc(torch.from_numpy(vectors))
    loss = build_loss(config.loss, config.known_task, targets)
    return float(loss(logits, targets))
