"""Lilliput recognises actions in low-resolution video.

::

    from lilliput import Recognizer

    prediction = Recognizer.load("best.safetensors").predict("clip.mp4")
    print(prediction.labels)
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from lilliput.config import Config, load_config
    from lilliput.data import VideoDataset, read_dataset
    from lilliput.errors import LilliputError
    from lilliput.evaluation.evaluate import score_split
    from lilliput.inference.recognizer import Prediction, Recognizer
    from lilliput.training.fit import fit

__version__ = version("lilliput")

__all__ = [
    "Checkpoint",
    "Config",
    "LilliputError",
    "Prediction",
    "Recognizer",
    "VideoDataset",
    "fit",
    "load_checkpoint",
    "load_config",
    "read_dataset",
    "save_checkpoint",
    "score_split",
]

# Names are imported when first used, so that `lilliput --help` does not wait for torch.
_HOMES = {
    "Checkpoint": "lilliput.checkpoint",
    "load_checkpoint": "lilliput.checkpoint",
    "save_checkpoint": "lilliput.checkpoint",
    "Config": "lilliput.config",
    "load_config": "lilliput.config",
    "VideoDataset": "lilliput.data",
    "read_dataset": "lilliput.data",
    "LilliputError": "lilliput.errors",
    "score_split": "lilliput.evaluation.evaluate",
    "Prediction": "lilliput.inference.recognizer",
    "Recognizer": "lilliput.inference.recognizer",
    "fit": "lilliput.training.fit",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lilliput' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
