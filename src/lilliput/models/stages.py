"""A network's stages, from its stem to its classifier, for those who train them differently."""

from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from lilliput.models.c3d import C3d
from lilliput.models.deepvideo import DeepVideo
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.filter_bank import FilterBankHead, LocalStage
from lilliput.models.fpn import Fpn
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import Classifier
from lilliput.models.i3d import I3d
from lilliput.models.image_pyramid import ImagePyramid
from lilliput.models.multiscale import MultiScaleResNet3d
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.mvit import Mvit
from lilliput.models.p3d import P3d
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.resnet3d import ResNet3d
from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.models.video_vit import VideoVit

_Stages = list[Sequence[nn.Module]]


def find_classifier(model: nn.Module) -> nn.ModuleList:
    """What stands behind the backbone: a head, a pyramid with its heads, the last layers.

    Args:
        model: Any network of this package.
    """
    return nn.ModuleList(_stages_of(model)[-1])


def parameters_by_stage(model: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters of the stem, of each stage in forward order, and of the classifier.

    Every parameter is in one of them. Streams of a multi-scale net share their stages.

    Args:
        model: Any network of this package.
    """
    groups = [
        [parameter for module in stage for parameter in module.parameters()]
        for stage in _stages_of(model)
    ]
    known = {id(parameter) for group in groups for parameter in group}
    stem = [parameter for parameter in model.parameters() if id(parameter) not in known]
    return [stem, *groups]


def _stages_of(model: Any) -> _Stages:
    """The modules of each stage behind the stem; of a whole network, the classifier at the end."""
    match model:
        case FrontEnd():
            return _stages_of(model.network)
        case Classifier() | ImagePyramid():
            return _with_head(_stages_of(model.backbone), model.head)
        case Fpn():
            return [*_stages_of(model.backbone), [model.pyramid, model.heads]]
        case ResNet3d() | R2plus1d() | R2plus1dResNet() | P3d():
            return [[model.layer1], [model.layer2], [model.layer3], [model.layer4]]
        case MultiScaleResNet3d():
            streams = [_stages_of(stream) for stream in model.streams]
            return [
                [module for part in parts for module in part]
                for parts in zip(*streams, strict=True)
            ]
        case ConcatenatedStreams():
            return _stages_of(model.multiscale)
        case EfficientNetLite0():
            return [[blocks] for blocks in cast(nn.Sequential, model.net.blocks)]
        case FrameResNet():
            net: Any = model.net
            return [
                *([stage] for stage in (net.layer1, net.layer2, net.layer3, net.layer4)),
                [net.avgpool, net.fc],  # with the dropout
            ]
        case C3d() | DeepVideo():
            return [*([stage] for stage in model.stages[1:]), [model.classifier]]
        case I3d():
            net = model.net
            inceptions = [child for name, child in net.named_children() if "inception" in name]
            return [*([block] for block in inceptions), [net.dropout, net.fc]]
        case Mvit():
            net = model.net
            return [*([block] for block in net.blocks), [net.norm, net.head]]
        case VideoVit():
            encoder = model.encoder
            return [*([layer] for layer in encoder.layers), [encoder.ln, model.dropout, model.fc]]
    raise TypeError(f"{type(model).__name__} has no stages")


def _with_head(stages: _Stages, head: nn.Module) -> _Stages:
    """A backbone's stages and its classifier; a copy of the last stage in the head learns as it."""
    if isinstance(head, FilterBankHead) and isinstance(head.local_branch, LocalStage):
        *others, last = stages
        return [*others, [*last, head.local_branch], [head.global_branch, head.bank]]
    return [*stages, [head]]
