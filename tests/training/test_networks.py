"""Every network goes through the training loop, to a checkpoint that loads."""

from pathlib import Path

import pytest

from lilliput.builders import MODELS
from lilliput.checkpoint import load_checkpoint
from lilliput.config import parse_config
from lilliput.data import VideoDataset
from lilliput.training.fit import fit

SETTINGS: dict[str, dict[str, object]] = {
    "resnet3d": {"width": 4, "classifier": "filter_bank"},
    "multiscale": {"width": 4, "input_sizes": [14, 28]},
    "fpn": {"width": 4, "pool": "attention"},
    "multiscale_fpn": {"width": 4, "input_sizes": [14, 28]},
    "image_pyramid": {"width": 4, "input_sizes": [14, 28]},
    "deepvideo": {"width": 4},
    "c3d": {"width": 4},
    "p3d": {"width": 4, "depth": 50},
    "video_vit": {"width": 4},
}


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"idt"}))  # see test_hand_crafted.py
def test_a_network_trains_for_an_epoch(name: str, dataset: VideoDataset, tmp_path: Path) -> None:
    config = parse_config(
        {
            "data": {"workers": 0},
            "sampling": {"method": "segment", "num_frames": 4},
            "augment": {"enabled": False},
            "model": {"name": name, "input_size": 28, **SETTINGS.get(name, {})},
            "training": {"epochs": 1, "batch_size": 5, "accelerator": "cpu"},
        },
        source="test",
    )
    checkpoint = load_checkpoint(fit(config, dataset, tmp_path / "run"))
    assert checkpoint.metrics["training"]["train_loss"] > 0
