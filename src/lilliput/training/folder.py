"""The run folder: its configuration, and whether a training may start or go on there."""

import json
import pickle
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from lilliput.checkpoint import load_checkpoint
from lilliput.config import NEUTRAL_SETTINGS, Config, parse_config
from lilliput.config.section import Section
from lilliput.data import VideoDataset
from lilliput.data.durable import whole_file
from lilliput.errors import TrainingError
from lilliput.reading import parse_json
from lilliput.training.precision import resolve_precision
from lilliput.training.recorder import RESUME_FILE

_SETTINGS = "config.json"


def prepare_folder(
    config: Config, dataset: VideoDataset, folder: Path, resume: bool
) -> Path | None:
    """Writes the configuration, or checks that the run began with it and with these classes.

    Returns:
        The state to resume from, or None where the run begins.

    Raises:
        TrainingError: The folder is taken, damaged, or began as another training.
    """
    state = folder / RESUME_FILE
    # A run that ended before its first epoch did leaves nothing to go on from, or to lose.
    begun = state.is_file() or (folder / "best.safetensors").is_file()
    if begun and not resume:
        raise TrainingError(f"{folder}: holds a run already; add --resume, or choose another --run")
    if begun and not (folder / "last.safetensors").is_file():
        raise TrainingError(
            f"{folder}: holds a model, but no training to go on with; resume one of folds with "
            "the same --folds, or choose another --run"
        )
    if begun:
        last = load_checkpoint(folder / "last.safetensors")
        _check_same(_read_settings(folder / _SETTINGS) or last.config, config, folder)
        if last.labels != dataset.labels:
            raise TrainingError(
                f"{folder}: began with other classes than those of {dataset.root}; resume with "
                "the same data, or choose another --run"
            )
    if state.is_file():
        _check_state(state)
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(config, folder)
    environment = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "precision": resolve_precision(config.training),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        **{name: version(name) for name in ("lilliput", "torch", "torchvision", "lightning", "av")},
    }
    with whole_file(folder / "environment.json") as partial:
        partial.write_text(json.dumps(environment, indent=2) + "\n")
    return state if state.is_file() else None


def write_settings(config: Config, folder: Path) -> None:
    """Writes the recipe as ``config.json``, which can be given as one again."""
    with whole_file(folder / _SETTINGS) as partial:
        partial.write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _read_settings(path: Path) -> Config | None:
    """None where a kill or a full disk has torn the file."""
    try:
        return parse_config(parse_json(path.read_bytes()), str(path))
    except (OSError, ValueError):
        return None


def _check_state(path: Path) -> None:
    """Nothing in the file is executed."""
    try:
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):
        raise TrainingError(
            f"{path}: damaged; remove it, or choose another folder, to start anew"
        ) from None


def _check_same(began: Config, config: Config, folder: Path) -> None:
    """Where and how fast a run computes may change when it goes on; what it computes may not."""
    if began.task == "auto":  # settled since there are tasks; with them the state changed, too
        raise TrainingError(
            f"{folder}: began with an older Lilliput; go on with that one, or choose another --run"
        )
    before, now = _settings_of(began), _settings_of(config)
    for name in before:
        if before[name] != now[name]:
            raise TrainingError(
                f"{folder}: began with {name} = {before[name]}, not {now[name]}; "
                "resume with the same settings, or choose another --run"
            )


def _settings_of(config: Config) -> dict[str, object]:
    """By dotted name, what a run computes with."""
    settings: dict[str, object] = {"task": config.task}
    for name, section in config:
        if isinstance(section, Section) and name != "evaluation":
            neutral = NEUTRAL_SETTINGS.get(name, ())
            settings |= {f"{name}.{key}": value for key, value in section if key not in neutral}
    return settings
