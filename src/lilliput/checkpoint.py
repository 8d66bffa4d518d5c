"""One safetensors file that carries everything needed to use a model.

Beside the weights its header holds a JSON document: configuration, class names and flip
pairs, normalisation, thresholds, metrics. An exported model carries the same document. Loading
reads tensors and JSON; nothing in the file is ever executed.
"""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from lilliput.builders import build_model
from lilliput.config import Config, parse_config
from lilliput.data.labels import LabelSet
from lilliput.errors import CheckpointError, ConfigError
from lilliput.reading import parse_json
from lilliput.scoring import give_labels
from lilliput.task import Task
from lilliput.video.normalisation import Normalisation
from lilliput.weights import SHIPPED

DOCUMENT_KEY = "lilliput"  # of the document in every kind of model file
_DIGEST_KEY = "sha256"
_VERSION = 1
_MOST_SECONDS = 3600.0  # of a clip; a window of it must fit into memory


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
        return Description(**_parse(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "description"
        raise CheckpointError(f"its description is incomplete ({place}: {first['msg']})") from None
    except (AttributeError, ValueError) as error:
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
    document = checkpoint.to_json()
    # Within the one entry: the order of several would differ from file to file.
    signed = f'{document[:-1]}, "{_DIGEST_KEY}": "{_digest(document, state)}"}}'
    try:
        save_file(state, partial, metadata={DOCUMENT_KEY: signed})
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
    if not _is_intact(metadata[DOCUMENT_KEY], state):
        raise CheckpointError(f"{path}: damaged, its checksum differs; copy or train it again")
    try:
        description = read_document(metadata[DOCUMENT_KEY])
        checkpoint = Checkpoint(state=state, **vars(description))
        checkpoint.build_model()
    except (CheckpointError, ConfigError) as error:  # a package may be missing, such as timm
        raise CheckpointError(f"{path}: {error}") from None
    return checkpoint


def _is_intact(document: str, state: Mapping[str, torch.Tensor]) -> bool:
    """Whether the checksum is right; files of before there was one have none."""
    signed = re.fullmatch(rf'(.*), "{_DIGEST_KEY}": "(\w+)"}}', document, re.DOTALL)
    return signed is None or signed[2] == _digest(signed[1] + "}", state)


def _digest(document: str, state: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the document and of every tensor's name and bytes."""
    digest = hashlib.sha256(document.encode())
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


class _Document(BaseModel):
    """What a model file carries as JSON, each part of its type."""

    model_config = ConfigDict(strict=True, frozen=True)

    config: dict[str, Any]
    class_names: Annotated[tuple[str, ...], Field(min_length=1)]
    flip_pairs: tuple[tuple[int, int], ...]
    normalisation: Normalisation
    clip_seconds: Annotated[float, Field(gt=0, le=_MOST_SECONDS)]
    thresholds: tuple[float, ...]
    metrics: dict[str, Any]
    note: str

    @model_validator(mode="after")
    def _check(self) -> "_Document":
        count = len(self.class_names)
        if len(self.thresholds) != count:
            raise ValueError(f"{len(self.thresholds)} thresholds for {count} classes")
        if any(map(math.isnan, self.thresholds)):
            raise ValueError("a threshold is no number")
        if not all(map(math.isfinite, self.normalisation.mean + self.normalisation.std)):
            raise ValueError("its normalisation is no number")
        if min(self.normalisation.std) <= 0:
            raise ValueError("it divides by a deviation of 0 or less")
        if not all(0 <= index < count for pair in self.flip_pairs for index in pair):
            raise ValueError(f"flip pairs of other classes than its {count}")
        return self


def _parse(text: str) -> dict[str, Any]:
    version = parse_json(text).get("version")
    if version != _VERSION:
        raise CheckpointError(
            f"written in format {version}, this Lilliput reads {_VERSION}; update Lilliput"
        )
    read = _Document.model_validate_json(text)  # where tuples are lists
    # Models of before there were tasks have any number of labels.
    config = {**read.config, "task": read.config.get("task", "multi")}
    return {
        "config": parse_config(config, source="its recipe"),
        "labels": LabelSet(read.class_names, read.flip_pairs),
        "normalisation": read.normalisation,
        "clip_seconds": read.clip_seconds,
        "thresholds": read.thresholds,
        "metrics": read.metrics,
        "note": read.note,
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
