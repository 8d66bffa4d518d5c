import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import av
import numpy as np
import pytest
import torch

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.cli.main import main
from lilliput.config import Config, load_config
from lilliput.data import LabelSet
from lilliput.video.normalisation import KINETICS
from tests.postgres import empty, run_postgres

WriteVideo = Callable[..., Path]
RunCli = Callable[..., tuple[int, str, str]]

MICRO_RECIPE = """
title = "micro"
task = "multi"
[data]
workers = 0
[sampling]
method = "segment"
num_frames = 4
[augment]
rand_augment_operations = 0
[model]
width = 4
input_size = 14
adapted = true
[training]
epochs = 1
batch_size = 4
[evaluation]
flip = true
threshold = "global"
"""


def _noise(frames: int, height: int, width: int, seed: int) -> np.ndarray:
    shape = (frames, height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Converted networks of tests are kept apart from the user's."""
    with mock.patch.dict(os.environ, {"LILLIPUT_CACHE": str(tmp_path_factory.mktemp("cache"))}):
        yield


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """(frames, height, width, seed) to (T, H, W, 3) uint8."""
    return _noise


@pytest.fixture(scope="session")
def write_lossless() -> WriteVideo:
    """Writes (T, H, W, 3) RGB frames to the bit, not with the code under test."""

    def write(path: Path, frames: np.ndarray, fps: int = 10) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264rgb", fps, options={"crf": "0"})
            stream.width, stream.height = frames.shape[2], frames.shape[1]
            stream.pix_fmt = "rgb24"
            for picture in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, write_lossless: WriteVideo) -> Path:
    """A folder per class: 2 train and 2 val clips of 3 classes, 2 test clips without labels."""
    root = tmp_path_factory.mktemp("data") / "tiny set"
    names = [
        f"{split}/{label}/{label}_{split}{number}_1.mp4"
        for split in ("train", "val")
        for label in ("[Sit]", "turn_left", "turn_right")
        for number in (1, 2)
    ]
    for seed, name in enumerate([*names, "test/00001.mp4", "test/00000.mp4"]):
        write_lossless(root / name, _noise(6, 16, 20, seed))
    return root


@pytest.fixture(scope="session")
def micro_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "micro.toml"
    path.write_text(MICRO_RECIPE)
    return path


@pytest.fixture(scope="session")
def micro_config(micro_recipe: Path) -> Config:
    return load_config(micro_recipe)


@pytest.fixture(scope="session")
def micro_checkpoint(micro_config: Config) -> Checkpoint:
    """An untrained net that knows the classes of ``tiny_folder`` and tells clips apart."""
    labels = LabelSet.from_names(["[Sit]", "turn_left", "turn_right"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = build_model(micro_config.model, len(labels)).state_dict()
    state["head.fc.weight"] = state["head.fc.weight"] * 20
    return Checkpoint(
        state=state,
        config=micro_config,
        labels=labels,
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.25, 0.5, 0.625),
        metrics={"val": {"macro": {"f1": 0.5}}},
        note="for tests",
    )


@pytest.fixture(scope="session")
def micro_file(tmp_path_factory: pytest.TempPathFactory, micro_checkpoint: Checkpoint) -> Path:
    path = tmp_path_factory.mktemp("model") / "best.safetensors"
    save_checkpoint(micro_checkpoint, path)
    return path


@pytest.fixture(scope="session")
def micro_single(
    tmp_path_factory: pytest.TempPathFactory, micro_checkpoint: Checkpoint
) -> Checkpoint:
    """An untrained net that gives a clip one label: here all of them, and unknown."""
    recipe = tmp_path_factory.mktemp("recipe") / "single.toml"
    settings = MICRO_RECIPE.replace('task = "multi"', 'task = "single"')
    recipe.write_text(settings.replace("flip = true", "flip = false"))
    bias = micro_checkpoint.state["head.fc.bias"] + torch.tensor([8.9, 0.0, 5.6])  # none prevails
    return replace(
        micro_checkpoint,
        config=load_config(recipe),
        state={**micro_checkpoint.state, "head.fc.bias": bias},
        thresholds=(0.35,) * 3,
    )


@pytest.fixture(scope="session")
def micro_single_file(tmp_path_factory: pytest.TempPathFactory, micro_single: Checkpoint) -> Path:
    path = tmp_path_factory.mktemp("single") / "best.safetensors"
    save_checkpoint(micro_single, path)
    return path


@pytest.fixture(scope="session")
def run_cli() -> RunCli:
    """Runs ``lilliput`` as its entry point does; returns exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        argv = ["lilliput", *map(str, arguments)]
        code = 0
        with (
            mock.patch.object(sys, "argv", argv),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as exit_:
                code = exit_.code if isinstance(exit_.code, int) else 0
        return code, out.getvalue(), err.getvalue()

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database on a real server, which tests share."""
    with run_postgres() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database that is not there yet."""
    return f"sqlite:///{tmp_path / 'events.db'}"


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The database, emptied."""
    empty(postgres)
    return postgres


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new database of each kind."""
    return request.getfixturevalue(request.param)
