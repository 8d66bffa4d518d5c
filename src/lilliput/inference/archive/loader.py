"""The model of a job: loaded once by every worker, wherever it runs."""

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lilliput.checkpoint import find_checkpoint
from lilliput.inference.recognizer import Recognizer


@dataclass(frozen=True)
class ModelLoader:
    """Loads a recogniser; calling it again, in any process, gives the same one.

    Attributes:
        model: A checkpoint, a run folder, an exported model, or a shipped model's name.
        engine: As for ``Recognizer.load``.
        precision: As for ``Recognizer.load``.
        window_seconds: As for ``Recognizer.load``.
        num_threads: What one worker may use; None for all of the machine.
    """

    model: str
    engine: str = "auto"
    precision: str | None = None
    window_seconds: float | None = None
    num_threads: int | None = None

    def __call__(self) -> Recognizer:
        """Loads it.

        Raises:
            LilliputError: There is no such model, or it does not run with these settings.
        """
        if self.num_threads is not None:
            torch.set_num_threads(self.num_threads)
        return Recognizer.load(
            self.model,
            engine=self.engine,
            precision=self.precision,
            window_seconds=self.window_seconds,
        )

    def identify(self, recognizer: Recognizer) -> dict[str, object]:
        """What the results depend on: a digest of the model's content, and the settings.

        Args:
            recognizer: What was loaded, for the engine that ``auto`` became.
        """
        digest = hashlib.sha256()
        for path in _find_files(self.model):
            digest.update(path.read_bytes())
        return {
            "model": digest.hexdigest(),
            "engine": recognizer.engine.name,
            "precision": recognizer.engine.precision,
            "window_seconds": recognizer.window_seconds,
        }


@dataclass(frozen=True)
class ShippedLoader:
    """A loader that carries its model, for machines that do not have the file.

    Attributes:
        loader: The settings.
        files: Name and content of each file of the model; the first names it.
    """

    loader: ModelLoader
    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def pack(cls, loader: ModelLoader) -> "ShippedLoader":
        """Reads the model's files."""
        files = ((path.name, path.read_bytes()) for path in _find_files(loader.model))
        return cls(loader, tuple(files))

    def __call__(self) -> Recognizer:
        """Writes the files where this machine keeps temporary ones, and loads them."""
        with tempfile.TemporaryDirectory(prefix="lilliput-") as folder:
            for name, content in self.files:
                (Path(folder) / name).write_bytes(content)
            return replace(self.loader, model=str(Path(folder) / self.files[0][0]))()


def _find_files(model: str) -> list[Path]:
    """The model's file, and those beside it that belong to it."""
    path = find_checkpoint(model)
    weights = path.with_suffix(".bin")  # OpenVINO's, beside its .xml
    return [path, weights] if path.suffix == ".xml" else [path]
