"""Whether an argument of a command names a model or what it is to look at."""

from collections.abc import Sequence
from pathlib import Path

from lilliput.errors import CheckpointError
from lilliput.inference.loading import EXPORTS
from lilliput.video.decode import VIDEO_SUFFIXES
from lilliput.weights import DEFAULT_MODEL, SHIPPED

_SUFFIXES = (".safetensors", *EXPORTS)


def split_model(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The model, which may be left out, and the other arguments.

    The first argument is the model if it is a shipped model's name, has a model file's suffix, or
    is a run folder; a video or a folder of a shipped model's name is written as ``./people``.

    Raises:
        CheckpointError: The first of several arguments is neither a model nor anything to look at.
    """
    if not arguments or not _is_model(arguments[0]):
        if len(arguments) > 1:
            _check(arguments[0])
        return DEFAULT_MODEL, list(arguments)
    return arguments[0], list(arguments[1:])


def _is_model(argument: str) -> bool:
    path = Path(argument)
    is_file = argument in SHIPPED or path.suffix in _SUFFIXES
    return is_file or (path / "best.safetensors").is_file()


def _check(argument: str) -> None:
    """A mistyped model is told as such, not as a video that cannot be read."""
    path = Path(argument)
    if "://" in argument or path.suffix.lower() in VIDEO_SUFFIXES or path.exists():
        return
    names = ", ".join(SHIPPED)
    raise CheckpointError(
        f"{argument}: no such model, video or folder; shipped models are: {names}"
    )
