"""Networks by name."""

import copy
from collections.abc import Callable

from torch import nn

from lilliput.config import ModelConfig
from lilliput.models.c3d import C3d
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.ensemble import Ensemble
from lilliput.models.filter_bank import FilterBankHead, LocalConvolution, LocalStage
from lilliput.models.fpn import Fpn
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.mvit import Mvit
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.resnet3d import ResNet3d, adapted_strides
from lilliput.models.video_vit import VideoVit


def _build_resnet3d(config: ModelConfig) -> ResNet3d:
    return ResNet3d(
        depth=config.depth,
        width=config.width,
        spatial_strides=adapted_strides(config.input_size) if config.adapted else (2, 2, 2, 2, 2),
        stochastic_depth=config.stochastic_depth,
    )


def _build_streams(config: ModelConfig) -> MultiScaleResNet3d:
    return MultiScaleResNet3d(
        config.input_sizes,
        depth=config.depth,
        width=config.width,
        adapted=config.adapted,
        lateral=config.lateral,
        stochastic_depth=config.stochastic_depth,
    )


BACKBONES: dict[str, Callable[[ModelConfig], nn.Module]] = {
    "resnet3d": _build_resnet3d,
    "r2plus1d": lambda _: R2plus1d(),
    "efficientnet_lite0": lambda _: EfficientNetLite0(),
}


def _build_head(
    config: ModelConfig,
    channels: int,
    num_classes: int,
    *,
    top: bool = True,
    backbone: ResNet3d | None = None,
) -> nn.Module:
    attention = config.pool == "attention" and (top or config.attention_levels == "all")
    if config.classifier == "linear":
        return LinearHead(channels, num_classes, attention=attention, dropout=config.dropout)
    return FilterBankHead(
        channels,
        num_classes,
        local_branch=None if backbone is None else _build_local_branch(config, backbone),
        filters_per_class=config.filters_per_class,
        attention=attention,
        dropout=config.dropout,
    )


def _build_local_branch(config: ModelConfig, backbone: ResNet3d) -> LocalStage | LocalConvolution:
    *_, c4, c5 = backbone.out_channels
    if config.local_branch == "convolution":
        return LocalConvolution(c4)
    return LocalStage(copy.deepcopy(backbone.layer4), c5)


def _build_classifier(config: ModelConfig, num_classes: int) -> nn.Module:
    backbone = _build_resnet3d(config)
    head = _build_head(config, backbone.out_channels[-1], num_classes, backbone=backbone)
    return Classifier(backbone, head)


def _build_multiscale(config: ModelConfig, num_classes: int) -> nn.Module:
    streams = _build_streams(config)
    head = SummedStreamsHead(streams.out_channels[-1], num_classes, dropout=config.dropout)
    return Classifier(streams, head)


def _build_pyramid(config: ModelConfig, num_classes: int, backbone: nn.Module) -> nn.Module:
    channels = config.fpn_channels or 2 * config.width
    heads = [
        _build_head(config, channels, num_classes, top=top) for top in (False, False, False, True)
    ]
    return Fpn(backbone, heads, channels=channels, merge=config.fpn_merge)


def _build_r2plus1d(config: ModelConfig, num_classes: int) -> nn.Module:
    backbone = R2plus1d()
    head = LinearHead(backbone.out_channels[-1], num_classes, dropout=config.dropout)
    return Classifier(backbone, head)


# From settings, classes K and frames T to a network: (N, 3, T, H, W) to logits (N, K).
MODELS: dict[str, Callable[[ModelConfig, int, int], nn.Module]] = {
    "resnet3d": lambda config, k, _: _build_classifier(config, k),
    "multiscale": lambda config, k, _: _build_multiscale(config, k),
    "fpn": lambda config, k, _: _build_pyramid(config, k, BACKBONES[config.backbone](config)),
    "multiscale_fpn": lambda config, k, _: _build_pyramid(
        config, k, ConcatenatedStreams(_build_streams(config))
    ),
    "frame_resnet": lambda config, k, _: FrameResNet(k, depth=config.depth, dropout=config.dropout),
    "c3d": lambda config, k, _: C3d(k, width=config.width, dropout=config.dropout),
    "i3d": lambda config, k, _: I3d(k, dropout=config.dropout),
    "r2plus1d": lambda config, k, _: _build_r2plus1d(config, k),
    "mvit": lambda config, k, frames: Mvit(
        k, input_size=config.input_size, num_frames=frames, dropout=config.dropout
    ),
    "video_vit": lambda config, k, frames: VideoVit(
        k,
        input_size=config.input_size,
        num_frames=frames,
        width=config.width,
        dropout=config.dropout,
    ),
}


def build_model(config: ModelConfig, num_classes: int, num_frames: int = 16) -> nn.Module:
    """The network, or the ensemble of several, randomly initialized."""
    members = [MODELS[config.name](config, num_classes, num_frames) for _ in range(config.members)]
    return members[0] if config.members == 1 else Ensemble(members, average=config.average)
