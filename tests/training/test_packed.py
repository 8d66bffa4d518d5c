"""Training and evaluation cannot tell a pack from the files it was made of."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, parse_config
from lilliput.data import VideoDataset, read_dataset
from lilliput.data.packing import write_pack
from lilliput.evaluation.evaluate import score_split
from lilliput.training.fit import fit


@pytest.fixture(scope="module")
def runs(
    config: Config, dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[VideoDataset, Path]]:
    """One epoch on files, on files in memory and on a pack; one clip cannot be read."""
    folder = tmp_path_factory.mktemp("packed")
    root = shutil.copytree(dataset.root, folder / "clips")
    read_dataset(root).splits["train"][3].path.write_bytes(b"not a video")
    files = read_dataset(root)
    write_pack(files, folder / "pack")
    found = {}
    for name, data, cache_gib in (
        ("files", files, 0.0),
        ("memory", files, 1.0),
        ("pack", read_dataset(folder / "pack"), 0.0),
    ):
        settings = config.model_dump()
        settings["training"]["epochs"] = 1
        settings["data"]["cache_gib"] = cache_gib
        fit(parse_config(settings, name), data, folder / name)
        found[name] = (data, folder / name)
    return found


@pytest.mark.parametrize("name", ["memory", "pack"])
def test_a_training_reaches_the_same_weights(
    runs: dict[str, tuple[VideoDataset, Path]], name: str
) -> None:
    ours, theirs = (load_checkpoint(runs[n][1] / "last.safetensors") for n in (name, "files"))
    assert ours.state.keys() == theirs.state.keys()
    assert all(torch.equal(ours.state[key], theirs.state[key]) for key in theirs.state)
    assert (ours.normalisation, ours.clip_seconds) == (theirs.normalisation, theirs.clip_seconds)
    assert ours.labels == theirs.labels
    for file in ("history.csv", "unreadable.txt"):
        assert (runs[name][1] / file).read_text() == (runs["files"][1] / file).read_text()


def test_an_evaluation_reaches_the_same_scores(
    runs: dict[str, tuple[VideoDataset, Path]],
) -> None:
    checkpoint = load_checkpoint(runs["files"][1] / "last.safetensors")
    for split in ("train", "val"):
        ours, theirs = (score_split(checkpoint, runs[n][0], split) for n in ("pack", "files"))
        np.testing.assert_array_equal(ours.scores, theirs.scores)
        np.testing.assert_array_equal(ours.sides, theirs.sides)
        np.testing.assert_array_equal(ours.targets, theirs.targets)
        np.testing.assert_array_equal(ours.unreadable, theirs.unreadable)
        assert len(ours.unreadable) == (split == "train")
