"""What a machine reaches: figures that hang together."""

import pytest
import torch

from lilliput.builders import build_model
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.training.speed import TrainingSpeed, measure_matrix_peak, measure_training


def test_every_part_of_a_training_is_measured(config: Config, dataset: VideoDataset) -> None:
    speed = measure_training(config, dataset, seconds=0.5)
    assert speed.precision == "fp32"
    assert speed.num_clips == len(dataset.splits["train"])
    assert min(speed.training, speed.network, speed.loading, speed.share_of_peak) > 0
    weights = sum(parameter.numel() for parameter in build_model(config.model, 2).parameters())
    assert speed.macs > weights / 10


def test_share_of_peak_by_hand() -> None:
    speed = TrainingSpeed("cpu", "fp32", 4, 0, 10, 1.0, 2.0, 3.0, macs=10, peak=600.0)
    assert speed.share_of_peak == pytest.approx(3 * 10 * 2.0 / 600.0)


def test_matrix_peak_counts_multiply_adds() -> None:
    peak = measure_matrix_peak(torch.device("cpu"), torch.float32, seconds=0.2)
    assert 1e9 < peak < 1e14  # one slow core to more than any CPU has
