"""The drawings of the architectures: sizes and connections are read from the built networks."""

from math import prod

from networks import NUM_CLASSES, Network, build, clip_size
from parts import (
    STAGES,
    draw_chain,
    draw_head,
    draw_pyramid,
    draw_single_stream,
    draw_streams,
)
from svg import Box, Drawing
from torch import nn

from lilliput.models.attention_pool import MAX_SIDE, AttentionPool3d
from lilliput.models.facts import BACKBONE
from lilliput.models.filter_bank import FilterBankHead
from lilliput.models.multiscale_fpn import ConcatenatedStreams


def draw_stride_adaptation() -> str:
    """Section 3.2, figure 2.4: where an input of each size loses detail."""
    drawing = Drawing("ResNet-3D 18, unadapted and stride-adapted", across=118, down=106)
    cases = [(112, False), (112, True), (56, True), (28, True), (14, True)]
    for row, (size, adapted) in enumerate(cases):
        network = build(name="resnet3d", input_size=size, adapted=adapted)
        cost = f"{network.facts.macs / 1e9:.1f} GMAC"
        drawing.heading(row, f"{size} px, {'adapted' if adapted else 'unadapted'}: {cost}")
        boxes = [drawing.box(0, row, "clip", "clip", clip_size(size))]
        strides = _spatial_strides(network.model)
        for column, map_ in enumerate(network.facts.group(BACKBONE), 1):
            stride = strides[map_.name]
            kept = stride == 1 and map_.name != "stage 1"
            kind = "kept" if kept else "stage"
            boxes.append(drawing.box(column, row, kind, map_.name, str(map_), f"stride {stride}"))
        boxes.append(draw_head(drawing, 7, row, network.model))
        draw_chain(drawing, boxes)
    drawing.note("kept", "a spatial stride of 2 in the published network, which adaptation makes 1")
    return drawing.render()


def draw_multiscale() -> str:
    """Section 3.6, figure 3.7."""
    network = build(name="multiscale", input_sizes=(28, 56, 112), adapted=True)
    drawing = Drawing("Multi-scale ResNet-3D 18, stride-adapted")
    last = draw_streams(drawing, network, network.model.get_submodule("backbone"))
    channels = network.model.get_submodule("head.fc").in_features
    pooled = drawing.box(6, 1, "head", "sum", "of the averaged", f"maps: {channels}")
    for *_, box in last:
        drawing.across(box, pooled)
    drawing.below(pooled, drawing.box(6, 2, "head", "linear", f"{NUM_CLASSES} logits"))
    drawing.note("lateral", "lateral connection: resized to the smaller map, concatenated to it")
    return drawing.render()


def draw_fpn() -> str:
    """Section 3.7, figure 3.8."""
    network = build(name="fpn", adapted=True)
    drawing = Drawing("ResNet-3D 18 feature pyramid network, stride-adapted")
    stages = draw_single_stream(drawing, network)
    draw_pyramid(drawing, network, stages, row=1)
    return drawing.render()


def draw_multiscale_fpn() -> str:
    """Section 3.8, figure 3.9."""
    network = build(name="multiscale_fpn", input_sizes=(28, 56, 112), adapted=True)
    drawing = Drawing("Multi-scale ResNet-3D 18 feature pyramid network, stride-adapted")
    backbone = network.model.get_submodule("backbone")
    assert isinstance(backbone, ConcatenatedStreams)
    streams = draw_streams(drawing, network, backbone.multiscale)
    joint_row = len(backbone.multiscale.input_sizes)
    joints = []
    for column, map_ in enumerate(network.facts.group("concatenation"), 2):
        joints.append(drawing.box(column, joint_row, "joint", f"concat {map_.name}", str(map_)))
        for stages in streams:
            drawing.around(stages[column - 2], joints[-1])
    draw_pyramid(drawing, network, joints, row=joint_row + 1)
    drawing.note("lateral", "lateral connection of the streams: resized, concatenated")
    drawing.note("joint", "all streams' outputs, resized to the largest map and concatenated")
    return drawing.render()


def draw_attention() -> str:
    """Section 3.9."""
    network = build(name="resnet3d", adapted=True, pool="attention")
    drawing = Drawing("ResNet-3D 18, stride-adapted, with attention pooling")
    *_, last = draw_single_stream(drawing, network)
    pool = network.model.get_submodule("head.pool")
    assert isinstance(pool, AttentionPool3d)
    top = network.map(BACKBONE, "stage 4")
    frames, height, width = top.size
    tokens = prod((frames, min(height, MAX_SIDE), min(width, MAX_SIDE)))
    boxes = [
        drawing.box(5, 1, "joint", "tokens", f"{tokens} × {top.channels}"),
        drawing.box(4, 1, "joint", "self-attention", f"{pool.num_heads} heads", "all to all"),
        drawing.box(3, 1, "joint", "average", f"{pool.output.out_features}"),
        drawing.box(2, 1, "head", "linear", f"{NUM_CLASSES} logits"),
    ]
    drawing.below(last, boxes[0])
    draw_chain(drawing, boxes)
    drawing.note("joint", "attention pooling, in the place of global average pooling")
    return drawing.render()


def draw_filter_bank() -> str:
    """Section 3.10, figure 3.10."""
    network = build(name="resnet3d", adapted=True, classifier="filter_bank", local_branch="stage")
    drawing = Drawing("ResNet-3D 18, stride-adapted, with a discriminative filter bank")
    *_, third, fourth = draw_single_stream(drawing, network)
    head = network.model.get_submodule("head")
    assert isinstance(head, FilterBankHead)
    filters = head.bank.filters.out_channels
    (local,) = network.facts.group("local branch")
    pooled = network.map(BACKBONE, "stage 4").channels
    average = drawing.box(5, 1, "head", "average pool", str(pooled))
    logits = f"{NUM_CLASSES} logits"
    plain = drawing.box(5, 2, "head", "linear", logits, "global branch")
    branch = drawing.box(4, 1, "level", "local branch", "×2, copy of stage 4", str(local))
    bank = drawing.box(4, 2, "joint", "filter bank", f"{filters} filters", "maximum of each")
    linear = drawing.box(4, 3, "head", "linear", logits)
    each = filters // NUM_CLASSES
    averages = drawing.box(3, 3, "head", "class average", f"of {each} filters", logits)
    total = drawing.box(4, 4, "head", "sum", logits)
    for start, end in ((fourth, average), (average, plain), (third, branch), (branch, bank)):
        drawing.below(start, end)
    drawing.below(bank, linear)
    drawing.step(bank, averages, apart=26)
    drawing.below(linear, total)
    drawing.step(averages, total, apart=26)
    drawing.step(plain, total, apart=26)
    return drawing.render()


def draw_filter_bank_fpn() -> str:
    """Section 3.10 on section 3.7."""
    network = build(name="fpn", adapted=True, classifier="filter_bank")
    drawing = Drawing("ResNet-3D 18 feature pyramid network with filter banks, stride-adapted")
    draw_pyramid(drawing, network, draw_single_stream(drawing, network), row=1)
    return drawing.render()


def draw_comparators() -> str:
    """Section 2.1: what the thesis' networks are compared with."""
    drawing = Drawing("The comparators at 112 px", across=124, down=106)
    names = {
        "frame_resnet": "2-D ResNet-18 on every frame",
        "deepvideo": "DeepVideo, frame by frame",
        "c3d": "C3D",
        "i3d": "I3D",
        "r2plus1d": "R(2+1)D-18",
        "p3d": "P3D-63",
        "mvit": "MViTv2-S",
        "video_vit": "video transformer (ViT-S on tubelets)",
    }
    for row, (name, title) in enumerate(names.items()):
        network = build(name=name, **({"depth": 50} if name == "p3d" else {}))
        drawing.heading(row, f"{title}: {network.facts.macs / 1e9:.1f} GMAC")
        boxes = [drawing.box(0, row, "clip", "clip", clip_size(network.config.input_size))]
        for column, map_ in enumerate(network.facts.maps, 1):
            boxes.append(drawing.box(column, row, "stage", map_.name, str(map_)))
        boxes += _transformer_layers(drawing, network, len(boxes), row)
        boxes.append(drawing.box(len(boxes), row, "head", "logits", f"{NUM_CLASSES}"))
        draw_chain(drawing, boxes)
    return drawing.render()


def _transformer_layers(drawing: Drawing, network: Network, column: int, row: int) -> list[Box]:
    """The one box of a transformer whose layers all have the same size."""
    if network.config.name != "video_vit":
        return []
    layers = len(list(network.model.get_submodule("encoder.layers").children()))
    (tubelets,) = network.facts.maps
    tokens = f"{prod(tubelets.size)} tokens"
    return [drawing.box(column, row, "stage", f"{layers} layers", tokens)]


def _spatial_strides(model: nn.Module) -> dict[str, int]:
    """Of every map of a ResNet-3D classifier."""
    backbone = model.get_submodule("backbone")
    layers = {"conv1": "conv1", "max pooling": "maxpool"}
    layers |= {stage: f"layer{number}" for number, stage in enumerate(STAGES, 1)}
    strides = {}
    for name, attribute in layers.items():
        kinds = (nn.Conv3d, nn.MaxPool3d)
        modules = backbone.get_submodule(attribute).modules()
        strides[name] = max(
            layer.stride if isinstance(layer.stride, int) else layer.stride[-1]
            for layer in modules
            if isinstance(layer, kinds)
        )
    return strides


DRAWINGS = {
    "stride_adaptation": draw_stride_adaptation,
    "multiscale": draw_multiscale,
    "fpn": draw_fpn,
    "multiscale_fpn": draw_multiscale_fpn,
    "attention_pooling": draw_attention,
    "filter_bank": draw_filter_bank,
    "filter_bank_fpn": draw_filter_bank_fpn,
    "comparators": draw_comparators,
}
