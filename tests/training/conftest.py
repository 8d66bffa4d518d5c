import signal
from pathlib import Path

import numpy as np
import pytest

from lilliput.config import Config, parse_config
from lilliput.data import VideoDataset, read_dataset
from lilliput.training.fit import fit
from lilliput.training.module import ActionModule
from lilliput.video.encode import write_video


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> VideoDataset:
    """Dark and bright noise in a folder per class: 10 training and 6 validation clips."""
    root = tmp_path_factory.mktemp("data") / "clips"
    seed = 0
    for split, count in (("train", 5), ("val", 3)):
        for name, brightest in (("bright", 255), ("dark", 60)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                seed += 1
                rng = np.random.default_rng(seed)
                frames = rng.integers(0, brightest, (6, 16, 16, 3), dtype=np.uint8)
                write_video(root / split / name / f"{split}{name}-{number}x.mp4", frames, fps=10)
    return read_dataset(root)


@pytest.fixture(scope="session")
def config() -> Config:
    return micro()


@pytest.fixture(scope="session")
def uninterrupted(
    config: Config, dataset: VideoDataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run folder of a whole training."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    fit(config, dataset, folder)
    return folder


def interrupt_in_epoch_2(
    config: Config, dataset: VideoDataset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trains until Ctrl-C in the second epoch."""
    original = ActionModule.training_step

    def interrupted(self: ActionModule, batch: object, batch_idx: int) -> object:
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return original(self, batch, batch_idx)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ActionModule, "training_step", interrupted)
        fit(config, dataset, folder)
    signal.signal(signal.SIGINT, before)


def micro(**training: object) -> Config:
    """A training of seconds that still draws everywhere: crops, flips, RandAugment, dropout."""
    return parse_config(
        {
            "data": {"workers": 0},
            "sampling": {"method": "segment", "num_frames": 4},
            "augment": {"flip_labels": "swap"},
            "model": {"width": 4, "input_size": 14, "dropout": 0.2, "normalisation": "dataset"},
            "training": {
                "epochs": 3,
                "batch_size": 4,
                "accelerator": "cpu",
                "schedule": "one_cycle",
                **training,
            },
        },
        source="test",
    )
