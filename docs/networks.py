"""Networks on the meta device, and their facts."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from lilliput.builders import build_model
from lilliput.config import ModelConfig
from lilliput.models.facts import MapFacts, ModelFacts, measure_facts

NUM_CLASSES = 26  # of TinyVIRAT
NUM_FRAMES = 16


@dataclass(frozen=True)
class Network:
    """A network on the meta device, and its facts."""

    config: ModelConfig
    model: nn.Module
    facts: ModelFacts

    def map(self, group: str, name: str) -> MapFacts:
        """One of its maps."""
        return next(map_ for map_ in self.facts.group(group) if map_.name == name)


def build(**settings: object) -> Network:
    """The network of some settings of the model section."""
    return _build(ModelConfig.model_validate(settings))


@cache  # the drawings and the table share networks
def _build(config: ModelConfig) -> Network:
    with torch.device("meta"):
        model = build_model(config, NUM_CLASSES, NUM_FRAMES)
    size = config.input_size
    return Network(config, model, measure_facts(model, (3, NUM_FRAMES, size, size)))


def clip_size(size: int) -> str:
    """T, H, W and channels of a clip."""
    return f"{NUM_FRAMES}×{size}×{size}×3"
