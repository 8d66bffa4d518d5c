"""One safetensors file that carries everything needed to use a model.

Beside the weights its header holds a JSON document: configuration, class names and flip
pairs, normalisation, thresholds, metrics. An exported model carries the same document. Loading
reads tensors and JSON; nothing in the file is ever executed.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from lilliput.builders import build_model
from lilliput.config import Config, parse_config
from lilliput.data.labels import LabelSet
from lilliput.errors import CheckpointError, ConfigError
from lilliput.scoring import give_labels
from lilliput.task import Task
from lilliput.video.normalisation import Normalisation
from lilliput.weights import SHIPPED

DOCUMENT_KEY = "lilliput"  # of the document in every kind of model file
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that belongs to a trained model beside its weights.

    Attributes:
        config: The recipe it was trained with: network, sampling, input size, TTA.
        labels: Class names, in the order of the outputs, and flip pairs.
        normalisation: What its clips are normalised with.
        clip_seconds: Length of the clips it was trained on; longer videos are cut to it.
        thresholds: (K,) see ``give_labels``; a label needs a score above its threshold.
        metrics: Scores it reached, by split.
        note: A warning to show whenever it is used; empty for none.
    """

    config: Config
    labels: LabelSet
    normalisation: Normalisation
    clip_seconds: float
    thresholds: tuple[float, ...]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """Outputs that a mirrored view exchanges; none where the recipe keeps flipped labels."""
        return self.labels.flip_pairs if self.config.augment.flip_labels == "swap" else ()

    @property
    def task(self) -> Task:
        """How many labels a clip has."""
        return self.config.known_task

    def label(self, scores: np.ndarray) -> np.ndarray:
        """The labels that scores stand for: (N, K) to (N, K) bool."""
        return give_labels(scores, self.thresholds, self.task)

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """(3, T, H, W) of a clip as it is given to the network, or to its front end."""
        side = self.config.model.clip_size
        return 3, self.config.sampling.num_frames, side, side

    def to_json(self) -> str:
        """The document that a model file carries."""
        document = {
            "version": _VERSION,
            "config": self.config.model_dump(mode="json"),
            "class_names": self.labels.class_names,
            "flip_pairs": self.labels.flip_pairs,
            "normalisation": dataclasses.asdict(self.normalisation),
            "clip_seconds": self.clip_seconds,
            "thresholds": self.thresholds,
            "metrics": self.metrics,
            "note": self.note,
        }
        return json.dumps(document)


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Description):
    """A trained model and all that belongs to it.

    Attributes:
        state: Weights by name.
    """

    state: Mapping[str, torch.Tensor]

    def build_model(self) -> nn.Module:
        """The network with these weights, in evaluation mode.

        Raises:
            CheckpointError: The weights do not fit the network the configuration describes.
        """
        num_frames = self.config.sampling.num_frames
        model = build_model(self.config.model, len(self.labels), num_frames)
        try:
            model.load_state_dict(self.state)
        except RuntimeError as error:
            detail = str(error).strip().splitlines()[-1].strip()
            raise CheckpointError(f"the weights do not fit the network: {detail}") from None
        return model.eval()


def read_document(text: str) -> Description:
    """Reads the document that a model file carries.

    Raises:
        CheckpointError: It is of another version, incomplete or malformed.
    """
    try:
        return Description(**_parse(json.loads(text)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"its description is incomplete ({error})") from None
    except ConfigError as error:
        raise CheckpointError(str(error)) from None


def save_checkpoint(checkpoint: Checkpoint, path: Path | str) -> None:
    """Writes the file; one that was there before stays whole until the new one is.

    Raises:
        CheckpointError: The file cannot be written.
    """
    path = Path(path)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.state.items()}
    partial = path.with_name(f".{path.name}.partial")
    try:
        save_file(state, partial, metadata={DOCUMENT_KEY: checkpoint.to_json()})
    except SafetensorError as error:
        raise CheckpointError(f"{path}: cannot be written ({error})") from None
    partial.replace(path)


def load_checkpoint(path: Path | str) -> Checkpoint:
    """Reads a checkpoint by path, or one that ships with the package by name.

    Raises:
        CheckpointError: The file is missing, damaged, was not written by Lilliput, or needs a
            package that is not installed.
    """
    path = find_checkpoint(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a readable safetensors file ({str(error).splitlines()[0]})"
        ) from None
    if DOCUMENT_KEY not in metadata:
        raise CheckpointError(f"{path}: holds weights only; give a file of `lilliput train`")
    try:
        description = read_document(metadata[DOCUMENT_KEY])
        checkpoint = Checkpoint(state=state, **vars(description))
        checkpoint.build_model()
    except (CheckpointError, ConfigError) as error:  # a package may be missing, such as timm
        raise CheckpointError(f"{path}: {error}") from None
    return checkpoint


def _parse(document: dict[str, Any]) -> dict[str, Any]:
    if document.get("version") != _VERSION:
        raise CheckpointError(
            f"written in format {document.get('version')}, this Lilliput reads {_VERSION}; "
            "update Lilliput"
        )
    normalisation = document["normalisation"]
    class_names, thresholds = tuple(document["class_names"]), tuple(document["thresholds"])
    if len(thresholds) != len(class_names):
        raise ValueError(f"{len(thresholds)} thresholds for {len(class_names)} classes")
    # Models of before there were tasks have any number of labels.
    config = {**document["config"], "task": document["config"].get("task", "multi")}
    return {
        "config": parse_config(config, source="its recipe"),
        "labels": LabelSet(
            class_names, tuple((left, right) for left, right in document["flip_pairs"])
        ),
        "normalisation": Normalisation(
            tuple(normalisation["mean"]),
            tuple(normalisation["std"]),
            normalisation["per_clip"],
            normalisation.get("own_contrast", False),  # models of before there were these
            normalisation.get("motion", False),
        ),
        "clip_seconds": float(document["clip_seconds"]),
        "thresholds": thresholds,
        "metrics": document["metrics"],
        "note": document["note"],
    }


def find_checkpoint(path: Path | str) -> Path:
    """The file behind a path, a run folder or a shipped model's name.

    Raises:
        CheckpointError: There is none.
    """
    if str(path) in SHIPPED:
        return Path(str(resources.files("lilliput") / "weights" / SHIPPED[str(path)]))
    path = Path(path)
    if path.is_dir():
        path = path / "best.safetensors"  # a run folder stands for its best model
    if not path.is_file():
        names = ", ".join(SHIPPED)
        raise CheckpointError(f"{path}: no such checkpoint; shipped ones are: {names}")
    return path
