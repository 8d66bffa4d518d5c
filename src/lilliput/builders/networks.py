"""Networks by name."""

import copy
from collections.abc import Callable

from torch import nn

from lilliput.builders.front_ends import put_before
from lilliput.config import ModelConfig
from lilliput.models.c3d import C3d
from lilliput.models.deepvideo import DeepVideo
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.ensemble import Ensemble
from lilliput.models.filter_bank import FilterBankHead, LocalConvolution, LocalStage
from lilliput.models.fpn import Fpn
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.idt.classifier import Idt
from lilliput.models.idt.extraction import TrajectoryExtractor
from lilliput.models.image_pyramid import ImagePyramid
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.mvit import Mvit
from lilliput.models.p3d import P3d
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.resnet3d import ResNet3d, Strides, adapted_strides
from lilliput.models.video_vit import VideoVit


def _strides(config: ModelConfig) -> Strides:
    return adapted_strides(config.input_size) if config.adapted else (2, 2, 2, 2, 2)


def _build_resnet3d(config: ModelConfig) -> ResNet3d:
    return ResNet3d(
        depth=config.depth,
        width=config.width,
        wide=config.wide,
        spatial_strides=_strides(config),
        stochastic_depth=config.stochastic_depth,
    )


def _build_r2plus1d(config: ModelConfig) -> R2plus1d | R2plus1dResNet:
    if config.layout == "torchvision":
        return R2plus1d()
    return R2plus1dResNet(
        depth=config.depth,
        width=config.width,
        spatial_strides=_strides(config),
        stochastic_depth=config.stochastic_depth,
    )


def _build_p3d(config: ModelConfig) -> P3d:
    return P3d(
        depth=config.depth,
        width=config.width,
        blocks=config.p3d_blocks,
        spatial_strides=_strides(config),
    )


def _build_streams(config: ModelConfig) -> MultiScaleResNet3d:
    return MultiScaleResNet3d(
        config.input_sizes,
        depth=config.depth,
        width=config.width,
        wide=config.wide,
        adapted=config.adapted,
        lateral=config.lateral,
        stochastic_depth=config.stochastic_depth,
    )


BACKBONES: dict[str, Callable[[ModelConfig], nn.Module]] = {
    "resnet3d": _build_resnet3d,
    "r2plus1d": _build_r2plus1d,
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


def _build_image_pyramid(config: ModelConfig, num_classes: int) -> nn.Module:
    backbone = _build_resnet3d(config)
    head = _build_head(config, backbone.out_channels[-1], num_classes, backbone=backbone)
    sizes, merge = config.input_sizes, config.fpn_merge
    return ImagePyramid(backbone, head, input_sizes=sizes, merge=merge)


def _with_linear_head(
    config: ModelConfig, num_classes: int, backbone: R2plus1d | R2plus1dResNet | P3d
) -> nn.Module:
    head = LinearHead(backbone.out_channels[-1], num_classes, dropout=config.dropout)
    return Classifier(backbone, head)


def _build_idt(config: ModelConfig, num_classes: int) -> nn.Module:
    idt = config.idt
    extractor = TrajectoryExtractor(
        flow=idt.flow,
        compensate_camera=idt.compensate_camera,
        length=idt.trajectory_length,
        step=idt.step,
        patch=idt.patch,
        scales=idt.scales,
        min_motion=idt.min_motion,
    )
    return Idt(num_classes, extractor, gaussians=idt.gaussians, stacked=idt.stacked)


# From settings, classes K and frames T to a network: (N, 3, T, H, W) to logits (N, K).
MODELS: dict[str, Callable[[ModelConfig, int, int], nn.Module]] = {
    "resnet3d": lambda config, k, _: _build_classifier(config, k),
    "multiscale": lambda config, k, _: _build_multiscale(config, k),
    "fpn": lambda config, k, _: _build_pyramid(config, k, BACKBONES[config.backbone](config)),
    "multiscale_fpn": lambda config, k, _: _build_pyramid(
        config, k, ConcatenatedStreams(_build_streams(config))
    ),
    "image_pyramid": lambda config, k, _: _build_image_pyramid(config, k),
    "frame_resnet": lambda config, k, _: FrameResNet(k, depth=config.depth, dropout=config.dropout),
    "deepvideo": lambda config, k, frames: DeepVideo(
        k,
        fusion=config.fusion,
        num_frames=frames,
        width=config.width,
        dropout=config.dropout,
    ),
    "c3d": lambda config, k, _: C3d(k, width=config.width, dropout=config.dropout),
    "i3d": lambda config, k, _: I3d(k, dropout=config.dropout),
    "r2plus1d": lambda config, k, _: _with_linear_head(config, k, _build_r2plus1d(config)),
    "p3d": lambda config, k, _: _with_linear_head(config, k, _build_p3d(config)),
    "mvit": lambda config, k, frames: Mvit(
        k, input_size=config.input_size, num_frames=frames, dropout=config.dropout
    ),
    "video_vit": lambda config, k, frames: VideoVit(
        k,
        input_size=config.input_size,
        num_frames=frames,
        width=config.width,
        class_token=config.class_token,
        stem=config.stem,
        dropout=config.dropout,
    ),
    "idt": lambda config, k, _: _build_idt(config, k),
}


def build_model(config: ModelConfig, num_classes: int, num_frames: int = 16) -> nn.Module:
    """The network behind its front end, or the ensemble of several, randomly initialized."""
    members = [
        put_before(config, MODELS[config.name](config, num_classes, num_frames))
        for _ in range(config.members)
    ]
    return members[0] if config.members == 1 else Ensemble(members, average=config.average)
