"""The networks that training and inference are measured on; all untrained."""

import torch

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint
from lilliput.config import Config, parse_config
from lilliput.data.labels import LabelSet
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.models.facts import measure_facts
from lilliput.video.normalisation import KINETICS

NUM_CLASSES = len(TINYVIRAT_CLASSES)
FPN_AD_R18 = {"name": "fpn", "adapted": True}  # the thesis' pyramid on an adapted ResNet-3D 18
AD_R18 = {"name": "resnet3d", "adapted": True}
R18 = {"name": "resnet3d"}


def make_config(model: dict[str, object], **sections: dict[str, object]) -> Config:
    """A recipe of this network, segment sampling and the settings of other sections."""
    sampling = {"method": "segment"}
    return parse_config({"model": model, "sampling": sampling, **sections}, source="benchmark")


def make_checkpoint(
    model: dict[str, object], clip_seconds: float = 2.5, **sections: dict[str, object]
) -> Checkpoint:
    """An untrained network as a checkpoint."""
    config = make_config(model, **sections)
    torch.manual_seed(0)
    network = build_model(config.model, NUM_CLASSES, config.sampling.num_frames)
    return Checkpoint(
        state=network.state_dict(),
        config=config,
        labels=LabelSet.from_names(TINYVIRAT_CLASSES),
        normalisation=KINETICS,
        clip_seconds=clip_seconds,
        thresholds=(0.5,) * NUM_CLASSES,
    )


def count_operations(model: torch.nn.Module, clip_shape: tuple[int, ...]) -> float:
    """Operations of a clip's forward pass; a multiply-add is two."""
    return 2.0 * measure_facts(model, clip_shape).macs
