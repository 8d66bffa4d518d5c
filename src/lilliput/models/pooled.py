"""What a network makes of a clip before it says which class: the vectors its classifiers read."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lilliput.models.c3d import C3d
from lilliput.models.deepvideo import DeepVideo
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.idt.classifier import Idt
from lilliput.models.multiscale import SummedStreamsHead
from lilliput.models.mvit import Mvit
from lilliput.models.video_vit import VideoVit

# The last linear layer of every kind of head and of every network without one. A filter bank has
# filters of its own for each class, and is left out: the head's global branch is not.
_CLASSIFIERS: Mapping[type[nn.Module], str] = {
    LinearHead: "fc",
    SummedStreamsHead: "fc",
    FrameResNet: "net.fc",
    C3d: "classifier.6",
    DeepVideo: "classifier.6",
    I3d: "net.fc",
    Idt: "fc",
    Mvit: "net.head.1",
    VideoVit: "fc",
}


def find_classifiers(model: nn.Module) -> list[nn.Linear]:
    """The last linear layers: one, or that of each level of a pyramid, of each ensemble member."""
    layers = []
    for module in model.modules():
        if type(module) in _CLASSIFIERS:
            layer = module.get_submodule(_CLASSIFIERS[type(module)])
            assert isinstance(layer, nn.Linear)
            layers.append(layer)
    return layers


def forward_pooled(model: nn.Module, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits of a network, and what its classifiers read of each clip, side by side.

    Where a network sees frames one by one, the mean over them; of a pyramid of images, those of
    every scale.

    Args:
        model: Any network of this package.
        clips: A batch.

    Shape:
        - clips: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` and ``(N, D)``
    """
    features: list[torch.Tensor] = []

    def note(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        features.append(inputs[0].reshape(len(clips), -1, inputs[0].shape[-1]).mean(dim=1))

    hooks = [layer.register_forward_pre_hook(note) for layer in find_classifiers(model)]
    try:
        logits: torch.Tensor = model(clips)
    finally:
        for hook in hooks:
            hook.remove()
    return logits, torch.cat(features, dim=1)
