"""Adapting to footage: the logits of the adapted model against the formula, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lilliput.checkpoint import Checkpoint
from lilliput.errors import ConfigError
from lilliput.inference.adaptation import adapt


def _clips(checkpoint: Checkpoint, count: int = 40, offset: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, *checkpoint.clip_shape, generator=generator) * 2 + offset


@torch.no_grad()
def _logits(checkpoint: Checkpoint, clips: torch.Tensor) -> np.ndarray:
    logits: np.ndarray = checkpoint.build_model()(clips).numpy()
    return logits


def test_logits_are_standardized_by_the_formula(micro_checkpoint: Checkpoint) -> None:
    clips = _clips(micro_checkpoint)
    before = _logits(micro_checkpoint, clips)
    adapted = adapt(micro_checkpoint, clips, norm_share=0)
    after = _logits(adapted, clips)
    mean, deviation = before.mean(axis=0), before.std(axis=0)
    expected = (before - mean) / deviation * deviation.mean() + mean.mean()
    np.testing.assert_allclose(after, expected, atol=1e-4)
    scores = 1 / (1 + np.exp(-after))
    assert adapted.label(scores).sum() == pytest.approx(len(clips), abs=1)
    assert "adapted to 40 windows of footage without labels" in adapted.note


def test_batch_normalization_takes_what_it_sees(micro_checkpoint: Checkpoint) -> None:
    clips = _clips(micro_checkpoint, 64, offset=3.0)
    name = "backbone.bn1.running_mean"
    before = micro_checkpoint.state[name]
    conv = micro_checkpoint.build_model().backbone.conv1  # type: ignore[union-attr]
    with torch.no_grad():
        seen = conv(clips).mean(dim=(0, 2, 3, 4))  # type: ignore[operator]
    for share in (0.0, 0.4, 1.0):
        after = adapt(micro_checkpoint, clips, norm_share=share).state[name]
        torch.testing.assert_close(after, (1 - share) * before + share * seen, atol=1e-4, rtol=1e-4)
    assert torch.equal(micro_checkpoint.state[name], before)


def test_few_windows_and_other_models_are_refused(micro_checkpoint: Checkpoint) -> None:
    with pytest.raises(ConfigError, match="29 windows with somebody in them are too few"):
        adapt(micro_checkpoint, _clips(micro_checkpoint, 29), norm_share=0.3)
    config = micro_checkpoint.config
    network = config.model.model_copy(update={"classifier": "filter_bank"})
    other = replace(micro_checkpoint, config=config.model_copy(update={"model": network}))
    with pytest.raises(ConfigError, match="only a resnet3d with a linear classifier"):
        adapt(other, _clips(micro_checkpoint), norm_share=0.3)
